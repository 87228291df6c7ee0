# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What only CPython can show of our pyotp: all of Unicode, datetimes, a faked clock, the package's imports.

CPython only.
"""

import ast
import datetime
import hashlib
import sys
import time
import unicodedata
from pathlib import Path

import pytest
from tests import reference

import pyotp
from pyotp import compare, moment
from pyotp.compare import same_code
from pyotp.percent import decode_lossy, quote, unquote
from pyotp.uri import split_uri

theirs = reference.load_pyotp()

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
PACKAGE = Path(pyotp.__file__).parent
ALLOWED_IMPORTS = {"array", "binascii", "hashlib", "micropython", "os", "struct", "sys", "time"}
NEWER_DIGITS = range(0x1CCF0, 0x1CCFA)  # Unicode 16: digits to newer interpreters only


def test_the_reference_is_another_package():
    assert theirs is not pyotp
    assert Path(theirs.__file__).resolve() != Path(pyotp.__file__).resolve()
    assert PACKAGE.parent.name == "firmware"
    assert theirs.HOTP.__module__ == "reference_pyotp.hotp"


def test_every_character_counts_as_the_digits_it_does_for_pypi():
    from reference_pyotp.utils import strings_equal

    counted = 0
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if code in NEWER_DIGITS or 0xD800 <= code <= 0xDFFF:
            continue
        plain = unicodedata.normalize("NFKC", character)
        if plain.isascii() and plain.isdigit():
            counted += 1
            assert strings_equal(character, plain)
            assert same_code(character, plain), hex(code)
        else:
            assert compare._plain(character) == character, hex(code)
    assert counted > 100


def test_every_character_is_let_into_a_host_as_by_urllib():
    from urllib.parse import urlsplit

    # Those that normalisation changes, which are the ones in question, and a sample of the others.
    for code in range(0x80, sys.maxunicode + 1):
        if code % 97 and unicodedata.is_normalized("NFKC", chr(code)):
            continue
        address = f"https://a{chr(code)}b/c"
        try:
            accepted = urlsplit(address).netloc
        except ValueError:
            accepted = None
        try:
            ours = split_uri(address)[1]
        except ValueError:
            ours = None
        assert ours == accepted, hex(code)


@pytest.mark.parametrize("first", range(0x80, 0x100))
def test_ill_formed_utf8_is_replaced_as_by_cpython(first):
    for second in (0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE1, 0xF0, 0xF4, 0xFF):
        for rest in (b"", b"\x80", b"\x80\x80", b"\xbf\xbf\xbf", b"A", b"\x80A", b"\xe1\x80"):
            data = bytes((first, second)) + rest
            assert decode_lossy(data) == data.decode("utf-8", "replace"), data


def test_quoting_of_every_byte():
    import urllib.parse

    everything = bytes(range(256))
    assert quote(everything) == urllib.parse.quote(everything, safe="")
    assert quote(everything, b"/") == urllib.parse.quote(everything)
    assert unquote(quote(everything)) == everything.decode("utf-8", "replace")


@pytest.mark.parametrize("epoch", [1970, 2000])
def test_now_is_unix_time_whatever_the_epoch(monkeypatch, epoch):
    unix = 1111111109
    monkeypatch.setattr(time, "time", lambda: unix - (0 if epoch == 1970 else 946684800))
    monkeypatch.setattr(time, "gmtime", lambda seconds: (epoch, 1, 1, 0, 0, 0))
    assert moment.unix_now() == unix
    totp = pyotp.TOTP(SECRET, digits=8)
    assert totp.now() == "07081804"
    assert totp.verify("07081804")
    assert totp.verify_and_get_timecode("07081804") == unix // 30


ZONES = [datetime.timezone(datetime.timedelta(hours=hours, minutes=15)) for hours in (-12, -1, 0, 5, 13)]


@pytest.mark.parametrize("zone", [None, *ZONES])
@pytest.mark.parametrize(
    "fields",
    [
        (1, 1, 1),
        (1969, 12, 31, 23, 59, 59, 999999),
        (1970, 1, 1),
        (2000, 2, 29, 12, 0, 1, 500000),
        (2026, 3, 29, 2, 30),
        (2100, 3, 1),
        (9999, 12, 31, 23, 59, 59, 999999),
    ],
)
def test_datetimes(fields, zone):
    when = datetime.datetime(*fields, tzinfo=zone)
    results = []
    for package in (pyotp, theirs):
        try:
            results.append(package.TOTP(SECRET).timecode(when))
        except ValueError as error:
            results.append(type(error))
    assert results[0] == results[1]


def test_dates_are_no_times():
    with pytest.raises(TypeError):
        pyotp.TOTP(SECRET).at(datetime.date(2020, 1, 1))


# Where ours differs from PyPI's on purpose. Each test shows both sides, so that a change of either is seen.


def test_difference_digest_names_work_in_uris():
    with pytest.raises(TypeError):
        theirs.TOTP(SECRET, digest="sha256").provisioning_uri()
    ours = pyotp.TOTP(SECRET, digest="sha256")
    assert ours.provisioning_uri() == theirs.TOTP(SECRET, digest=hashlib.sha256).provisioning_uri()


def test_difference_steam_is_refused():
    uri = f"otpauth://totp/a?secret={SECRET}&encoder=steam"
    assert len(theirs.parse_uri(uri).at(59)) == 5
    with pytest.raises(ValueError, match="unsupported"):
        pyotp.parse_uri(uri)


def test_difference_bracketed_hosts_are_not_checked():
    image = "https://[not an address]/a.png"
    assert "image=https" in pyotp.TOTP(SECRET).provisioning_uri(image=image)
    if sys.version_info >= (3, 11, 4):
        with pytest.raises(ValueError, match="does not appear to be"):
            theirs.TOTP(SECRET).provisioning_uri(image=image)


def test_imports_are_what_micropython_has():
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= ALLOWED_IMPORTS, path
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1 or node.module in ALLOWED_IMPORTS, path


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("digits", [6, 7, 8])
def test_oathtool_makes_the_same_codes(digest, digits):
    for when in (0, 59, 1111111109, 2000000000, 20000000000):
        for interval in (5, 30, 120):
            code = pyotp.TOTP(SECRET, digits=digits, digest=digest, interval=interval).at(when)
            made = reference.oathtool(SECRET, digest=digest, digits=digits, interval=interval, time=when)
            assert code == made


def test_oathtool_makes_the_same_hotp_codes():
    for counter in (0, 9, 2**31, 2**32, 2**63):
        assert pyotp.HOTP(SECRET).at(counter) == reference.oathtool_hotp(SECRET, counter)
