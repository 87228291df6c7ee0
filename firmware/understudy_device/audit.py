# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The audit log: events in the store's journal, chained by a hash, the oldest dropped as the journal turns.

Each sector of the journal begins with the number of its first event and the hash before it, so that the chain
can be proved from wherever it begins now.
"""

from .events import FIRST_HASH, NO_TIME, Event, chain
from .protocol import MAX_TIME, NO_ACTOR, NO_SUBJECT
from .records import CHAIN, CHAIN_SIZE, EVENT, pack_chain, unpack_chain


class Audit:
    """Over an open `store`; `clock` gives the time; `seal(number, bytes)` hides a name."""

    def __init__(self, store, clock, seal):
        self._store = store
        self._clock = clock
        self._seal = seal
        self.next = 0  # the number of the next event
        self.head = FIRST_HASH  # the hash before it
        self._find_head()
        store.checkpoint = lambda: pack_chain(self.next, self.head)

    def _find_head(self):
        log = self._store.log
        following = []
        for index in reversed(log.journal()):
            following.insert(0, index)
            start = self._start(index)
            if start is not None:
                self.next, self.head = start
                break
        for index in following:
            for number, data in log.records(index, EVENT):
                # Less is possible only where a write failed, and the event was written again elsewhere.
                if number == self.next & 0xFFFF:
                    self.next, self.head = self.next + 1, chain(self.head, data)

    def _start(self, index):
        """(number of the first event, hash before it) of a sector of the journal, or None."""
        found = self._store.log.first_record(index, CHAIN, CHAIN_SIZE)
        return None if found is None else unpack_chain(found[1])

    # Writing.

    def event(
        self, code, subject=NO_SUBJECT, actor=NO_ACTOR, credential=0, request=0, detail="", secret=False
    ):
        """A new Event, now; `detail`: text, sealed if `secret`."""
        now = self._clock.now()
        data = detail.encode()
        if secret:
            data = self._seal(self.next, data)
        time = NO_TIME if now is None else min(now, MAX_TIME)
        return Event(time, code, subject, actor, credential, request, data, secret)

    def write(self, event, entries=()):
        """Append an event behind other `entries`, [(kind, number, payload)] of the journal, in one go."""
        data = event.pack()
        self._store.journal(list(entries) + [(EVENT, self.next & 0xFFFF, data)])
        self.next, self.head = self.next + 1, chain(self.head, data)

    # Reading.

    def sectors(self):
        """[(number of the first event, hash before it, sector)], oldest first."""
        found = []
        for index in self._store.log.journal():
            start = self._start(index)
            if start is not None:
                found.append(start + (index,))
        return found

    @property
    def first(self):
        """The number of the oldest event that is kept."""
        for index in self._store.log.journal():
            start = self._start(index)
            if start is not None:
                return start[0]
        return self.next

    def page(self, first):
        """Events from number `first` on, or from the oldest: (hash before the first of them or None,
        [(number, bytes)]), no further than a sector reaches."""
        sectors = self.sectors()
        for position, (start, before, index) in enumerate(sectors):
            end = sectors[position + 1][0] if position + 1 < len(sectors) else self.next
            if first < end:
                begin = max(first, start)
                return (before if begin == start else None), self._events(index, start, begin, end)
        return None, []

    def _events(self, index, start, begin, end):
        found = []
        for low, data in self._store.log.records(index, EVENT):
            number = start + ((low - start) & 0xFFFF)
            if begin <= number < end:
                found.append((number, data))
        return found

    def last(self, count):
        """The newest events, at most `count` of them, oldest first."""
        found = []
        number = self.next
        for start, _, index in reversed(self.sectors()):
            found = [Event.unpack(data) for _, data in self._events(index, start, start, number)] + found
            number = start
            if len(found) >= count:
                break
        return found[-count:]
