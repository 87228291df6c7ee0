# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""NOR flash in a file: for Linux, and for boards whose stock MicroPython keeps a file system where the raw
region would be."""

from .errors import StoreDamaged
from .log import SECTOR

_BLANK = b"\xff"


def create(opener, path, size):
    """Make a blank flash of `size` bytes at `path`; `opener` is `open`."""
    with opener(path, "wb") as file:
        for _ in range(size // SECTOR):
            file.write(_BLANK * SECTOR)


class FileFlash:
    """The flash of `log.Log` over `file` (opened for update, unbuffered).

    `sync()` puts what was written on the medium.
    """

    def __init__(self, file, sync, size):
        self._file = file
        self._sync = sync
        self.size = size
        if file.seek(0, 2) != size:
            raise StoreDamaged("the flash file has not the size it should: %d bytes" % size)

    def readinto(self, offset, buffer):
        """Fill `buffer` from `offset`."""
        self._file.seek(offset)
        self._file.readinto(buffer)

    def program(self, offset, data):
        """Clear bits, as NOR flash does: what was programmed stays programmed."""
        old = bytearray(len(data))
        self.readinto(offset, old)
        # B905: MicroPython's zip has no `strict`.
        self._write(offset, bytes(a & b for a, b in zip(old, data)))  # noqa: B905

    def erase(self, offset):
        """Set all bits of a sector."""
        self._write(offset, _BLANK * SECTOR)

    def _write(self, offset, data):
        self._file.seek(offset)
        self._file.write(data)
        self._sync()
