# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the doctor looks at on this machine, and how it is told. It loads all of the broker."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from understudy.accounts import groups_of
from understudy.broker_client import status as broker_status
from understudy.cli import text
from understudy.cli.connect import connected, known_identity
from understudy.cli.options import Options
from understudy.cli.output import Answer, note
from understudy.client import Client
from understudy.configuration import Configuration, Device, load, usual_path
from understudy.configuration_file import load_marked
from understudy.discovery import candidates
from understudy.doctor.checks_device import Told
from understudy.doctor.checks_login import login_services
from understudy.doctor.checks_users import StateOf, covered, everybody
from understudy.doctor.examine import Seen, examine, worst
from understudy.doctor.findings import OK, Finding, Host
from understudy.doctor.rehearse import Met, RehearsalDesk, Scene, rehearse, through_broker
from understudy.doctor.rehearse_pam import through_pam
from understudy.doctor.stacks import says_enrol
from understudy.host_clock import is_synchronised
from understudy.identity import Identity, load_identity
from understudy.statuses import explain
from understudy_device.errors import ConfigError, NotYours, UnderstudyError

_HALF = 0.5  # seconds: the device tells whole ones
_PLAIN_SERVICES = ("sshd", "login", "sudo")  # when no stack has the module yet


def diagnosed(options: Options) -> Answer:
    """All findings."""
    with _device(options) as (device, told, role):
        return _examined(options, told, role, _States(device))


def rehearsed(options: Options, situation: str) -> Answer:
    """What each covered user would meet."""
    with _device(options) as (device, _told_of, _role):
        return _rehearsed(situation, _States(device))


class _States:
    """The device's `user_state`, asked once for each user."""

    def __init__(self, device: Client | UnderstudyError) -> None:
        self._device = device
        self._known: dict[str, Mapping[str, Any]] = {}

    def __call__(self, user: str) -> Mapping[str, Any]:
        """Raises the device's errors."""
        if isinstance(self._device, UnderstudyError):
            raise self._device
        if user not in self._known:
            self._known[user] = self._device.request("user_state", user=user)
        return self._known[user]


@contextmanager
def _device(
    options: Options,
) -> Iterator[tuple[Client | UnderstudyError, Told | UnderstudyError, str | None]]:
    """The device while inside, what it tells, and the role of who asks; errors in their place."""
    opened = False
    try:
        identities = _identities(options)
        absent = "None of the devices found is paired with this host; see `understudy devices`."
        known = {device for one in identities for device in one.devices}
        with connected(options, lambda hello: hello.device in known, absent) as connection:
            identity = _paired(identities, connection.hello.device)
            client = Client(connection, identity, options.seconds)
            told = _told(client, connection.hello.state)
            opened = True
            yield client, told, identity.devices[connection.hello.device].role
    except UnderstudyError as error:
        if opened:
            raise
        yield error, error, None


def _identities(options: Options) -> list[Identity]:
    """This host's identity, and the broker's for who may read it: a verifier may ask all that is asked."""
    found = []
    if options.identity is not None or options.identity_path.exists():
        found.append(known_identity(options))
    with suppress(ConfigError):
        settings = load(usual_path()).device
        try:
            found.append(load_identity(settings.identity))
        except (UnderstudyError, OSError):
            if not found:
                raise
    return found or [known_identity(options)]


def _paired(identities: Sequence[Identity], device: str) -> Identity:
    """The first one that is paired with `device`. NotYours."""
    for one in identities:
        if device in one.devices:
            return one
    names = " or ".join(str(one.path) for one in identities)
    raise NotYours(f"The device {device} is not paired with {names}.")


def _told(client: Client, state: str) -> Told:
    """What the device tells; `state`: of its hello."""
    client.open()  # first: it takes a while, and would blur the comparison
    before, started = time.time(), time.monotonic()
    clock = client.request("clock_show")
    trip = time.monotonic() - started
    offset = None if clock["time"] is None else clock["time"] + _HALF - before - trip / 2
    return Told(state, client.request("status"), clock, offset, trip / 2 + _HALF)


