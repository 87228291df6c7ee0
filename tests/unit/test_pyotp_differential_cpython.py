# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Our pyotp against PyPI's: the same values and the same exception classes for random and hostile input.

CPython only. The known differences are in test_pyotp_cpython.py; the strategies here keep clear of them.
"""

import hashlib
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import reference

import pyotp
from pyotp import base32

theirs = reference.load_pyotp()

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
EXAMPLES = {
    "at": 600,
    "verify": 600,
    "base32": 400,
    "provisioning": 500,
    "parse": 700,
    "hostile": 700,
    "split": 400,
}
compared = Counter()


def rounds(name):
    """Return the hypothesis settings of one of the tests, with its share of EXAMPLES."""
    return settings(max_examples=EXAMPLES[name], deadline=None, suppress_health_check=list(HealthCheck))


def outcome(call):
    """Return what a call gives: ("value", its result), or ("error", the exact class of the exception)."""
    try:
        return "value", call()
    except Exception as error:  # any class: that is what is compared
        return "error", own_name(type(error))


def own_name(kind):
    """Return the class; for the package's own exceptions, of which there are two copies, the name."""
    return kind.__name__ if kind.__module__.startswith(("pyotp", "reference_pyotp")) else kind


def check(name, call):
    """Compare `call(package)` of the two packages, and count it."""
    compared[name] += 1
    ours, wanted = outcome(lambda: call(pyotp)), outcome(lambda: call(theirs))
    assert ours == wanted


def mostly(usual, rare):
    """Return a strategy that draws from `usual` nine times of ten: most examples get past every check."""
    return st.integers(0, 9).flatmap(lambda draw: rare if draw == 9 else usual)


good_secrets = st.binary(min_size=14, max_size=75).map(base32.encode)
secrets = st.one_of(
    good_secrets,
    st.text(ALPHABET + ALPHABET.lower() + "=", max_size=80),
    st.text(ALPHABET + "018 -\x00=\u0131\uff21", min_size=20, max_size=40),
    st.text(max_size=40),
    good_secrets.map(str.encode),
    st.sampled_from(
        [None, 5, "", b"", "=" * 8, "A" * 22, "A" * 23, "A" * 24, "A" * 40 + "=" * 8, "\ud800" * 32]
    ),
)
rare_digests = [
    hashlib.sha224,
    hashlib.sha384,
    hashlib.sha3_256,
    hashlib.blake2b,
    hashlib.md5,
    hashlib.shake_128,
    hashlib.shake_256,
    lambda data=b"": hashlib.md5(data),
    lambda data=b"": hashlib.sha256(data),
]
digests = mostly(
    st.sampled_from([None, hashlib.sha1, hashlib.sha256, hashlib.sha512]), st.sampled_from(rare_digests)
)
digest_names = st.sampled_from(
    ["sha1", "sha256", "sha512", "SHA1", "SHA512", "md5", "sha384", "nonsense", "", 5]
)
digits = mostly(st.integers(6, 10), st.sampled_from([5, 11, 0, -6, 6.0, 7.0, 7.5, "6", None, True, 10**20]))
intervals = mostly(
    st.integers(1, 120), st.sampled_from([0, -1, 121, 300, 0.5, 29.5, 120.0, "30", None, True, 10**20])
)
counters = mostly(
    st.one_of(
        st.integers(0, 2**20), st.integers(0, 2**70), st.sampled_from([2**31, 2**32, 2**63, 2**64 - 1, 2**64])
    ),
    st.sampled_from([-1, -(2**64), 0.0, 1.0, "1", None, True]),
)
times = mostly(
    st.one_of(st.integers(0, 2**34), st.integers(0, 253402300799), st.floats(0, 4e9), st.datetimes()),
    st.one_of(
        st.floats(allow_nan=True, allow_infinity=True),
        st.sampled_from([-2, 253402300799, 253402300800, -0.5, "59", None, True]),
    ),
)
labels = st.one_of(
    st.none(), st.just(""), st.text(max_size=20), st.text("aZ09:/@ %+&=?#~.é\ud800", max_size=12)
)


def options(**strategies):
    """Return a strategy for keyword arguments, each of them given or not."""
    return st.fixed_dictionaries({}, optional=strategies)


hotp_options = options(
    digits=digits, digest=mostly(digests, digest_names), initial_count=counters, name=labels, issuer=labels
)
totp_options = options(
    digits=digits, digest=mostly(digests, digest_names), interval=intervals, name=labels, issuer=labels
)


