# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Taking a set-up back: every file as it was, sshd and the broker told, and no trace left in PAM."""

from collections.abc import Callable
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
        said = changes.take_back(without_lines)
        if tells_sshd and any(path.startswith(_SSH) for path in changes.changes):
            system.reload_sshd()
        if str(USUAL) in changes.changes:
            reload_broker(socket)
        if any(one.startswith("/etc/pam.d/common-") for one in traces(host)):
            # Somebody has had it make these files anew since; it knows what is whose.
            host.run(["env", "DEBIAN_FRONTEND=noninteractive", *_REMOVE])
        if changes.units and traces(host):
            said.append("The broker goes on, as others ask it.")
        else:
            said += system.restore(list(changes.units.values()))
        try:
            changes.forget()
        except OSError as error:
            raise UnderstudyError(f"{folder} can't be removed: {error.strerror}.") from error
    return said + traces(host)


def _socket() -> Path:
    """Where the broker is, by the configuration that is taken back."""
    try:
        return load(USUAL).broker.socket
    except ConfigError:
        return Broker().socket


def traces(host: Host) -> list[str]:
    """A sentence for each of PAM's files that still names the module."""
    found = []
    for path in sorted(host.path("/etc/pam.d").glob("*")):
        text = host.text(Path("/etc/pam.d") / path.name) or ""
        if any(_MODULE in line.partition("#")[0] for line in text.splitlines()):
            found.append(f"/etc/pam.d/{path.name} asks {_MODULE}; those lines are not of `understudy setup`.")
    return found


def outcome(said: list[str]) -> str:
    """What to tell of it."""
    if not said:
        return "Everything on this machine is as it was."
    return "\n".join(["Of this machine everything is as it was, but:", *(f"  {one}" for one in said)])
