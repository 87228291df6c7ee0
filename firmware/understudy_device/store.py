# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Typed get, put and delete over the log: the middle layer.

The newest record of a kind and number is its value.
"""

from .errors import StoreFull
from .log import OVERHEAD, Log

_EMPTY = b""


class Store:
    """A mapping (kind, number) -> bytes that survives power cuts: each put or delete is whole or not
    there."""

    def __init__(self, flash, secret_kinds=()):
        """`secret_kinds`: what is superseded of these is overwritten at once, not when its sector's turn
        comes."""
        self._secret_kinds = secret_kinds
        self._index = {}  # kind << 16 | number: offset
        self._superseded = None  # where the value stood that the last record took the place of
        self._used = 0  # bytes of live records
        self._log = Log(flash, self)
        self._size = flash.size

    def open(self):
        """Read the flash. Raises StoreDamaged when it holds something else; writes nothing."""
        self._log.open()

    # What the log tells and asks.

    def seen(self, kind, number, offset):
        """A record is at `offset` now: the newest of its kind and number so far.

        One without payload deletes.
        """
        key = kind << 16 | number
        self._superseded = old = self._index.pop(key, None)
        if old is not None:
            self._used -= self._log.size(old)
        size = self._log.size(offset)
        if size > OVERHEAD:
            self._index[key] = offset
            self._used += size

    def is_live(self, kind, number, offset):
        """Whether that record is still a value."""
        return self._index.get(kind << 16 | number) == offset

    # What the vault uses.

    def get(self, kind, number=0):
        """The value as bytes, or None. Raises StoreDamaged when the flash gives it back wrong."""
        offset = self._index.get(kind << 16 | number)
        return None if offset is None else self._log.read(offset)

    def put(self, kind, number, payload):
        """Set the value (1 to log.MAX_RECORD bytes); it is on flash when this returns.

        Raises StoreFull, changing nothing.
        """
        old = self._index.get(kind << 16 | number)
        growth = len(payload) + OVERHEAD - (self._log.size(old) if old is not None else 0)
        if growth > 0 and self._used + growth > self._log.capacity:
            raise StoreFull()
        self._replace(kind, number, payload)

    def _replace(self, kind, number, payload):
        self._log.append(kind, number, payload)
        if self._superseded is not None and kind in self._secret_kinds:
            self._log.scrub(self._superseded)

    def delete(self, kind, number=0):
        """Remove the value if there is one."""
        if kind << 16 | number in self._index:
            self._replace(kind, number, _EMPTY)

    def numbers(self, kind):
        """The numbers that have a value of `kind`, in ascending order."""
        return sorted(key & 0xFFFF for key in self._index if key >> 16 == kind)

    def has(self, *kinds):
        """Whether there is a value of any of these kinds."""
        return any(key >> 16 in kinds for key in self._index)

    def status(self):
        """Bytes of flash in all, of live records, of room for more, and records lost to damage."""
        return {
            "size": self._size,
            "used": self._used,
            "free": max(0, self._log.capacity - self._used),
            "damaged": self._log.damaged,
        }
