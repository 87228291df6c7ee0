# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The flash of a simulated Pico as a file that outlives the process and is whole at any instant."""

import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType

from .errors import StateError
from .flash_layout import FLASH_SIZE
from .patches.flash_id import ID_SIZE

# The file holds what the stick holds (sealed credentials): nobody else's business.
_MODE = 0o600
_PICO_ID_PREFIX = bytes.fromhex("e660")


class FlashStateFile:
    """A context manager that holds the file for one simulator.

    Beside `NAME` there are `NAME.lock`, `NAME.id` (the flash chip's unique id) and, while saving, `NAME.new`.
    """

    def __init__(self, path: Path) -> None:
        """:param path: of the flash image; its folder is made if need be"""
        self._path = path
        self._lock: int | None = None

    def __enter__(self) -> "FlashStateFile":
        """:raises StateError: another process has it"""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._beside("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise StateError(f"{self._path} is in use by another simulator") from error
        self._lock = lock
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def load(self) -> bytes | None:
        """The flash image, or None for a chip that was never used.

        :raises StateError: the file has the wrong size; it is left alone
        """
        try:
            flash = self._path.read_bytes()
        except FileNotFoundError:
            return None
        if len(flash) != FLASH_SIZE:
            raise StateError(f"{self._path} has {len(flash)} bytes; a flash image has {FLASH_SIZE}")
        return flash

    def save(self, flash: bytes) -> None:
        """Replace the image; when this returns it survives the death of the process, and of the machine.

        :raises OSError: it could not be written; the old image is still there
        """
        _replace(self._path, self._beside("new"), flash)

    def unique_id(self) -> bytes:
        """The id of this flash chip, eight bytes; made at random the first time.

        :raises StateError: the file with the id is damaged
        """
        path = self._beside("id")
        try:
            text = path.read_text("ascii")
        except FileNotFoundError:
            made = _PICO_ID_PREFIX + secrets.token_bytes(ID_SIZE - len(_PICO_ID_PREFIX))
            _replace(path, self._beside("new"), made.hex().encode() + b"\n")
            return made
        try:
            unique_id = bytes.fromhex(text)
        except ValueError:
            unique_id = b""
        if len(unique_id) != ID_SIZE:
            raise StateError(f"{path} does not hold {ID_SIZE} bytes in hexadecimal")
        return unique_id

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{suffix}")


def _replace(path: Path, temporary: Path, data: bytes) -> None:
    temporary.unlink(missing_ok=True)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fdatasync(handle)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
