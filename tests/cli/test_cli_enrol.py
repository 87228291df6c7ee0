# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Users who are invited to enrol at a login, and the setting that allows it."""

import pytest
from tests.cli.support import Cli

from understudy.statuses import exit_code, pam_code
from understudy_device.protocol import STATUSES


def states(cli: Cli) -> dict[str, str]:
    return {one["user"]: one["state"] for one in cli.json("user", "list")["users"]}


def test_a_user_who_enrols_at_the_next_login(cli: Cli, device: str) -> None:
    done = cli.ok("user", "add", "alice", "--at-login")
    assert done.out == "Added alice, who enrols at the next login.\n" and done.err == ""
    assert cli.json("user", "add", "bob", "--at-login") == {
        "status": "ok",
        "user": "bob",
        "new": True,
        "at_login": True,
    }
    assert states(cli) == {"alice": "pending", "bob": "pending"}
    assert cli.json("user", "show", "alice")["credentials"] == []
    assert cli("verify", "alice", "123456").code == exit_code("pending")
    [event] = [one for one in cli.json("audit")["events"] if one["event"] == "user-invited"][:1]
    assert event["user"] == "alice"
    cli.add("alice")  # an admin may still do it here and now
    assert states(cli) == {"alice": "active", "bob": "pending"}


def test_who_is_there_already_is_not_invited(cli: Cli, device: str) -> None:
    cli.add("alice")
    done = cli("user", "add", "alice", "--at-login")
    assert done.code == exit_code("exists") and "reset" in done.err
    assert states(cli) == {"alice": "active"}


@pytest.mark.parametrize(
    "words",
    [
        ("--credential", "tablet"),
        ("--kind", "hotp"),
        ("--kind", "totp"),
        ("--counter", "0"),
        ("--digits", "8"),
        ("--interval", "60"),
        ("--window", "0"),
        ("--algorithm", "SHA1"),
        ("--label", "l"),
        ("--issuer", "i"),
        ("--import-secret", "-"),
        ("--qr-file", "x.png"),
        ("--show-uri",),
        ("--on-device",),
        ("--no-confirm",),
        ("--recovery",),
    ],
    ids=lambda words: words[0][2:],
)
def test_nothing_else_can_be_asked_for_then(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli("user", "add", "alice", "--at-login", *words)
    assert done.code == 2 and "--at-login" in done.err  # before any device is looked for


def test_the_setting(cli: Cli, device: str) -> None:
    assert cli.json("settings")["enrol_at_login"] is True
    assert cli.json("settings", "set", "--no-enrol-at-login")["enrol_at_login"] is False
    assert "enrol at login      nobody" in cli.ok("settings").out
    done = cli.ok("user", "add", "alice", "--at-login")
    assert "settings set --enrol-at-login" in done.err and states(cli) == {"alice": "pending"}
    assert "enrol at login      users who are" in cli.ok("settings", "set", "--enrol-at-login").out
    assert cli.ok("user", "add", "bob", "--at-login").err == ""


def test_every_status_has_a_pam_code() -> None:
    codes = {status: pam_code(status) for status in STATUSES}
    assert [status for status, code in codes.items() if code == "SUCCESS"] == ["accepted"]
    assert [status for status, code in codes.items() if code == "IGNORE"] == ["not-required"]
    verdicts = {
        "rejected": "AUTH_ERR",
        "replayed": "CRED_EXPIRED",
        "throttled": "MAXTRIES",
        "clock-unset": "CRED_UNAVAIL",
        "unknown-user": "USER_UNKNOWN",
        "disabled": "PERM_DENIED",
        "malformed": "CRED_ERR",
        "pending": "CRED_INSUFFICIENT",
        "expired": "ACCT_EXPIRED",
        "internal": "SYSTEM_ERR",
        "config": "SERVICE_ERR",
    }
    others = codes.keys() - verdicts.keys() - {"accepted", "not-required"}
    assert {status: codes[status] for status in verdicts} == verdicts
    assert {codes[status] for status in others} == {"AUTHINFO_UNAVAIL"}
    assert pam_code("no such status") == "SYSTEM_ERR"
