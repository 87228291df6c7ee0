# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""All checks, in the order in which a login depends on what they look at."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.configuration import Configuration
from understudy.configuration import Upstream as UpstreamSettings
from understudy.doctor import certificate
from understudy.doctor.checks_broker import (
    check_broker,
    check_certificate,
    check_configuration,
    check_upstream,
)
from understudy.doctor.checks_device import Told, check_device, check_role
from understudy.doctor.checks_host import check_port
from understudy.doctor.checks_login import check_stacks, covered_services
from understudy.doctor.checks_sshd import check_sshd, demands_key, read_settings
from understudy.doctor.checks_users import StateOf, check_names, check_users, covered, everybody
from understudy.doctor.findings import HINT, PROBLEM, Finding, Host
from understudy.doctor.sshd_match import settings_of
from understudy.statuses import explain
from understudy_device.errors import ConfigError, UnderstudyError

GroupsOf = Callable[[str], Collection[str]]
DaysLeft = Callable[[str, int, Path | None, bool], float | str]

_MENDS = {
    "unclaimed": "understudy claim",
    "not-paired": "understudy pair --new-identity verifier.json --role verifier",
    "not-yours": "understudy devices",
    "identity": "understudy pair --help",
    "damaged": "understudy factory-reset",
}


@dataclass(frozen=True)
class Seen:
    """What there is to look at, each as far as it could be had, or the error in its place.

    `port`: where the device should be; `role`: of the identity that the broker has, or else that asks;
    `mark`: of the configuration's file; `own_pid`, `is_root`: of who looks.
    """

    host: Host
    path: Path
    configuration: Configuration | ConfigError
    broker: Mapping[str, Any] | UnderstudyError
    port: str | None
    device: Told | UnderstudyError
    role: str | None
    is_broker_role: bool
    state_of: StateOf
    groups_of: GroupsOf
    host_synchronised: bool
    mark: str
    own_pid: int
    is_root: bool
    days_left: DaysLeft = certificate.days_left


def examine(seen: Seen) -> list[Finding]:
    """All there is to find."""
    broker = seen.broker if not isinstance(seen.broker, UnderstudyError) else None
    pid = None if broker is None else int(broker["pid"])
    found = check_port(seen.host, seen.port, pid, seen.own_pid, seen.is_root)
    found += _device(seen)
    found += check_configuration(seen.path, seen.configuration)
    if isinstance(seen.configuration, Configuration):
        found += check_broker(seen.broker, seen.path, seen.mark)
        found += check_upstream(broker, seen.configuration)
        found += _certificate(seen.configuration.upstream, seen.days_left)
    if not isinstance(seen.configuration, Configuration) or not seen.configuration.mfa:
        return found + _logins(seen.host, ())
    there = everybody(seen.host, seen.configuration)
    users = covered(there.users, seen.configuration, seen.groups_of)
    found += _logins(seen.host, users)
    return found + check_names(there) + check_users(users, seen.configuration, seen.state_of)


def worst(found: Sequence[Finding]) -> bool:
    """Whether there is a problem among them."""
    return any(one.severity == PROBLEM for one in found)


def _device(seen: Seen) -> list[Finding]:
    if isinstance(seen.device, UnderstudyError):
        status = seen.device.status
        if status == "identity" and not seen.is_root:
            why = "What the device tells can't be looked at; the broker's key is root's to read."
            what = f"The device was not asked: {explain(seen.device)}"
            return [Finding("device", HINT, what, why, "sudo understudy doctor")]
        why = "What a device does not tell can't be looked at; while it is so, it judges no code."
        mend = _MENDS.get(status, "understudy devices")
        return [Finding("device", PROBLEM, f"The device does not answer: {explain(seen.device)}", why, mend)]
    role = check_role(seen.role, seen.is_broker_role)
    return [*check_device(seen.device, seen.host_synchronised), role]


def _certificate(settings: UpstreamSettings, days_left: DaysLeft) -> list[Finding]:
    address = certificate.address_of(settings.url or "") if settings.kind is not None else None
    if address is None:
        return []
    days = days_left(*address, settings.ca_file, settings.verify)
    return [check_certificate(f"{address[0]}:{address[1]}", days, settings.verify)]


def _logins(host: Host, users: Sequence[str]) -> list[Finding]:
    settings = read_settings(host)
    of_users, left_out = settings_of(host, users)
    found = check_stacks(host, demands_key(settings, of_users))
    found += check_sshd(settings, "sshd" in covered_services(host), of_users)
    if left_out:
        what = f"For {left_out} of {len(users)} covered users sshd's Match blocks were not looked at."
        found.append(Finding("sshd-left-out", HINT, what, "They may lead round the code."))
    return found
