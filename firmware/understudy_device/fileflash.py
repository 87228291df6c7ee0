# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""NOR flash in files: one on Linux, one a sector on boards whose stock MicroPython keeps a file system
where the raw region would be."""

import errno

from .errors import StoreDamaged
from .sectors import PAGE, SECTOR

_BLANK = b"\xff"


def fill_blank(file, size):
    """Write a blank flash of `size` bytes to a new file."""
    for _ in range(size // SECTOR):
        file.write(_BLANK * SECTOR)


def _cleared(old, new):
    """What NOR flash holds after programming `new` over `old`."""
    return bytes(a & b for a, b in zip(old, new))  # noqa: B905 - MicroPython's zip has no `strict`


def _unless_absent(error):
    """No file is a blank sector; any other trouble is not, and is raised."""
    if error.errno != errno.ENOENT:
        raise error


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
        self._write(offset, _cleared(old, data))

    def erase(self, offset):
        """Set all bits of a sector."""
        self._write(offset, _BLANK * SECTOR)

    def _write(self, offset, data):
        self._file.seek(offset)
        if self._file.write(data) != len(data):
            raise OSError(errno.EIO)
        self._sync()


class SectorFiles:
    """The same over a folder: a file for each sector that is not blank, as long as what was programmed there.

    For littlefs, which copies the rest of a file after every write into it: with 4 KiB at most, that is one
    sector. `opener` and `remove` are `open` and `os.remove`; `size` is in bytes.
    """

    def __init__(self, opener, remove, folder, size):
        self._open = opener
        self._remove = remove
        self._path = folder + "/%03d"
        self.size = size

    def _content(self, offset):
        try:
            with self._open(self._path % (offset // SECTOR), "rb") as file:
                return file.read()
        except OSError as error:
            _unless_absent(error)
            return b""

    def readinto(self, offset, buffer):
        """Fill `buffer` from `offset`; not over a sector's end."""
        count = 0
        try:
            with self._open(self._path % (offset // SECTOR), "rb") as file:
                file.seek(offset % SECTOR)
                count = file.readinto(buffer)
        except OSError as error:
            _unless_absent(error)
        for i in range(count, len(buffer), PAGE):
            size = min(PAGE, len(buffer) - i)
            buffer[i : i + size] = _BLANK * size

    def program(self, offset, data):
        """Clear bits; not over a sector's end."""
        start, end = offset % SECTOR, offset % SECTOR + len(data)
        old = self._content(offset)
        old += _BLANK * (end - len(old))
        new = old[:start] + _cleared(old[start:end], data) + old[end:]
        # The whole file anew: littlefs makes that one step, done or not done. Nothing may fail in between, so
        # the bytes are ready before.
        with self._open(self._path % (offset // SECTOR), "wb") as file:
            file.write(new)

    def erase(self, offset):
        """Set all bits of a sector."""
        try:
            self._remove(self._path % (offset // SECTOR))
        except OSError as error:
            _unless_absent(error)
