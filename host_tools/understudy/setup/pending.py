# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The time between switching on and the confirmation from a second login.

Whoever notices first that it is over takes the set-up back: the command that waits, the process that watches
beyond the end of that login, or, after a restart of the machine, a unit.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from understudy.files import try_lock, write_private
from understudy_device.errors import ConfigError

_FILE = "pending.json"
_WATCHED = "watched.lock"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LOGINS = ("sshd", "sshd-session", "login", "dropbear")
_TICKS = os.sysconf("SC_CLK_TCK")
_PPID, _STARTED = 1, 19  # fields after the name, of /proc/PID/stat: proc(5) has them as 4 and 22


def now() -> float:
    """Seconds since the machine was started, those asleep as well. clock_gettime(2), CLOCK_BOOTTIME."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot() -> str:
    return _BOOT.read_text().strip()


@dataclass(frozen=True)
class Pending:
    """A set-up that was switched on at `since` and has to be confirmed by `until`, in seconds of this `boot`;
    `services`: who asks for codes now."""

    since: float
    until: float
    boot: str
    services: tuple[str, ...]

    @property
    def left(self) -> float:
        """Seconds that are left; none after a restart."""
        return max(0.0, self.until - now()) if self.boot == _boot() else 0.0


def begin(folder: Path, seconds: float, services: tuple[str, ...]) -> Pending:
    """Note that from now on a confirmation is waited for."""
    start = now()
    pending = Pending(start, start + seconds, _boot(), services)
    write_private(folder / _FILE, json.dumps(asdict(pending)).encode())
    return pending


def read(folder: Path) -> Pending | None:
    """What is waited for, if anything. ConfigError when that can't be told."""
    try:
        document = json.loads((folder / _FILE).read_bytes())
        return Pending(**{**document, "services": tuple(document["services"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{folder / _FILE} can't be understood; take the set-up back: --undo") from error


def end(folder: Path) -> None:
    """Nothing is waited for any more."""
    (folder / _FILE).unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time: to confirm and to take back exclude each other. A folder that has gone needs no lock."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def watch_lock(folder: Path) -> int | None:
    """Be the one who watches: the lock, which is given up with the process. None: somebody is."""
    return try_lock(folder / _WATCHED)


def is_watched(folder: Path) -> bool:
    """Whether somebody watches."""
    handle = watch_lock(folder)
    if handle is not None:
        os.close(handle)
    return handle is None


def login_since(proc: Path, pid: int, since: float) -> bool:
    """Whether the process `pid` belongs to a login that began after `since`, in seconds of this boot.

    One of its ancestors has to be what lets people in, and younger. A window of an older login's, of tmux or
    screen has none.
    """
    seen = set()
    while pid > 1 and pid not in seen:
        seen.add(pid)
        try:
            name, _, rest = (proc / str(pid) / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            return False
        fields = rest.split()
        if name in _LOGINS and int(fields[_STARTED]) / _TICKS > since:
            return True
        pid = int(fields[_PPID])
    return False
