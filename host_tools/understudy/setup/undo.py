# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Taking a set-up back: every file as it was, sshd and the broker told, and no trace left in PAM."""

from collections.abc import Callable
from pathlib import Path

from understudy.doctor.findings import Host
from understudy.setup import pending
from understudy.setup.changes import Changes
from understudy.setup.pam_lines import without_lines
from understudy.setup.system import System
from understudy_device.errors import UnderstudyError

_MODULE = "pam_understudy"
_REMOVE = ("pam-auth-update", "--package", "--remove", "understudy")


def take_back(
    folder: Path, system: System, host: Host, only_if: Callable[[], bool] = lambda: True
) -> list[str] | None:
    """Take back all that the notes in `folder` tell of, if `only_if` still holds once nobody else is at it.

    None when it did not; else sentences about what is not as it was. UnderstudyError when something could
    not be done: the notes stay then, and it can be tried again.
    """
    with pending.alone(folder):
        if not only_if():
            return None
        changes = Changes(folder)
        try:
            said = changes.take_back(without_lines)
        except OSError as error:
            raise UnderstudyError(f"{error.filename} can't be put back: {error.strerror}.") from error
        if changes.changes:
            system.reload_sshd()
        for unit in reversed(list(changes.units.values())):
            system.restore(unit)
        if any(one.startswith("/etc/pam.d/common-") for one in traces(host)):
            # Somebody has had it make these files anew since; it knows what is whose.
            host.run(["env", "DEBIAN_FRONTEND=noninteractive", *_REMOVE])
        changes.forget()
    return said + traces(host)


def traces(host: Host) -> list[str]:
    """A sentence for each of PAM's files that still names the module."""
    found = []
    for path in sorted(host.path("/etc/pam.d").glob("*")):
        text = host.text(Path("/etc/pam.d") / path.name) or ""
        if any(_MODULE in line.partition("#")[0] for line in text.splitlines()):
            found.append(f"/etc/pam.d/{path.name} asks {_MODULE}; those lines are not of `understudy setup`.")
    return found
