# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The small things every build step needs: logged commands, a lock, atomic files and content stamps."""

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from . import paths

_TAIL_LINES = 40


class BuildError(Exception):
    """Something the person at the keyboard can act on; its text says what to do."""


def say(text: str) -> None:
    """One line of progress, on stderr, so that stdout stays free for results."""
    print(f"[build] {text}", file=sys.stderr, flush=True)


def main(entry: Callable[[], None]) -> None:
    """Run a script's entry point; a BuildError becomes its text and exit code 1."""
    try:
        entry()
    except BuildError as error:
        raise SystemExit(f"[build] error: {error}") from error


def run(
    title: str,
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command with its output in build/log/<title>.log; show the log's end when it fails."""
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    log = paths.LOGS / f"{title}.log"
    started = time.monotonic()
    words = [str(word) for word in command]
    with log.open("w") as out:
        out.write(f"$ {shlex.join(words)}\n")
        out.flush()
        try:
            code = subprocess.run(
                words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            ).returncode
        except FileNotFoundError as error:
            raise BuildError(f"{title}: there is no command {words[0]!r} on this machine") from error
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        raise BuildError(f"{title} failed with exit code {code}; the end of {log}:\n{tail}")
    say(f"{title}: {time.monotonic() - started:.1f} s")


def output(*command: str, cwd: Path | None = None) -> str:
    """What a command that has to succeed prints, without the space around it. BuildError."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    except FileNotFoundError as error:
        raise BuildError(f"this needs {command[0]}; see tools/debian-packages.txt") from error
    if done.returncode:
        raise BuildError(f"{command[0]} failed: {done.stderr}")
    return done.stdout.strip()


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold build/<name>.lock, so that two `make` runs do not work in the same folder at once."""
    paths.BUILD.mkdir(exist_ok=True)
    with (paths.BUILD / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def put(source: Path, target: Path) -> None:
    """Copy a file so that nobody ever sees half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    shutil.copy(source, partial)
    partial.replace(target)


def write_if_changed(target: Path, data: bytes) -> None:
    """Write a file unless it holds just that already (its time then stays)."""
    if not target.is_file() or target.read_bytes() != data:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def digest(files: Iterable[Path], *words: str) -> str:
    """A stamp's content: one hash over the words and over the names and bytes of the files."""
    total = hashlib.sha256("\0".join(words).encode())
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{os.path.relpath(file, paths.ROOT)}\0{content}\n".encode())
    return total.hexdigest()


def up_to_date(stamp: Path, content: str, *outputs: Path) -> bool:
    """Whether the stamp says that the outputs were made from just this content."""
    return stamp.is_file() and stamp.read_text() == content and all(output.exists() for output in outputs)
