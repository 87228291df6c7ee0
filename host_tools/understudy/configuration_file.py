# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Putting a configuration in force: whole or not at all, and the last good one is kept."""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from understudy.configuration import Configuration, load, parse, read
from understudy.files import sync_folder
from understudy_device.errors import ConfigError

_NEW = ".new"  # ends the name of a file that is not in force yet; before it stands its writer's process id
# Of a first one: it holds no secret, and the broker has a user of its own.
_MODE = 0o644
_FOLDER_MODE = 0o755
_MARK_DIGITS = 16


def load_marked(path: Path) -> tuple[Configuration, str]:
    """As `load`, and a mark of the text: another text has another one. ConfigError."""
    text = read(path, trusted=True)
    return parse(text, str(path)), hashlib.sha256(text.encode()).hexdigest()[:_MARK_DIGITS]


def last_good_path(path: Path) -> Path:
    """Where the configuration is kept that was in force before the present one."""
    return path.with_name(f"{path.name}.last-good")


def put_in_force(text: str, source: str, path: Path) -> bool:
    """Check `text`, from the file `source`, and make it the configuration `path`.

    False when it was that already. The one that it takes the place of becomes the last good one, if it was
    good. Killed at any instant, this leaves the old configuration or the new one. ConfigError when `text` is
    no configuration, which changes nothing, or when it can't be written.
    """
    parse(text, source)
    path = Path(os.path.realpath(path))  # a link stays one
    try:
        old = _good_text(path)
        _make_folder(path.parent)
        _remove_leftovers(path)
        if old == text:
            return False
        if old is not None:
            _write(last_good_path(path), old, like=path)
        _write(path, text, like=path)
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}.") from error
    return True


def _make_folder(path: Path) -> None:
    with suppress(FileExistsError):
        path.mkdir()
        path.chmod(_FOLDER_MODE)  # whatever the umask is


def _good_text(path: Path) -> str | None:
    try:
        load(path)
        return read(path, trusted=True)
    except ConfigError:
        return None


def _write(path: Path, text: str, *, like: Path) -> None:
    """Replace `path` by a file that holds `text`, with group and permissions of the file `like`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_NEW}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            _let_read(handle, like)
            os.fsync(handle)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)


def _let_read(handle: int, like: Path) -> None:
    try:
        status = like.stat()
    except FileNotFoundError:
        os.fchmod(handle, _MODE)
        return
    if os.fstat(handle).st_gid != status.st_gid:
        os.fchown(handle, -1, status.st_gid)
    os.fchmod(handle, stat.S_IMODE(status.st_mode) & 0o644)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed writers left behind; a writer that lives keeps its own."""
    for one in path.parent.iterdir():
        if one.name.startswith(f".{path.name}.") and one.name.endswith(_NEW):
            number = one.name.removesuffix(_NEW).rpartition(".")[2]
            if number.isdecimal() and not _lives(int(number)):
                one.unlink(missing_ok=True)


def _lives(number: int) -> bool:
    if number == os.getpid():
        return False  # this process has not written yet: it had the number before
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
