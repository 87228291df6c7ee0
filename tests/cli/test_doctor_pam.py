# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the doctor says of PAM's stacks and of sshd's settings."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.cli.made_host import Made, by_id, severities

from understudy.doctor.checks_login import check_stacks, covered_services
from understudy.doctor.checks_sshd import check_sshd, demands_key, read_settings
from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING, Host, Ran
from understudy.doctor.sshd_match import settings_of
from understudy.doctor.stacks import says_enrol
from understudy.paths import etc_dir

# Debian's, as pam-auth-update makes them.
COMMON = {
    "common-auth": """\
auth [success=1 default=ignore] pam_unix.so nullok
auth requisite pam_deny.so
auth required pam_permit.so
auth optional pam_cap.so
""",
    "common-account": """\
account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so
""",
    "common-session": "session required pam_unix.so\n",
    "common-session-noninteractive": "session required pam_unix.so\n",
    "common-password": "password required pam_unix.so\n",
}
ACCOUNT = "account required pam_understudy.so\n"
UNIX = "auth requisite pam_unix.so\n"
OURS = "auth required pam_understudy.so\n"
SHIPPED = ("sshd-password", "sshd-key", "sudo", "su", "login")
GOOD = {"pam-module": OK, "pam-order": OK}


class Pam(Made):
    """A machine with the module and Debian's shared files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.write("/usr/lib/x86_64-linux-gnu/security/pam_understudy.so")
        for name, text in COMMON.items():
            self.service(name, text)

    def service(self, name: str, text: str) -> None:
        self.write(f"/etc/pam.d/{name}", text)

    def found(self, text: str, name: str = "test", ssh_demands_key: bool = False) -> dict[str, str]:
        """The findings about one service's stack."""
        self.service(name, text)
        return severities(check_stacks(self.host, ssh_demands_key))


@pytest.fixture
def pam(tmp_path: Path) -> Pam:
    return Pam(tmp_path)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_stacks_that_are_shipped_are_good(pam: Pam, name: str) -> None:
    text = (etc_dir() / "pam" / name).read_text()
    exempt = {"pam-exempt": HINT} if name == "su" else {}
    assert pam.found(text) == ({"pam-module": OK, **exempt} if exempt else GOOD)
    assert says_enrol(pam.host, "test")


def test_the_profile_of_pam_auth_update_reaches_every_service(pam: Pam) -> None:
    ours = "auth [success=1 default=ignore] pam_understudy.so enrol\nauth requisite pam_deny.so\n"
    pam.service("common-auth", COMMON["common-auth"] + ours)
    pam.service("common-account", COMMON["common-account"] + ACCOUNT)
    for name in ("sshd", "cron"):
        pam.service(name, "@include common-auth\n@include common-account\n")
    pam.service("other.dpkg-old", "@include common-auth\n")
    assert covered_services(pam.host) == ["cron", "sshd"]
    # Who needs no code is refused here; the profile itself has ignore=1.
    assert severities(check_stacks(pam.host, False))["pam-not-required"] == WARNING


