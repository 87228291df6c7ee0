# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who is covered, and would be locked out."""

import shlex
from collections.abc import Callable, Collection, Mapping
from typing import Any

from understudy.configuration import Configuration
from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING, Finding, Host, names
from understudy.statuses import explain
from understudy_device.errors import UnderstudyError

_NO_SHELLS = ("nologin", "false", "sync", "shutdown", "halt", "git-shell")
_FIELDS = 7  # of a line of passwd(5)

StateOf = Callable[[str], Mapping[str, Any]]  # the device's user_state; raises its errors


def people(host: Host) -> list[str]:
    """The users of the machine who have a shell to log in to."""
    found = []
    for line in (host.text("/etc/passwd") or "").splitlines():
        fields = line.split(":")
        if len(fields) == _FIELDS and fields[6].rpartition("/")[2] not in _NO_SHELLS:
            found.append(fields[0])
    return found


def covered(
    users: Collection[str], configuration: Configuration, groups_of: Callable[[str], Collection[str]]
) -> list[str]:
    """Those of `users` who are asked for a code."""
    return [user for user in users if configuration.mfa and configuration.is_covered(user, groups_of)]


def check_users(users: Collection[str], configuration: Configuration, state_of: StateOf) -> list[Finding]:
    """`users`: who is covered."""
    if not users:
        return [Finding("users", WARNING, "Nobody who can log in is covered.", "Nobody is asked for a code.")]
    kinds: dict[str, list[str]] = {}
    for user in users:
        try:
            kinds.setdefault(_kind(state_of(user)), []).append(user)
        except UnderstudyError as error:
            why = "So who would be locked out is not known."
            return [Finding("users", HINT, f"The device does not say who is enrolled: {explain(error)}", why)]
    return [_finding(kind, kinds[kind], configuration) for kind in sorted(kinds)]


def _kind(state: Mapping[str, Any]) -> str:
    if state["state"] in ("disabled", "expired", "unknown", "clock-unset"):
        return str(state["state"])
    if not state["usable"]:
        return "pending" if state["state"] == "pending" else "unconfirmed"
    return "waiting" if state["wait"] else "enrolled"


def _finding(kind: str, users: list[str], configuration: Configuration) -> Finding:
    who = f"{names(users)} {'is' if len(users) == 1 else 'are'}"
    name = f"users-{kind}"
    if kind == "enrolled":
        return Finding(name, OK, f"{who} covered and enrolled.")
    if kind == "waiting":
        return Finding(
            name,
            HINT,
            f"{who} made to wait after wrong codes.",
            "Somebody may be guessing.",
            "understudy audit",
        )
    if kind == "clock-unset":
        why = "They have dates, and the device does not know the time."
        return Finding(
            name, PROBLEM, f"{who} covered, and can't log in.", why, "understudy clock set --from-host"
        )
    if kind in ("disabled", "expired"):
        mend = f"understudy user show {shlex.quote(users[0])}"
        return Finding(name, HINT, f"{who} covered, and {kind} on the device.", "They can't log in.", mend)
    severity, why, mend = _locked_out(kind, users[0], configuration)
    return Finding(name, severity, f"{who} covered, and {_MISSING[kind]}.", why, mend)


_MISSING = {
    "unknown": "not on the device",
    "pending": "to enrol first",
    "unconfirmed": "without a credential that was confirmed",
}


def _locked_out(kind: str, user: str, configuration: Configuration) -> tuple[str, str, str]:
    """Severity, why, and what mends it, of users without a code."""
    name = shlex.quote(user)
    mend = {
        "unknown": f"understudy user add {name} --at-login",
        "pending": f"understudy user reset {name}",
        "unconfirmed": f"understudy user reset {name}",
    }[kind]
    if configuration.login.nullok:
        return WARNING, "They get in without a code, as nullok is on.", mend
    if kind == "pending" and configuration.login.enrol:
        return HINT, "They enrol at their next login.", ""
    if configuration.upstream.kind is not None:
        return WARNING, "When the 2FA server is away they can't log in.", mend
    return PROBLEM, "They can't log in.", mend
