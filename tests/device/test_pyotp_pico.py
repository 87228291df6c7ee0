# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Our pyotp on the emulated Pico: the RFCs' vectors, SHA-512 in machine code, what a window costs."""

from pathlib import Path

import pytest
from guest_code import COST

from understudy.simulator.flash_layout import FLASH_SIZE
from understudy.simulator.littlefs_image import install_files
from understudy.simulator.pico import Pico
from understudy.simulator.raw_repl import RawRepl

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {f"lib/pyotp/{path.name}": path.read_bytes() for path in (ROOT / "firmware" / "pyotp").glob("*.py")}

SETUP = (
    COST
    + """
import time
import pyotp
from pyotp import base32, sha512
from pyotp.digests import Hmac
from pyotp.otp import code_at
KEY = b"1234567890" * 7
KEYS = {"sha1": KEY[:20], "sha256": KEY[:32], "sha512": KEY[:64]}
SECRET = base32.encode(KEYS["sha1"])
"""
)

# What the Pico may take, in simulated us: a fifth more than measured, so that a slip is seen.
LIMITS_US = {
    "base32.decode(SECRET)": 860,
    "Hmac(KEYS['sha1'], 'sha1')": 870,
    "code_at(MACS['sha1'], 37037036, 6)": 630,
    "window('sha1')": 1850,
    "window('sha256')": 2600,
    "window('sha512')": 11000,
}


@pytest.fixture(scope="module")
def repl(stock_image: Path) -> RawRepl:
    pico = Pico(stock_image, seed=1, flash=install_files(b"\xff" * FLASH_SIZE, SOURCES))
    pico.boot()
    repl = RawRepl(pico)
    repl.exec(SETUP)
    return repl


def evaluate(repl: RawRepl, expression: str) -> str:
    return repl.exec(f"print({expression})").strip()


def test_rfc4226_appendix_d(repl: RawRepl) -> None:
    codes = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489"
    assert evaluate(repl, "*[pyotp.HOTP(SECRET).at(count) for count in range(10)]") == codes


@pytest.mark.parametrize(
    ("digest", "codes"),
    [
        ("sha1", "94287082 07081804 14050471 89005924 69279037 65353130"),
        ("sha256", "46119246 68084774 67062674 91819424 90698825 77737706"),
        ("sha512", "90693936 25091201 99943326 93441116 38618901 47863826"),
    ],
)
def test_rfc6238_appendix_b(repl: RawRepl, digest: str, codes: str) -> None:
    times = "59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000"
    repl.exec(f"totp = pyotp.TOTP(base32.encode(KEYS['{digest}']), digits=8, digest='{digest}')")
    assert evaluate(repl, f"*[totp.at(when) for when in ({times})]") == codes


def test_verifying(repl: RawRepl) -> None:
    repl.exec("totp = pyotp.TOTP(SECRET, digits=8)")
    assert evaluate(repl, "totp.verify('94287082', for_time=59)") == "True"
    assert evaluate(repl, "totp.verify('94287082', for_time=89, valid_window=1)") == "True"
    assert evaluate(repl, "totp.verify('94287082', for_time=89)") == "False"
    assert (
        evaluate(repl, "totp.now() == totp.at(time.time()) or totp.verify(totp.now(), valid_window=1)")
        == "True"
    )


def test_uris(repl: RawRepl) -> None:
    uri = f"otpauth://totp/Foo%3A%C3%BC:a%20b?secret={'A' * 32}&issuer=Foo%3A%C3%BC&algorithm=SHA512&digits=8"
    assert evaluate(repl, f"pyotp.parse_uri('{uri}').provisioning_uri()") == uri


def test_sha512_is_machine_code_and_agrees_with_the_portable_one(repl: RawRepl) -> None:
    repl.exec("from pyotp import sha512_portable, sha512_viper")
    assert evaluate(repl, "sha512.compress is sha512_viper.compress") == "True"
    repl.exec(
        "one, two, data = bytearray(range(64)), bytearray(range(64)), bytearray(b'\\xff' * 200)\n"
        "for _ in range(10):\n"
        "    sha512.compress(one, data, 65)\n"  # an odd offset: this core cannot load words from there
        "    sha512_portable.compress(two, data, 65)\n"
        "    assert one == two\n"
        "    data[129:193] = one\n"
    )


def test_costs(repl: RawRepl) -> None:
    repl.exec(
        "MACS = {name: Hmac(KEYS[name], name) for name in KEYS}\n"
        "def window(name):\n"
        "    for step in (37037035, 37037036, 37037037):\n"
        "        code_at(MACS[name], step, 6)\n"
    )
    spent = {call: int(evaluate(repl, f"cost(lambda: {call})")) for call in LIMITS_US}
    print(spent)
    assert all(spent[call] <= limit for call, limit in LIMITS_US.items()), spent
