# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Users with several credentials, codes for a lost phone, and being asked before something is lost."""

import base64
import re
from pathlib import Path

import pytest
import typer
from tests.cli.support import SECRET, Cli, code, hotp
from tests.cli.terminal import Terminal, without_colours
from tests.reference import load_pyotp

from understudy.cli import times
from understudy.secret_input import parse_secret
from understudy.statuses import exit_code
from understudy.usage import WrongUsage

OTHER = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # base32, RFC 4226's secret


def states(cli: Cli, user: str) -> dict[str, str]:
    shown = cli.json("user", "show", user)
    return {one["credential"]: one["state"] for one in shown["credentials"]}


@pytest.mark.parametrize(
    "words",
    [
        ("user", "remove", "alice"),
        ("user", "reset", "alice"),
        ("credential", "remove", "alice", "phone"),
        ("user", "recovery", "alice"),
        ("unpair", "0" * 16),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("answer", ["n", "", "nonsense"])
def test_who_says_no_is_told_that_nothing_was_done(
    cli: Cli, device: str, words: tuple[str, ...], answer: str
) -> None:
    cli.add("alice", "--recovery")
    with Terminal(cli, *words) as terminal:
        terminal.read_until("[y/N]")
        terminal.type(answer)
        assert terminal.wait() == 1
        assert without_colours(terminal.text).endswith("understudy: Nothing was done.\n")
    assert states(cli, "alice") == {"phone": "active", "recovery": "active"}
    assert cli.json("credential", "show", "alice", "recovery")["left"] == 10


def test_who_says_yes(cli: Cli, device: str) -> None:
    cli.add("alice")
    with Terminal(cli, "user", "reset", "alice") as terminal:
        terminal.read_until("[y/N]")
        terminal.type("y")
        assert terminal.wait() == 0
    assert cli.json("user", "show", "alice")["state"] == "pending"


def test_recovery_codes(cli: Cli, device: str) -> None:
    cli.add("alice")
    shown = cli.ok("user", "recovery", "alice")
    codes = shown.out.split()
    assert len(set(codes)) == 10 and all(re.fullmatch(r"\d{5}-\d{5}", one) for one in codes)
    assert not any(one in shown.err for one in codes)
    assert cli.json("verify", "alice", codes[3])["credential"] == "recovery"
    assert cli("verify", "alice", codes[3]).code == exit_code("replayed")
    cli.ok("verify", "alice", codes[4].replace("-", ""))
    assert cli.json("credential", "show", "alice", "recovery")["left"] == 8
    path = cli.folder / "codes.txt"
    cli.ok("user", "recovery", "alice", "--file", str(path), "--yes")
    assert path.stat().st_mode & 0o777 == 0o600
    assert cli("verify", "alice", codes[5]).code == exit_code("rejected")
    cli.ok("verify", "alice", path.read_text().splitlines()[9])
    assert cli("user", "recovery", "alice", "--file", "missing/codes", "--yes").code == 2
    assert cli.json("credential", "show", "alice", "recovery")["left"] == 9


def test_a_bypass_code(cli: Cli, device: str) -> None:
    cli.add("alice")
    made = cli.ok("user", "bypass", "alice", "--for", "1h30m").out.strip()
    cli.ok("verify", "alice", made)
    assert cli("verify", "alice", made).code == exit_code("replayed")
    until = cli.json("user", "bypass", "alice", "--for", "90s")["until"]
    assert 0 <= until - cli.json("clock")["time"] <= 90


def test_a_further_credential_that_never_gets_its_code_leaves_the_user_alone(cli: Cli, device: str) -> None:
    cli.add("alice")
    for _ in range(2):
        failed = cli(
            "user", "add", "alice", "--credential", "tablet", "--qr-file", "a.png", stdin="abc\n" * 3
        )
        assert failed.code == 17 and "credential tablet of alice was not kept" in failed.err
    assert states(cli, "alice") == {"phone": "active"}
    again = cli("user", "add", "alice", "--qr-file", "a.png")
    assert again.code == exit_code("exists")
    assert states(cli, "alice") == {"phone": "active"}
    cli.ok("verify", "alice", code())


def test_recovery_codes_at_once(cli: Cli, device: str) -> None:
    cli.ok("user", "add", "alice", "--import-secret", "-", "--no-confirm", "--recovery", stdin=SECRET)
    done = cli.json(
        "user", "add", "bob", "--import-secret", "-", "--no-confirm", "--recovery", stdin=SECRET + "\n"
    )
    assert done["new"] is True and len(done["recovery_codes"]) == 10
    cli.ok("verify", "bob", done["recovery_codes"][0])
    assert states(cli, "alice") == {"phone": "active", "recovery": "active"}


def test_groups(cli: Cli, device: str) -> None:
    for name in ("alice", "bob", "carol"):
        cli.add(name)
    assert cli.json("group", "add", "staff", "carol", "alice")["users"] == ["carol", "alice"]
    cli.ok("group", "add", "night", "bob", "alice")
    assert cli.json("group", "list")["groups"] == [
        {"group": "night", "members": 2},
        {"group": "staff", "members": 2},
    ]
    assert [one["user"] for one in cli.json("group", "show", "staff")["users"]] == ["alice", "carol"]
    assert [one["user"] for one in cli.json("user", "list", "--group", "night")["users"]] == ["alice", "bob"]
    half = cli("group", "add", "staff", "bob", "nobody", "carol")
    assert half.code == exit_code("not-found") and "Done before that: bob." in half.err
    assert len(cli.json("group", "show", "staff")["users"]) == 3
    wrong = cli("group", "add", "staff", "dave", "x" * 65)  # nobody is asked before all can be
    assert wrong.code == 2
    cli.ok("group", "remove", "staff", "alice", "bob", "carol")
    assert cli("group", "show", "staff").code == exit_code("not-found")


def test_an_imported_uri_tells_how_its_codes_are_made(cli: Cli, device: str) -> None:
    pyotp = load_pyotp()
    totp = pyotp.TOTP(SECRET, digits=8, interval=60, name="alice@work", issuer="Big & Co")
    path = cli.folder / "uri.txt"
    path.write_text(totp.provisioning_uri() + "\n")
    done = cli.ok("user", "add", "alice", "--import-secret", str(path), "--no-confirm", "--show-uri")
    assert "issuer=Big%20%26%20Co" in done.out and "digits=8" in done.out and "period=60" in done.out
    cli.ok("verify", "alice", totp.now())
    counter = pyotp.HOTP(SECRET, name="x", issuer="Y", initial_count=41)
    words = ("user", "add", "alice", "--credential", "token", "--import-secret", "-")
    uri = counter.provisioning_uri(initial_count=41)
    assert "counter=41" in uri
    cli.ok(*words, stdin=f"{uri}\n{hotp(41)}\n")
    assert cli.json("credential", "show", "alice", "token")["counter"] == 42
    # What is said on the command line counts more.
    path.write_text(totp.provisioning_uri())
    cli.ok("user", "add", "bob", "--import-secret", str(path), "--no-confirm", "--digits", "6")
    shown = cli.json("credential", "show", "bob", "phone")
    assert (shown["digits"], shown["interval"]) == (6, 60)
    cli.ok("user", "add", "carol", "--import-secret", str(path), "--no-confirm", "--kind", "hotp")
    assert cli.json("credential", "show", "carol", "phone")["kind"] == "hotp"


def test_what_an_uri_says() -> None:
    secret = base64.b32decode(SECRET).hex()
    parameters = f"secret={SECRET.lower()}&algorithm=sha-256&period=45&counter=0&digits=7&image=x"
    assert parse_secret(f" otpauth://TOTP/Shop%20A:me?{parameters}\n") == {
        "secret": secret,
        "kind": "totp",
        "digits": 7,
        "interval": 45,
        "counter": 0,
        "algorithm": "SHA256",
        "issuer": "Shop A",
    }
    assert parse_secret(f"otpauth://hotp/me?secret={SECRET}") == {"secret": secret, "kind": "hotp"}
    assert parse_secret(f"otpauth://totp/A:me?secret={SECRET}&issuer=B")["issuer"] == "B"
    assert parse_secret(SECRET) == {"secret": secret}


@pytest.mark.parametrize(
    "uri",
    [
        "otpauth://",
        "otpauth://totp/me",
        "otpauth://totp/me?issuer=X",
        f"otpauth://yaotp/me?secret={SECRET}",
        f"otpauth://totp/me?secret={SECRET}&digits=six",
        f"otpauth://totp/me?secret={SECRET}&period=-1",
        f"otpauth://hotp/me?secret={SECRET}&counter=99999999999",
        "otpauth://totp/me?secret=JBSWY3DPEHPK3PX1",
        f"otpauth://[totp/me?secret={SECRET}",
        f"otpauth://totp/me?secret={SECRET}&junk",
    ],
)
def test_an_uri_that_can_not_be_is_not_quoted(uri: str) -> None:
    with pytest.raises(WrongUsage) as found:
        parse_secret(uri)
    assert "JBSWY3DP" not in str(found.value) and found.value.__cause__ is None


DAY = 86400
MAY_4 = 1777852800  # 2026-05-04T00:00:00Z


@pytest.mark.parametrize(
    "typed,first,last",
    [
        ("2026-05-04", MAY_4, MAY_4 + DAY),
        ("2026-05-04T00:00", MAY_4, MAY_4),
        ("2026-05-04T02:00+02:00", MAY_4, MAY_4),
        ("2026-05-03T22:00:00-02:00", MAY_4, MAY_4),
        ("2026-05-04 00:00:30Z", MAY_4 + 30, MAY_4 + 30),
        ("none", 0, 0),
        (None, None, None),
    ],
)
def test_bounds(typed: str | None, first: int | None, last: int | None) -> None:
    assert (times.bound(typed), times.bound(typed, last=True)) == (first, last)


@pytest.mark.parametrize(
    "typed,seconds", [("90s", 90), ("15m", 900), ("2h", 7200), ("3d", 259200), ("1h30m", 5400)]
)
def test_durations(typed: str, seconds: int) -> None:
    assert times.duration(typed) == seconds
    assert times.since(typed, MAY_4) == MAY_4 - seconds
    assert times.since("2026-05-04", 0) == MAY_4


@pytest.mark.parametrize("typed", ["", "15", "-15m", "m", "15 m", "1w", "\u0661s", "9999999999d"])
def test_what_is_no_duration(typed: str) -> None:
    with pytest.raises(typer.BadParameter):
        times.duration(typed)
    with pytest.raises(typer.BadParameter):
        times.bound(typed)


def test_a_user_outside_of_the_dates(cli: Cli) -> None:
    with cli.simulator("--clock", str(MAY_4 + DAY - 3600)):
        cli.ok("claim", "--yes")
        cli.add("alice")
        cli.ok("user", "dates", "alice", "--until", "2026-05-04")
        here = code(now=MAY_4 + DAY - 3600)
        cli.ok("verify", "alice", here)  # the last hour of the day
        cli.ok("clock", "set", "--time", str(MAY_4 + DAY))
        late = cli("verify", "alice", code(now=MAY_4 + DAY))
        assert late.code == exit_code("expired")
        cli.ok("user", "dates", "alice", "--until", "none", "--from", "2026-05-06")
        assert cli("verify", "alice", code(now=MAY_4 + DAY)).code == exit_code("expired")
        before = cli("user", "dates", "alice", "--until", "2026-05-01")
        assert before.code == exit_code("bad-request")
        shown = cli.json("user", "show", "alice")
        assert (shown["valid_from"], shown["valid_until"]) == (MAY_4 + 2 * DAY, 0)


def test_resync_asks_for_both_codes_without_showing_them(cli: Cli, device: str, tmp_path: Path) -> None:
    cli.add("alice")
    with Terminal(cli, "user", "resync", "alice") as terminal:
        terminal.read_until("Code for alice: ")
        terminal.type(code(20))
        terminal.read_until("The next code: ")
        terminal.type(code(21))
        assert terminal.wait() == 0, terminal.text
        assert "steps fast" in terminal.text and code(21) not in terminal.text
    cli.ok("verify", "alice", code(22))
    assert cli("user", "resync", "alice").code == exit_code("malformed")
