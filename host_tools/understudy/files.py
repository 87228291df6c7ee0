# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Private files: written whole or not at all, readable by their owner only."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from understudy.usage import WrongUsage

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700


def make_private_dir(path: Path) -> None:
    """Create `path` and what is missing above it, for the owner only; leave an existing one as it is."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        # mkdir's mode for parents would be the umask's; a parent of ours holds private things as well.
        with suppress(FileExistsError):
            folder.mkdir(mode=PRIVATE_DIR)


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by a file of mode 0600 that holds `data`, and belongs to whom it belonged to.

    After a crash it holds the old content or the new.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if os.geteuid() == 0 and path.exists():
                os.fchown(file.fileno(), path.stat().st_uid, path.stat().st_gid)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk: without it, a rename could be lost."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def check_target(path: Path) -> None:
    """WrongUsage when `write_target` could not write to `path`; to be called before a secret is made."""
    if not path.parent.is_dir():
        raise WrongUsage(f"{path}: there is no directory {path.parent}")
    if path.is_dir():
        raise WrongUsage(f"{path} is a directory")


def write_target(path: Path, data: bytes) -> None:
    """`write_private` for a path that a person named: WrongUsage when it can't be."""
    try:
        write_private(path, data)
    except OSError as error:
        raise WrongUsage(f"{path} can't be written: {error.strerror}") from error


@contextmanager
def locked_dir(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the directory `path`: two processes' read-change-write do not mix."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def try_lock(path: Path) -> int | None:
    """Create `path` if need be and lock it for this process.

    Return the open descriptor, or None when another holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