@rounds("at")
@given(mostly(good_secrets, secrets), hotp_options, totp_options, counters, times, st.integers(-3, 3))
def test_codes(secret, by_count, by_time, counter, when, offset):
    check("at", lambda package: package.HOTP(secret, **by_count).at(counter))
    check("at", lambda package: package.TOTP(secret, **by_time).at(when, counter_offset=offset))
    check("at", lambda package: package.TOTP(secret, **by_time).timecode(when))


typed_codes = st.one_of(
    st.text("0123456789", min_size=4, max_size=11),
    st.text(max_size=12),
    st.integers(0, 10**7),
    st.sampled_from([None, b"123456", "1" * 1024, "1" * 1025, "\ud800", "\uff11" * 6]),
)
FULL_WIDTH = {ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}
twists = st.sampled_from(
    [
        str,
        lambda code: code.translate(FULL_WIDTH),
        lambda code: code + " ",
        lambda code: code[:-1],
        lambda code: int(code),
        lambda code: code[:-1] + "\u2460",
    ]
)
windows = st.one_of(st.integers(0, 4), st.sampled_from([-1, None, 0.5, "1", True, False]))


@rounds("verify")
@given(
    good_secrets, st.integers(6, 10), st.integers(0, 10**5), st.integers(-5, 5), typed_codes, twists, windows
)
def test_verifying(secret, length, when, offset, typed, twist, window):
    right = theirs.TOTP(secret, digits=length)
    try:
        near = twist(right.at(when, counter_offset=offset))
    except ValueError:  # before 1970
        near = typed
    for code in (typed, near):
        check(
            "verify", lambda package, code=code: package.HOTP(secret, digits=length).verify(code, when // 30)
        )
        for method in ("verify", "verify_and_get_timecode"):
            check(
                "verify",
                lambda package, code=code, method=method: getattr(
                    package.TOTP(secret, digits=length), method
                )(code, for_time=when, valid_window=window),
            )


@rounds("base32")
@given(secrets)
def test_secrets(secret):
    check("base32", lambda package: package.OTP(secret).byte_secret())


extras = st.dictionaries(
    st.one_of(
        st.sampled_from(
            ["image", "color", "secret", "period", "counter", "algorithm", "initial_count", "a b"]
        ),
        st.text(min_size=1, max_size=5),
    ),
    st.one_of(
        st.text(max_size=10),
        st.sampled_from(
            ["https://a/b", "https://a/b c?d#e", "http://a/b", "https://a", " HTTPS://a/\n", 5, None]
        ),
    ),
    max_size=2,
)


@rounds("provisioning")
@given(
    good_secrets,
    options(digits=st.integers(6, 10), digest=digests, name=labels, issuer=labels, initial_count=counters),
    options(digits=st.integers(6, 10), digest=digests, name=labels, issuer=labels, interval=intervals),
    options(name=st.one_of(labels, st.sampled_from([5, b"x/"])), issuer_name=labels),
    extras,
)
def test_provisioning_uris(secret, by_count, by_time, arguments, more):
    arguments = {**more, **arguments}
    check("provisioning", lambda package: package.HOTP(secret, **by_count).provisioning_uri(**arguments))
    check("provisioning", lambda package: package.TOTP(secret, **by_time).provisioning_uri(**arguments))


def parsed(package, uri):
    """Return all that a parsed URI says, with a code."""
    otp = package.parse_uri(uri)
    rest = (getattr(otp, "interval", None), getattr(otp, "initial_count", None))
    return (
        type(otp).__name__,
        otp.secret,
        otp.digits,
        otp.digest().name,
        otp.name,
        otp.issuer,
        rest,
        outcome(lambda: otp.at(59)),
        outcome(otp.provisioning_uri),
    )


raw_texts = st.one_of(
    st.text("aZ09:/@ %+&=?#;~.é\t\n", max_size=12),
    st.text(max_size=6),
    st.binary(max_size=6).map(lambda data: "".join(f"%{byte:02x}" for byte in data)),
    st.sampled_from(
        ["%", "%4", "%3A", "%zz", "%C3", "%ED%A0%80", "%F4%90%80%80", "%C3%BC", "a:b", "a%3Ab", ":"]
    ),
)
parameters = st.one_of(
    st.tuples(st.just("secret"), st.one_of(good_secrets, raw_texts)),
    st.tuples(st.just("issuer"), raw_texts),
    st.tuples(st.just("algorithm"), st.sampled_from(["sha1", "MD5", "", "SHA-1"])),
    st.tuples(st.just("digits"), st.sampled_from(["9", "5", "", "x", "%206", "+7", "6.0", "-6", "0_6"])),
    st.tuples(st.just("period"), st.sampled_from(["30", "121", "0", "-1", "", "x", "1e1", "9" * 5000])),
    st.tuples(st.just("counter"), st.sampled_from(["0", "99999999999999999999", "-1", "", "x"])),
    st.tuples(raw_texts, raw_texts),
)
SOUND = {
    "algorithm": ["SHA1", "SHA256", "SHA512"],
    "digits": ["6", "7", "8", "%37", ""],
    "totp": ("period", ["1", "30", "60", "120"]),
    "hotp": ("counter", ["0", "1", "7", "18446744073709551616"]),
}


@st.composite
def uris(draw):
    """An otpauth URI, mostly sound."""
    scheme = draw(
        mostly(st.just("otpauth"), st.sampled_from(["OTPAUTH", "otpauth2", "https", " otpauth", ""]))
    )
    sound_kind = draw(st.sampled_from(["totp", "hotp"]))
    kind = draw(
        mostly(st.just(sound_kind), st.sampled_from(["TOTP", "", "totp:80", "x@totp", "[totp]", "hotp"]))
    )
    label = draw(st.one_of(raw_texts, st.tuples(raw_texts, raw_texts).map(":".join)))
    pairs = [("secret", draw(good_secrets))]
    for name, values in (("algorithm", SOUND["algorithm"]), ("digits", SOUND["digits"]), SOUND[sound_kind]):
        if draw(st.booleans()):
            pairs.append((name, draw(st.sampled_from(values))))
    if draw(st.booleans()):
        pairs.append(("issuer", draw(mostly(st.just(label.split(":")[0].replace("+", "%2B")), raw_texts))))
    pairs = draw(mostly(st.permutations(pairs), st.lists(parameters, max_size=5).map(pairs.__add__)))
    query = "&".join(f"{name}={value}" for name, value in pairs)
    return f"{scheme}://{kind}/{label}?{query}"


@rounds("parse")
@given(uris())
def test_parsing(uri):
    check("parse", lambda package: parsed(package, uri))


SEEDS = [
    "otpauth://totp/A%3Ab:c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A%3Ab&digits=8&period=60",
    "otpauth://hotp/c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=7&algorithm=SHA512",
    "otpauth://totp/%C3%BC?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=x+y",
]


@st.composite
def mutated(draw):
    """A good URI after a few random edits, or any text."""
    text = draw(st.one_of(st.sampled_from(SEEDS), st.sampled_from(SEEDS), uris(), st.text(max_size=30)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        size = draw(st.integers(0, 3))
        middle = draw(st.one_of(st.text(max_size=3), st.sampled_from("%&=?#:/+[];\t\n\x00@")))
        text = text[:at] + middle + text[at + size :]
    return text


@rounds("hostile")
@given(
    st.one_of(mutated(), mutated(), st.sampled_from(["", None, b"otpauth://totp/a", "otpauth:", "://", "?"]))
)
def test_hostile_uris(uri):
    if isinstance(uri, str) and "steam" in uri:
        return
    check("hostile", lambda package: parsed(package, uri))


@rounds("split")
@given(st.one_of(mutated(), st.text(max_size=20), st.text("aZ1:/?#[]@+-. \t\x00é\uff0f;", max_size=15)))
def test_images(image):
    if "[" in image and "]" in image:  # a known difference
        return
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for address in (image, "https://" + image, "https:" + image):
        check("split", lambda package, address=address: package.TOTP(secret).provisioning_uri(image=address))


@pytest.mark.parametrize("length", [31, 32, 33, 0, -1])
@pytest.mark.parametrize("chars", ["A", "", "AB"])
def test_random_secrets(length, chars):
    ours = outcome(lambda: len(pyotp.random_base32(length, chars)))
    assert ours == outcome(lambda: len(theirs.random_base32(length, chars)))
    ours = outcome(lambda: len(pyotp.random_hex(length + 8, chars)))
    assert ours == outcome(lambda: len(theirs.random_hex(length + 8, chars)))


def test_count(request):
    """At least 2,000 comparisons were made, when the whole file ran in this process."""
    assert sum(EXAMPLES.values()) >= 2000
    print("compared:", dict(compared), "in all", sum(compared.values()))
    names = {item.name for item in request.session.items if item.path == request.path}
    if "test_images" in names and "test_codes" in names and not hasattr(request.config, "workerinput"):
        assert sum(compared.values()) >= 2000
