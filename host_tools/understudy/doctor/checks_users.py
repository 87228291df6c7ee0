# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who is covered, and would be locked out."""

import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.configuration import Configuration
from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING, Finding, Host, names
from understudy.statuses import explain
from understudy_device.errors import UnderstudyError

_NO_SHELLS = ("nologin", "false", "sync", "shutdown", "halt", "git-shell")
_FIELDS = 7  # of a line of passwd(5)
_MOST_NAMES = 500  # that the name service is asked about
_LISTED = ("files", "compat", "systemd")  # sources of nsswitch.conf(5) whose people are in /etc/passwd

StateOf = Callable[[str], Mapping[str, Any]]  # the device's user_state; raises its errors


def people(host: Host) -> list[str]:
    """The users of the machine who have a shell to log in to."""
    return _with_shell(host.text("/etc/passwd") or "")


def _with_shell(lines: str) -> list[str]:
    """Names, out of lines of passwd(5)."""
    return [one[0] for one in accounts(lines) if one[6].rpartition("/")[2] not in _NO_SHELLS]


def accounts(lines: str) -> list[list[str]]:
    """The fields of those lines of passwd(5) that are whole."""
    return [fields for line in lines.splitlines() if len(fields := line.split(":")) == _FIELDS]


@dataclass(frozen=True)
class Everybody:
    """`users`: who can log in, as far as that can be told; `strange`: what the configuration names and the
    system does not know; `unlisted`: sources of users who can't be listed, and may be covered."""

    users: list[str]
    strange: list[str]
    unlisted: list[str]


def everybody(host: Host, configuration: Configuration) -> Everybody:
    """The machine's users, and of a directory's those whom the configuration names, by themselves or by a
    group that lists them as members."""
    cover = configuration.cover
    wanted = [*cover.users, *cover.except_users, *configuration.emergency.users]
    groups = _looked_up(host, "group", [*cover.groups, *cover.except_groups])
    members = [name for line in groups or () for name in line[-1].split(",") if name]
    found = _looked_up(host, "passwd", [*wanted, *members])
    strange = []
    if found is not None:
        strange = [f"user {name}" for name in wanted if name not in {line[0] for line in found}]
    if groups is not None:
        named = [*cover.groups, *cover.except_groups]
        strange += [f"group {name}" for name in named if name not in {line[0] for line in groups}]
    by_name = _with_shell("\n".join(":".join(line) for line in found or ()))
    open_ended = bool(cover.groups) or not cover.users
    return Everybody(
        list(dict.fromkeys([*people(host), *by_name])),
        list(dict.fromkeys(strange)),
        directories(host) if open_ended else [],
    )


def _looked_up(host: Host, database: str, keys: Sequence[str]) -> list[list[str]] | None:
    """The lines that the name service has for `keys`, split; None when it can't be asked. getent(1)."""
    if not keys:
        return []
    ran = host.run(["getent", database, "--", *dict.fromkeys(keys[:_MOST_NAMES])])
    # 2: it does not know all of them.
    return (
        [line.split(":") for line in ran.out.splitlines()] if ran is not None and ran.code in (0, 2) else None
    )


def directories(host: Host) -> list[str]:
    """Where users come from that the machine's own files do not list. nsswitch.conf(5)."""
    for line in (host.text("/etc/nsswitch.conf") or "").splitlines():
        name, _, sources = line.partition("#")[0].partition(":")
        if name.strip() == "passwd":
            return [one for one in sources.split() if one[0] != "[" and one not in _LISTED]
    return []


def check_names(found: Everybody) -> list[Finding]:
    """Of whom nothing can be told."""
    findings = []
    if found.strange:
        what = f"The configuration names {names(found.strange)}, and the system knows none of that name."
        why = "A name that is misspelt covers nobody, and excepts nobody."
        kind, _, name = found.strange[0].partition(" ")
        mend = f"getent {'passwd' if kind == 'user' else kind} {shlex.quote(name)}"
        findings.append(Finding("cover-unknown", WARNING, what, why, mend))
    if found.unlisted:
        what = f"Users who come from {names(found.unlisted)} can't be listed."
        why = "Looked at are those whom the configuration names, and who are listed as members of its groups."
        findings.append(Finding("users-unlisted", HINT, what, why))
    return findings


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