def _examined(options: Options, told: Told | UnderstudyError, role: str | None, states: StateOf) -> Answer:
    found = examine(_seen(options, told, role, states))
    fields = {"findings": [asdict(one) for one in found]}
    status = "findings" if worst(found) else "ok"
    return Answer(fields, "\n".join(_lines(found)), status)


def _seen(options: Options, told: Told | UnderstudyError, role: str | None, states: StateOf) -> Seen:
    path = usual_path()
    configuration, mark = _loaded(path)
    device = configuration.device if isinstance(configuration, Configuration) else Device()
    broker: Mapping[str, Any] | UnderstudyError = UnderstudyError("There is no configuration.")
    if isinstance(configuration, Configuration):
        try:
            broker = broker_status(configuration.broker.socket)
        except UnderstudyError as error:
            broker = error
    has = broker.get("port") if not isinstance(broker, UnderstudyError) else None
    known, brokers_role = _brokers_role(device, told)
    return Seen(
        Host(),
        path,
        configuration,
        broker,
        has or options.port_url or device.port or next(iter(candidates()), None),
        told,
        brokers_role if known else role,
        known,
        states,
        groups_of,
        is_synchronised(),
        mark,
        os.getpid(),
        os.geteuid() == 0,
    )


def _loaded(path: Path) -> tuple[Configuration | ConfigError, str]:
    """What is in the file, or why it can't be used; its mark."""
    try:
        return load_marked(path)
    except ConfigError as error:
        return error, ""


def _brokers_role(device: Device, told: Told | UnderstudyError) -> tuple[bool, str | None]:
    """Whether the broker's own key can be looked at, and its role at the device, None: not paired."""
    if isinstance(told, UnderstudyError):
        return False, None
    try:
        paired = load_identity(device.identity).devices.get(told.status["device"])
    except (UnderstudyError, OSError):
        return False, None
    return True, paired.role if paired is not None else None


_MARKS = {"ok": "ok      ", "hint": "hint    ", "warning": "WARNING ", "problem": "PROBLEM "}


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    """A line for each finding, and below what is not as it should be why it matters and what mends it."""
    for one in found:
        yield _MARKS[one.severity] + one.what
        if one.severity != OK:
            yield from (
                f"        {line}" for line in (one.why, f"$ {one.command}" if one.command else "") if line
            )


def _rehearsed(situation: str, states: StateOf) -> Answer:
    host, configuration = Host(), load(usual_path())
    users = covered(everybody(host, configuration).users, configuration, groups_of)
    scene = Scene(situation, configuration, states, groups_of)
    met = _played(host, scene, users)
    fields: dict[str, Any] = {"situation": situation, "logins": [asdict(one) for one in met]}
    shown = _table(met) if met else "Nobody is covered."
    if scene.later is not None:
        later, most = _played(host, scene.later, users), configuration.upstream.max_silence
        fields["later"] = {"seconds": most, "logins": [asdict(one) for one in later]}
        shown += f"\n\nOnce the 2FA server was silent for {most:g} s (max_silence):\n{_table(later)}"
        met += later
    return Answer(fields, shown, "ok" if all(one.is_well for one in met) else "findings")


def _table(met: Sequence[Met]) -> str:
    rows = [(one.user, one.service, one.outcome, one.by, one.message) for one in met]
    return text.table(("user", "service", "meets", "by", "told"), rows)


def _played(host: Host, scene: Scene, users: Sequence[str]) -> list[Met]:
    """What is met, through PAM if that can be."""
    asking = login_services(host)
    services = asking or list(_PLAIN_SERVICES)
    desk = RehearsalDesk(scene)
    if asking and os.geteuid() == 0:
        try:
            with through_pam(host, desk, services) as attempt:
                return rehearse(scene.situation, users, services, attempt, scene.is_late)
        except (UnderstudyError, OSError) as error:
            why = explain(error) if isinstance(error, UnderstudyError) else error.strerror
            note(f"PAM is left out of the rehearsal: {why}")
    attempt = through_broker(desk, lambda service: not asking or says_enrol(host, service))
    return rehearse(scene.situation, users, services, attempt, scene.is_late)
