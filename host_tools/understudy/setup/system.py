# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a set-up tells the machine's own programs: systemd, where it runs, and sshd."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from understudy.doctor.checks_sshd import SSHD, read_settings
from understudy.doctor.findings import Host
from understudy.setup.changes import Changes, Unit
from understudy_device.errors import UnderstudyError

BROKER_UNITS = ("understudyd.socket", "understudyd.service")
ROLLBACK_UNIT = "understudy-rollback.service"
_SSHD_UNITS = ("ssh.service", "sshd.service")
_SECONDS = 180.0  # for a unit to start or stop
_WATCH_UNIT = "understudy-setup-watch"


class System:
    """The machine, by the commands that an admin would give."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def has_systemd(self) -> bool:
        """Whether systemd runs the machine. sd_booted(3)."""
        return self._host.path("/run/systemd/system").is_dir()

    def has_unit(self, name: str) -> bool:
        """Whether systemd knows a unit."""
        return self._is("cat", name)

    def enable(self, name: str, changes: Changes, *, start: bool) -> None:
        """Have a unit started at each boot, and `start` it now; how it was is noted. UnderstudyError."""
        # One that was not started here is not to be stopped either: it may be what takes all this back.
        is_active = not start or self._is("is-active", name)
        changes.note_unit(Unit(name, self._is("is-enabled", name), is_active))
        self._do("systemctl", "enable", *(["--now"] if start else []), name)

    def restore(self, units: Sequence[Unit]) -> list[str]:
        """Have units as they were; a sentence for each that could not be."""
        known = [one for one in units if self.has_unit(one.name)]
        wanted = [("disable", one.name) for one in known if not one.enabled]
        wanted += [("stop", one.name) for one in known if not one.active]
        # Last: to disable one may take along others.
        wanted += [("enable", one.name) for one in known if one.enabled]
        failed = []
        for verb, name in wanted:
            try:
                self._do("systemctl", verb, name)
            except UnderstudyError as error:
                failed.append(error.message)
        return failed

    def reload_sshd(self) -> bool:
        """Have a running sshd read its configuration again: logins that are open stay open.

        False when none was found. UnderstudyError.
        """
        if self.has_systemd:
            for name in _SSHD_UNITS:
                if self._is("is-active", name):
                    self._do("systemctl", "reload", name)
                    return True
        pid = self._sshd_pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGHUP)  # sshd(8)
        return True

    def prepare_sshd(self) -> None:
        """Make the folder without which sshd tells nothing; where a socket waits for the first connection,
        nobody has made it yet."""
        with suppress(OSError):
            self._host.path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

    def objection_of_sshd(self) -> str:
        """What sshd has against its configuration; nothing when it is good."""
        ran = self._host.run([str(self._host.path(SSHD)), "-t"])
        if ran is None:
            return "sshd -t does not run"
        return "" if ran.code == 0 else ran.err.strip() or f"sshd -t ends with {ran.code}"

    def start_watch(self, words: Sequence[str]) -> None:
        """Run this program with `words`, beyond the end of this login. UnderstudyError."""
        command = [sys.executable, "-m", "understudy", *words]
        if self.has_systemd:
            self._do("systemd-run", "--quiet", "--collect", f"--unit={_WATCH_UNIT}", "--", *command)
            return
        null = subprocess.DEVNULL
        subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True, cwd="/")

    def _sshd_pid(self) -> int | None:
        settings = read_settings(self._host)
        text = self._host.text(settings.get("pidfile", "")) if isinstance(settings, Mapping) else None
        pid = int(text) if text is not None and text.strip().isdecimal() else 0
        return pid if (pid, "sshd") in self._host.processes() else None

    def _is(self, *words: str) -> bool:
        ran = self._host.run(["systemctl", "--quiet", *words])
        return ran is not None and ran.code == 0

    def _do(self, *words: str) -> None:
        try:
            ran = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnderstudyError(f"`{' '.join(words)}` does not run, or does not end.") from error
        if ran.returncode != 0:
            raise UnderstudyError(f"`{' '.join(words)}` failed: {ran.stderr.strip()}")
