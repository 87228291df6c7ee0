# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a check finds, and what the checks look at: everything is handed in, nothing is changed."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

OK = "ok"
HINT = "hint"  # good to know
WARNING = "warning"  # works, and should not stay so
PROBLEM = "problem"  # somebody can't log in, or can without a code
SEVERITIES = (OK, HINT, WARNING, PROBLEM)

_COMMAND_SECONDS = 20.0
_NAMES = 8  # that a sentence lists


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `id`: for machines; `command`: what mends it, empty when nothing does."""

    id: str
    severity: str
    what: str
    why: str = ""
    command: str = ""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str = ""


Runner = Callable[[Sequence[str]], Ran | None]


def run(words: Sequence[str]) -> Ran | None:
    """Run a command that only looks; None when there is none of that name, or it does not end."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", timeout=_COMMAND_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Host:
    """The machine: its files below `root`, its processes below `proc`, and its commands."""

    root: Path = Path("/")
    proc: Path = Path("/proc")
    run: Runner = run

    def path(self, absolute: str | Path) -> Path:
        """Where a file of the machine is."""
        return self.root / str(absolute).lstrip("/")

    def text(self, absolute: str | Path) -> str | None:
        """What is in a file of the machine, None when it can't be read."""
        try:
            return self.path(absolute).read_text(errors="replace")
        except OSError:
            return None

    def processes(self) -> Iterator[tuple[int, str]]:
        """Process id and name of what runs."""
        for folder in sorted(self.proc.glob("[0-9]*")):
            with suppress(OSError, ValueError):
                yield int(folder.name), (folder / "comm").read_text().strip()

    def opened(self, pid: int) -> set[str]:
        """The files that a process has open; none of one that has gone or is somebody else's."""
        found = set()
        with suppress(OSError):
            for one in (self.proc / str(pid) / "fd").iterdir():
                with suppress(OSError):
                    found.add(os.readlink(one))
        return found


def names(several: Sequence[str]) -> str:
    """Names for a sentence; of many the first ones."""
    more = len(several) - _NAMES
    return ", ".join(several[:_NAMES]) + (f" and {more} more" if more > 0 else "")
