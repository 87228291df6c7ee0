# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Taking a set-up back: every file as it was, sshd and the broker told, and no trace left in PAM."""

from collections.abc import Callable, Iterator
from pathlib import Path

from understudy.broker_client import reload_broker
from understudy.configuration import USUAL, Broker, load
from understudy.doctor.findings import Host
from understudy.setup import pending
from understudy.setup.changes import Changes
from understudy.setup.pam_lines import without_lines
from understudy.setup.system import System
from understudy_device.errors import ConfigError, UnderstudyError

_MODULE = "pam_understudy"
_SSH = "/etc/ssh/"
_PAM = "/etc/pam.d/"
_COMMON = f"{_PAM}common-"
_REMOVE = ("pam-auth-update", "--package", "--remove", "understudy")


def take_back(
    folder: Path,
    system: System,
    host: Host,
    *,
    only_if: Callable[[Changes], bool] = lambda changes: True,
    tells_sshd: bool = True,
) -> list[str] | None:
    """Take back all that the notes in `folder` tell of, if `only_if` still holds once nobody else is at it.

    None when it did not; else sentences about what is not as it was. UnderstudyError when some of it could
    not be done: the notes stay then, and it can be tried again. `tells_sshd`: whether it may be running.
    """
    with pending.alone(folder):
        changes = Changes(folder)
        if not only_if(changes):
            return None
        socket = _socket()
        said, failed = changes.take_back(without_lines)
        if any(path.startswith(_COMMON) for path in changes.changes) and _traces(host, _COMMON):
            # Somebody has had it make these files anew since; it knows what is whose.
            host.run(["env", "DEBIAN_FRONTEND=noninteractive", *_REMOVE])
        for step in _told(changes, system, socket, tells_sshd):
            try:
                step()
            except (UnderstudyError, OSError) as error:
                failed.append(str(error))
        if changes.units and traces(host):
            said.append("The broker goes on, as others ask it.")
        else:
            said += system.restore(list(changes.units.values()))
        if failed:
            raise UnderstudyError("\n".join([*failed, f"The files as they were are in {folder}."]))
        try:
            changes.forget()
        except OSError as error:
            raise UnderstudyError(f"{folder} can't be removed: {error.strerror}.") from error
    return said + traces(host)


def _told(changes: Changes, system: System, socket: Path, tells_sshd: bool) -> Iterator[Callable[[], object]]:
    """Who is to hear of it."""
    if tells_sshd and any(path.startswith(_SSH) for path in changes.changes):
        yield system.reload_sshd
    if str(USUAL) in changes.changes:
        yield lambda: reload_broker(socket)


def _socket() -> Path:
    """Where the broker is, by the configuration that is taken back."""
    try:
        return load(USUAL).broker.socket
    except ConfigError:
        return Broker().socket


def traces(host: Host) -> list[str]:
    """A sentence for each of PAM's files that still names the module."""
    return [
        f"{path} asks {_MODULE}; those lines are not of `understudy setup`." for path in _traces(host, _PAM)
    ]


def _traces(host: Host, prefix: str) -> list[str]:
    found = []
    for path in sorted(host.path(_PAM).glob("*")):
        text = host.text(f"{_PAM}{path.name}") or ""
        if any(_MODULE in line.partition("#")[0] for line in text.splitlines()):
            found.append(f"{_PAM}{path.name}")
    return [one for one in found if one.startswith(prefix)]


def outcome(said: list[str]) -> str:
    """What to tell of it."""
    if not said:
        return "Everything on this machine is as it was."
    return "\n".join(["Of this machine everything is as it was, but:", *(f"  {one}" for one in said)])
