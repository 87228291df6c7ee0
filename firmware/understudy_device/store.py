# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Typed get, put and delete over the log: the middle layer.

The newest record of a kind and number is its value. Kinds and the stream that each belongs to: `records`.
"""

from . import records
from .errors import FlashFailed, StoreDamaged, StoreFull
from .index import Index, capacity
from .log import Log
from .records import CHAIN, EVENT, STATE, USER
from .scan import MAX_FLASH, offset_of, place, size_of
from .sectors import JOURNAL, SECTOR, THINGS, record_size

_KINDS = (USER, STATE, EVENT)


class Store:
    """A mapping (kind, number) -> bytes that survives power cuts: each put or delete is whole or not
    there."""

    def __init__(self, flash):
        if flash.size > MAX_FLASH:
            raise StoreDamaged("a region of more than %d bytes can't be used" % MAX_FLASH)
        self.users_max = capacity(flash.size)
        self.log = Log(flash, self, _KINDS, self.users_max + 1)
        columns = self.log.columns
        self._users, self._states = columns.users, columns.states
        self._fingerprints = columns.fingerprints
        self.index = Index(columns, self.users_max)
        self._places = {}  # kind << 16 | number: (offset, size), of all other kinds
        self._stale = []  # (offset, size) of records that are superseded and not scrubbed yet
        self._size = flash.size
        self.checkpoint = None  # gives the payload of a CHAIN record, see `audit`

    def open(self, feed=lambda: None):
        """Read the flash, `feed()` all the while. Raises StoreDamaged when it holds something else; writes
        nothing."""
        self.log.open(feed)
        for number in range(self.users_max):
            if self._states[number] and not self._users[number]:
                self._forget_state(number)
        self.index.build()

    # What the log tells and asks.

    def seen(self, kind, number, offset, size):
        """A record is at `offset` now: the newest of its kind and number so far."""
        if kind in (EVENT, CHAIN):
            return
        if kind in (USER, STATE):
            if number > self.users_max:
                self.log.damaged += 1
                return
            places = self._users if kind == USER else self._states
            old = places[number]
            if old:
                self._superseded(kind, offset_of(old), size_of(old))
            places[number] = place(offset, size)
            if kind == USER:
                tag = self.log.read(offset, size)
                self._fingerprints[number] = tag[0] << 8 | tag[1]
        else:
            key = kind << 16 | number
            old = self._places.pop(key, None)
            if old is not None:
                self._superseded(kind, *old)
            if self.log.is_old(offset) and size == record_size(0, 1):
                return  # schema 1 deletes by a record without payload
            self._places[key] = (offset, size)
        self.log.live[offset // SECTOR] += size

    def _superseded(self, kind, offset, size):
        self.log.live[offset // SECTOR] -= size
        if self.stream(kind) == THINGS and not self.log.is_old(offset):
            self._stale.append((offset, size))

    @staticmethod
    def stream(kind):
        """Where records of a kind go."""
        return JOURNAL if kind in records.JOURNAL_KINDS else THINGS

    def is_current(self, kind, number, offset):
        """Whether that record is a value."""
        found = self._place(kind, number)
        return found is not None and found[0] == offset

    def opening(self):
        """What a new sector of the journal begins with."""
        return None if self.checkpoint is None else (CHAIN, 0, self.checkpoint())

    def half_scrubbed(self, offset, size):
        """A power cut came between a record's mark and the rest; or a write failed that stands there."""
        self._stale.append((offset, size))

    def retired(self, offset):
        """A sector's turn was over: nothing in it is left to scrub."""
        self._stale = [old for old in self._stale if old[0] // SECTOR != offset // SECTOR]

    def _place(self, kind, number):
        if kind in (USER, STATE):
            if number > self.users_max:
                return None
            packed = (self._users if kind == USER else self._states)[number]
            return (offset_of(packed), size_of(packed)) if packed else None
        return self._places.get(kind << 16 | number)

    # What the vault uses.

    def get(self, kind, number=0):
        """The value as bytes, or None. Raises StoreDamaged when the flash gives it back wrong."""
        found = self._place(kind, number)
        return None if found is None else self.log.read(*found)

    def put(self, kind, number, payload):
        """Set the value (1 to sectors.MAX_RECORD bytes); it is on flash when this returns.

        Raises StoreFull, changing nothing.
        """
        if self.stream(kind) == JOURNAL:
            self.log.append(JOURNAL, [(kind, number, payload)])
            return
        self.check_room(kind, number, len(payload))
        self._scrub_stale()
        is_new = kind == USER and not self._users[number]
        self.log.append(THINGS, [(kind, number, payload)])
        if is_new and number < self.users_max:
            self.index.add(number)
        self._scrub_if_it_goes()

    def check_room(self, kind, number, length, state=0):
        """Raise StoreFull if a value of so many bytes would be too much, with a user's state of up to `state`
        bytes beside."""
        old = self._place(kind, number)
        growth = record_size(length) - (old[1] if old is not None else 0)
        if state:
            growth += max(0, record_size(state) - size_of(self._states[number]))
        if growth > 0 and sum(self.log.live) + growth > self.log.capacity:
            raise StoreFull()

    def journal(self, entries):
        """Write [(kind, number, payload)] of journal kinds in one go."""
        self.log.append(JOURNAL, entries)

    def _scrub_stale(self):
        """What is superseded must not be read, nor come back when the newer one is deleted."""
        while self._stale:
            self.log.scrub(*self._stale[-1])
            self._stale.pop()

    def _scrub_if_it_goes(self):
        """After a change that is done: it must not be called undone, and the next change tries again."""
        try:
            self._scrub_stale()
        except FlashFailed:
            return

    def delete(self, kind, number=0):
        """Remove the value if there is one; not for journal kinds."""
        found = self._place(kind, number)
        if found is None:
            return
        self._scrub_stale()  # first, or an older one would come back
        self.log.strike(found[0])
        self._stale.append(found)
        self.log.live[found[0] // SECTOR] -= found[1]
        if kind == USER:
            self._users[number] = 0
            if number < self.users_max:
                self.index.remove(number)
            if self._states[number]:
                self._forget_state(number)
        else:
            del self._places[kind << 16 | number]
        self._scrub_if_it_goes()

    def _forget_state(self, number):
        packed = self._states[number]
        self.log.live[offset_of(packed) // SECTOR] -= size_of(packed)
        self._states[number] = 0

    def numbers(self, kind):
        """The numbers that have a value of `kind` (not USER or STATE), in ascending order."""
        return sorted(key & 0xFFFF for key in self._places if key >> 16 == kind)

    def sectors_of(self, *kinds):
        """The indices of the sectors that hold values of these kinds (not USER or STATE)."""
        return {place[0] // SECTOR for key, place in self._places.items() if key >> 16 in kinds}

    def has(self, *kinds):
        """Whether there is a value of any of these kinds (USER: of any user)."""
        if USER in kinds and (self.index.users or self._users[self.users_max]):
            return True
        return any(key >> 16 in kinds for key in self._places)

    def find(self, tag):
        """(number, record) of the user with this tag (bytes that the record begins with), or None."""
        for number in self.index.candidates(tag[0] << 8 | tag[1]):
            payload = self.get(USER, number)
            if payload[: len(tag)] == tag:
                return number, payload
        return None

    def tidy(self):
        """Do what makes later requests quicker."""
        self.log.tidy()

    def status(self):
        """Bytes of flash in all, of current records, of room for more, and records lost to damage."""
        used = sum(self.log.live)
        return {
            "size": self._size,
            "used": used,
            "free": max(0, self.log.capacity - used),
            "damaged": self.log.damaged,
        }
