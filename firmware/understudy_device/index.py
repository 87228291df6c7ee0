# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Where each user's record is, in at most 16 bytes of RAM a user: arrays by number, and a hash table over the
fingerprints of the names' tags.

All of it is allocated when the device starts: it can't run out of it later.
"""

from array import array

from .compat import const
from .scan import fill_slots

_PER_SECTOR = const(16)  # users: their smallest records fill a quarter of a sector
_REMOVED = const(0xFFFF)


def capacity(flash_size):
    """How many users a flash of so many bytes is for."""
    return min(flash_size // 4096 * _PER_SECTOR, 0x8000)


class Index:
    """Over `columns` (scan.Columns) for numbers 0 to `count` - 1; the one at `count` is not looked up by
    name."""

    def __init__(self, columns, count):
        self._columns = columns
        self._count = count
        size = 64
        while size < count + count // 3:
            size *= 2
        self._slots = array("H", bytes(2 * size))
        self._mask = size - 1
        self._removed = 0
        self._next = 0
        self.users = 0

    def build(self):
        """Work out the hash table from the columns."""
        columns = self._columns
        self.users = fill_slots(self._slots, columns.users, columns.fingerprints, self._count)
        self._removed = 0

    def candidates(self, fingerprint):
        """The numbers whose user's tag begins with these 16 bits."""
        slots, mask, marks = self._slots, self._mask, self._columns.fingerprints
        slot = fingerprint & mask
        found = []
        while slots[slot]:
            number = slots[slot] - 1
            if number != _REMOVED - 1 and marks[number] == fingerprint:
                found.append(number)
            slot = (slot + 1) & mask
        return found

    def add(self, number):
        """A user of this number is in the columns now."""
        slot = self._columns.fingerprints[number] & self._mask
        while self._slots[slot] not in (0, _REMOVED):
            slot = (slot + 1) & self._mask
        if self._slots[slot] == _REMOVED:
            self._removed -= 1
        self._slots[slot] = number + 1
        self.users += 1
        # A search ends at a slot that was never used: some must be left.
        if (self.users + self._removed) * 8 > len(self._slots) * 7:
            self.build()

    def remove(self, number):
        """The user of this number is no longer in the columns."""
        slot = self._columns.fingerprints[number] & self._mask
        while self._slots[slot] != number + 1:
            slot = (slot + 1) & self._mask
        self._slots[slot] = _REMOVED
        self._removed += 1
        self.users -= 1

    def free_number(self):
        """A number that no user has, or None."""
        places = self._columns.users
        for step in range(self._count):
            number = (self._next + step) % self._count
            if not places[number]:
                self._next = number + 1
                return number
        return None

    def after(self, number):
        """The numbers greater than `number` that have a user, ascending."""
        places = self._columns.users
        for following in range(number + 1, self._count):
            if places[following]:
                yield following