def test_no_service_and_no_module(pam: Pam) -> None:
    assert severities(check_stacks(pam.host, False)) == {"pam": WARNING}
    pam.host.path("/usr/lib/x86_64-linux-gnu/security/pam_understudy.so").unlink()
    assert pam.found(UNIX + OURS + ACCOUNT) == {"pam-module": PROBLEM}


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (UNIX + "auth required pam_understudy.so enrol\n", GOOD),
        ("auth required pam_unix.so\nauth required pam_understudy.so\n", GOOD),
        # With required, a wrong password goes on to the module.
        ("auth required pam_unix.so\nauth required pam_understudy.so enrol\n", {"pam-enrol": PROBLEM}),
        ("auth sufficient pam_unix.so\n" + OURS, {"pam-order": PROBLEM, "pam-alone": PROBLEM}),
        (UNIX + "auth optional pam_understudy.so\n", {"pam-ignored": PROBLEM}),
        (UNIX + "auth sufficient pam_understudy.so\n", {"pam-ignored": PROBLEM}),
        (UNIX + "auth [auth_err=die default=ignore] pam_understudy.so\n", {"pam-ignored": PROBLEM}),
        ("auth sufficient pam_understudy.so\n" + UNIX, {"pam-ignored": PROBLEM, "pam-alone": PROBLEM}),
        (OURS, {"pam-alone": PROBLEM, "pam-not-required": WARNING}),
        ("auth required pam_understudy.so enrol\n" + UNIX, {"pam-enrol": PROBLEM}),
        (UNIX + "auth requisite pam_deny.so\nauth required pam_understudy.so\n", {"pam-shut": PROBLEM}),
        (UNIX + "auth required pam_understudy.so\nauth required pam_deny.so\n", {"pam-shut": PROBLEM}),
        (
            "auth [success=1 default=ignore] pam_unix.so\nauth [default=die] pam_faillock.so authfail\n"
            "auth sufficient pam_faillock.so authsucc\nauth required pam_understudy.so\n",
            {"pam-order": PROBLEM},
        ),
        ("auth sufficient pam_rootok.so\n" + UNIX + OURS, {"pam-exempt": HINT}),
        ("auth substack common-auth\nauth required pam_understudy.so enrol\n", {"pam-enrol": PROBLEM}),
        ("auth include common-auth\nauth \\\n required pam_understudy.so enrol # more\n", GOOD),
        ("-auth sufficient /lib/pam_sss.so\n" + UNIX + OURS, {"pam-order": PROBLEM}),
    ],
)  # fmt: skip
def test_stacks(pam: Pam, auth: str, expected: dict[str, str]) -> None:
    assert pam.found(auth + ACCOUNT) == {"pam-module": OK, **expected}


def test_an_account_line_is_missed(pam: Pam) -> None:
    auth = UNIX + OURS
    assert pam.found(auth) == {"pam-module": OK, "pam-account": WARNING}


def test_a_key_that_sshd_demands_is_a_first_factor(pam: Pam) -> None:
    text = "auth required pam_understudy.so enrol\nauth required pam_permit.so\n" + ACCOUNT
    assert pam.found(text, "sshd") == {"pam-module": OK, "pam-alone": PROBLEM, "pam-enrol": PROBLEM}
    assert pam.found(text, "sshd", ssh_demands_key=True) == GOOD


# sshd.

SETTINGS = {
    "usepam": "yes",
    "kbdinteractiveauthentication": "yes",
    "passwordauthentication": "no",
    "pubkeyauthentication": "yes",
    "authenticationmethods": "keyboard-interactive:pam",
}


def sshd(asks: bool = True, **changed: str) -> dict[str, str]:
    return severities(check_sshd({**SETTINGS, **changed}, asks))


def test_sshd() -> None:
    assert sshd() == {"sshd": OK}
    assert sshd(authenticationmethods="publickey,keyboard-interactive") == {"sshd": OK}
    assert sshd(asks=False) == {"sshd": WARNING}
    assert sshd(usepam="no") == {"sshd-pam": PROBLEM}
    assert sshd(kbdinteractiveauthentication="no") == {"sshd-kbdint": PROBLEM}
    assert sshd(authenticationmethods="any") == {"sshd-methods": WARNING}
    assert sshd(authenticationmethods="any", pubkeyauthentication="no") == {"sshd": OK}
    assert sshd(authenticationmethods="publickey keyboard-interactive") == {"sshd-methods": WARNING}
    both = sshd(authenticationmethods="any", passwordauthentication="yes")
    assert both == {"sshd-methods": WARNING, "sshd-password": WARNING}
    alone = sshd(authenticationmethods="publickey")
    assert alone == {"sshd-methods": WARNING, "sshd-unasked": PROBLEM}
    assert severities(check_sshd(None, True)) == {"sshd": OK}
    assert severities(check_sshd("no hostkeys available", True)) == {"sshd": HINT}


