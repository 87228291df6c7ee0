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
        self._hash = FIRST_HASH  # of the chain, without the events of `_new`
        self._new = []
        self._find_head()
        store.checkpoint = lambda: pack_chain(self.next, self.head)

    def _find_head(self):
        log = self._store.log
        following = []
        for index in reversed(log.journal()):
            following.insert(0, index)
            start = self._start(index)
            if start is not None:
                self.next, self._hash = start
                break
        for index in following:
            for number, data in log.records(index, EVENT):
                ahead = (number - self.next) & 0xFFFF
                if ahead == 0:
                    self.next, self._hash = self.next + 1, chain(self._hash, data)
                elif (
                    ahead < 0x8000
                ):  # one that was damaged is missing: what follows goes in a sector of its own
                    self.next += ahead + 1
                    log.close_journal()
                # Less is possible only where a write failed, and the event was written again elsewhere.

    @property
    def head(self):
        """The hash before the next event.

        Worked out when it is asked for: nobody who waits for a verdict waits for that.
        """
        self.catch_up()
        return self._hash

    def catch_up(self):
        """Take the events written since into the hash."""
        for data in self._new:
            self._hash = chain(self._hash, data)
        self._new = []

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
        self.next += 1
        self._new.append(data)

    # Reading. Sector by sector, and nothing kept of one: a heap in use has no room for a table of them.

    def _bounds(self, position):
        """(number of the first event, hash before it, number after its last) of the journal's sector at
        `position`; where a cut has torn its beginning, of that and the one before. None if neither tells."""
        journal = self._store.log.journal()
        start, at = None, position
        while start is None and at >= 0:
            start, at = self._start(journal[at]), at - 1
        if start is None:
            return None
        for index in journal[position + 1 :]:
            following = self._start(index)
            if following is not None:
                return start + (following[0],)
        return start + (self.next,)

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
        count = len(self._store.log.journal())
        begin = 0
        for position in range(count - 1, -1, -1):
            start = self._start(self._store.log.journal()[position])
            if start is not None and start[0] <= first:
                begin = position
                break
        for position in range(begin, count):
            bounds = self._bounds(position)
            events = self._events(position, bounds, first) if bounds is not None else ()
            if events:
                return (bounds[1] if events[0][0] == bounds[0] else None), events
        return None, []

    def _events(self, position, bounds, first, is_whole=False):
        """[(number, bytes)] of a sector's events from number `first` on."""
        found = []
        for low, data in self._store.log.records(self._store.log.journal()[position], EVENT, is_whole):
            number = bounds[0] + ((low - bounds[0]) & 0xFFFF)
            if first <= number < bounds[2]:
                found.append((number, data))
        return found

    def last(self, count):
        """The newest events, at most `count` of them, oldest first.

        Not one that stands behind something damaged: what it tells of was torn by a power cut, then, and was
        never answered.
        """
        found = []
        first = max(0, self.next - count)
        for position in range(len(self._store.log.journal()) - 1, -1, -1):
            bounds = self._bounds(position)
            if bounds is not None:
                events = self._events(position, bounds, first, True)
                found = [Event.unpack(data) for _, data in events] + found
                if bounds[0] <= first and self._start(self._store.log.journal()[position]) is not None:
                    break
        return found
