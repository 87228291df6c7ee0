# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The time between switching on and the confirmation from a second login.

Whoever notices first that it is over takes the set-up back: the command that waits, the process that watches
beyond the end of that login, or, after a restart of the machine, a unit.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from understudy.files import locked_dir, make_private_dir, try_lock, write_private
from understudy.host_clock import since_boot
from understudy_device.errors import ConfigError, Denied

_FILE = "pending.json"
_WATCHED = "watched.lock"
_MAKING = Path("/run/understudy-setup.lock")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SSHD = ("sshd", "sshd-session")
_LOCK_SECONDS = 10.0
_PAUSE = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")
_PPID, _STARTED = 1, 19  # fields after the name, of /proc/PID/stat: proc(5) has them as 4 and 22


def _boot() -> str:
    return _BOOT.read_text().strip()


@dataclass(frozen=True)
class Pending:
    """A set-up, switched on at `since`, that has to be confirmed by `until`: seconds of this `boot`."""

    since: float
    until: float
    boot: str

    @property
    def left(self) -> float:
        """Seconds that are left; none after a restart."""
        return max(0.0, self.until - since_boot()) if self.boot == _boot() else 0.0


def begin(folder: Path, seconds: float) -> None:
    """Note that from now on a confirmation is waited for."""
    make_private_dir(folder)
    start = since_boot()
    pending = Pending(start, start + seconds, _boot())
    write_private(folder / _FILE, json.dumps(asdict(pending)).encode())


def read(folder: Path) -> Pending | None:
    """What is waited for, if anything. ConfigError when that can't be told."""
    try:
        return Pending(**json.loads((folder / _FILE).read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{folder / _FILE} can't be understood; take the set-up back: --undo") from error


def end(folder: Path) -> None:
    """Nothing is waited for any more."""
    (folder / _FILE).unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time: to confirm and to take back exclude each other. A folder that has gone needs no lock."""
    with ExitStack() as held:
        with suppress(FileNotFoundError):
            held.enter_context(locked_dir(folder))
        yield


@contextmanager
def only_one() -> Iterator[None]:
    """While no other set-up is being made. Denied."""
    lock = try_lock(_MAKING)
    if lock is None:
        raise Denied("A set-up is under way, in another terminal.")
    try:
        yield
    finally:
        os.close(lock)


def watch_lock(folder: Path) -> int | None:
    """Be the one who watches: the lock, which is given up with the process. None: somebody is."""
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        handle = try_lock(folder / _WATCHED)  # whoever only looks has it for an instant
        if handle is not None or time.monotonic() > end:
            return handle
        time.sleep(_PAUSE)


def is_watched(folder: Path) -> bool:
    """Whether somebody watches."""
    handle = try_lock(folder / _WATCHED)
    if handle is not None:
        os.close(handle)
    return handle is None


@dataclass(frozen=True)
class Session:
    """The login that a process belongs to: who let it in (sshd, login), whom (`uid`), and when it began, in
    seconds of this boot."""

    service: str
    uid: int
    since: float


def session_of(proc: Path, pid: int, since: float) -> Session | None:
    """The login that the process `pid` came by, if it began after `since`, in seconds of this boot.

    sshd has one process that asks, and later another for the session, which is the user's: it began with the
    oldest that is younger than `since`. `login` may have waited for somebody since long before: there it is
    the shell that counts. What runs in a window of tmux or screen has no such ancestor.
    """
    found, below = None, (0, since)  # of the process below: whose it is, when it began
    seen = set()
    while pid > 1 and pid not in seen:
        seen.add(pid)
        try:
            name, _, rest = (proc / str(pid) / "stat").read_text().partition("(")[2].rpartition(")")
            uid = int((proc / str(pid) / "status").read_text().partition("\nUid:")[2].split()[0])
        except OSError:
            break
        fields = rest.split()
        start = int(fields[_STARTED]) / _TICKS
        if name == "login" and below[1] > since:
            return Session(name, below[0], since)
        if name in _SSHD and start > since:
            found = Session("sshd", found.uid if found else uid, start)
        pid, below = int(fields[_PPID]), (uid, start)
    return found