LAN = {**SETTINGS, "authenticationmethods": "publickey keyboard-interactive:pam"}


def test_what_sshd_has_for_some_users() -> None:
    alone = {**SETTINGS, "authenticationmethods": "publickey"}
    no_pam = {**SETTINGS, "usepam": "no"}
    of_users = [("alice", "", SETTINGS), ("bob", "", alone), ("carol", "", no_pam), ("dave", "", "no")]
    of_users += [("alice", "10.0.0.1", alone), ("bob", "10.0.0.1", alone)]
    found = by_id(check_sshd(SETTINGS, True, of_users))
    assert {name: one.severity for name, one in found.items()} == {
        "sshd-methods-match": PROBLEM,  # bob, wherever he comes from
        "sshd-unasked-match": PROBLEM,
        "sshd-pam-match": PROBLEM,
        "sshd-match": HINT,
    }
    what = "For bob, alice from 10.0.0.1, covered: sshd lets in by publickey alone (AuthenticationMethods)."
    assert found["sshd-methods-match"].what == what
    (from_there,) = check_sshd(SETTINGS, True, [("alice", "", SETTINGS), ("alice", "10.0.0.1", LAN)])
    assert (from_there.id, from_there.severity) == ("sshd-methods-match", WARNING)  # that may be meant
    assert severities(check_sshd(alone, True, [("bob", "", alone)])) == severities(check_sshd(alone, True))
    key = {**SETTINGS, "authenticationmethods": "publickey,keyboard-interactive:pam"}
    assert demands_key(key, [("bob", "", alone)]) and not demands_key(key, [("alice", "", SETTINGS)])


def test_whom_sshd_is_asked_about(pam: Pam) -> None:
    asked: list[str] = []

    def run(words: Sequence[str]) -> Ran | None:
        asked.append(words[-1].split(",laddr")[0])
        return Ran(0, "usepam yes\n")

    host = Host(pam.host.root, pam.host.proc, run)
    pam.write("/usr/sbin/sshd")
    pam.write("/etc/ssh/sshd_config", "Include sshd_config.d/*.conf\n#Match User x\n")
    assert settings_of(host, ["alice"]) == ((), 0) and asked == []
    pam.write(
        "/etc/ssh/sshd_config.d/a.conf", 'match user bob Address "!10.0.0.1,192.0.2.64/26,2001:db8::*"\n'
    )
    found, left_out = settings_of(host, ["alice", "b,c", *(f"user{number}" for number in range(60))])
    assert [one[:2] for one in found[:2]] == [("alice", ""), ("alice", "192.0.2.65")] and left_out == 12
    assert asked[0] == "user=alice,host=192.0.2.1,addr=192.0.2.1" and len(asked) == 150


def test_what_comes_before_pam_at_sshd() -> None:
    assert demands_key({**SETTINGS, "authenticationmethods": "publickey,keyboard-interactive:pam"})
    assert not demands_key(SETTINGS)
    both = "publickey,keyboard-interactive keyboard-interactive"
    assert not demands_key({**SETTINGS, "authenticationmethods": both})
    assert not demands_key(None) and not demands_key("why")


def test_reading_sshds_settings(pam: Pam) -> None:
    asked: list[Sequence[str]] = []

    def run(words: Sequence[str]) -> Ran | None:
        asked.append(words)
        return Ran(0, "usepam yes\nauthenticationmethods publickey,keyboard-interactive:pam\n")

    host = Host(pam.host.root, pam.host.proc, run)
    assert read_settings(host) is None and asked == []
    pam.write("/usr/sbin/sshd")
    assert read_settings(host) == {
        "usepam": "yes",
        "authenticationmethods": "publickey,keyboard-interactive:pam",
    }
    assert asked == [[str(pam.host.path("/usr/sbin/sshd")), "-T"]]
    failing = Host(pam.host.root, pam.host.proc, lambda words: Ran(1, "", "x\nno hostkeys available\n"))
    assert read_settings(failing) == "no hostkeys available"
