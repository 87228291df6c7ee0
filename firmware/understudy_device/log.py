# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A log of records in sectors of raw NOR flash: the lowest of the store's three layers.

The flash is handed in: an object with `size` (bytes, a multiple of SECTOR), `readinto(offset, buffer)`,
`program(offset, data)` (inside one PAGE; bits only go from 1 to 0) and `erase(offset)` (one SECTOR, to all
ones).

There are two streams, each with a head sector that it appends to. THINGS change rarely: what is superseded
there is scrubbed in place, so that any sector of it may be cleaned, the emptiest first. The JOURNAL grows
with every request and is cleaned oldest first, so that what it keeps is always its newest part. Free sectors
are taken in turn, and now and then the oldest of the THINGS is moved, which levels the wear.

Cleaning copies the current records of a sector to the stream's head and erases it.
"""

from array import array

from .compat import const
from .errors import FlashFailed, StoreDamaged, StoreFull
from .region import ERASES, Region
from .scan import Columns, is_blank_from, least, scan
from .sectors import (
    FIRST,
    FREE,
    HEAD,
    JOURNAL,
    MARK,
    MAX_RECORD,
    OLD,
    OVERHEAD,
    PAGE,
    SCRUBBED,
    SECTOR,
    THINGS,
    look,
    parse_sector_header,
    payload_of,
    record,
    record_size,
    sector_header,
    walk,
)

_RESERVE = const(3)  # sectors kept free: one to advance into, one for cleaning to spill into, one to spare
_COMFORT = const(6)  # sectors below which `tidy` has something to do
_WORTH = const(1024)  # bytes that a sector has to give for `tidy` to wear the flash
_SPREAD = const(0x9E3779B1)  # makes the moves irregular: regular ones can hit the same sectors for ever
_ROTATE = const(16)  # sectors taken between two moves of the oldest of the THINGS, on average


class Log:
    """Append records, read them back, clean. `open` must be called first.

    `owner` is told and asked: `seen(kind, number, offset, size)`, for each good record that `scan` leaves to
    us, oldest first, and for every record written or moved; `stream(kind)`; `is_current(kind, number,
    offset)`; `opening()`, the (kind, number, payload) that a new sector of the JOURNAL begins with, or None;
    `half_scrubbed(offset, size)` of a record left to read by a cut or a fault; `retired(offset)` of a sector.
    """

    def __init__(self, flash, owner, kinds, numbers):
        """`kinds`: the three that `scan` knows; `numbers`: how many numbers those may have."""
        self._region = Region(flash)
        self._owner = owner
        self._count = self._region.sectors
        self._sector = bytearray(SECTOR)  # made once: a heap in use may have no 4 KiB in one piece later on
        self._states = bytearray(self._count)
        self.live = array("H", bytes(2 * self._count))  # bytes of current records, by sector
        self.columns = Columns(self._sector, self.live, kinds, numbers)
        self._streams = {THINGS: [], JOURNAL: [], OLD: []}  # sectors, oldest first; the last is the head
        self._tails = {THINGS: SECTOR, JOURNAL: SECTOR}  # where the next record goes in the head
        self._sequence = 0
        self._rotated = 0  # the sequence number at which one of the THINGS was moved
        self._last = -1  # the sector taken last
        self.damaged = 0  # records lost to a wrong check

    # Opening.

    def open(self, feed):
        """Scan the flash; `feed()` is called all the while.

        Raises StoreDamaged on a region that is neither a store nor blank; writes nothing.
        """
        found, header = [], bytearray(FIRST)
        for index in range(self._count):
            self._region.readinto(index * SECTOR, header)
            known = parse_sector_header(header)
            if known is not None:
                found.append((known[0], index, known[1]))
        if not found:
            self._check_blank()
        found.sort()
        for sequence, index, state in found:
            self._states[index] = state
            self._streams[state].append(index)
            self._sequence, self._last = sequence, index
            feed()
            damaged = self.damaged
            tail = self._scan(index, 1 if state == OLD else 4)
            if state != OLD:  # what comes behind damage was torn with it: nothing new may, see Audit.last
                self._tails[state] = tail if self.damaged == damaged else SECTOR
        self._rotated = self._sequence

    def _check_blank(self):
        """Only a blank region may be used for a new store, or one whose very first program was torn."""
        for index in range(self._count):
            self._region.readinto(index * SECTOR, self._sector)
            if not is_blank_from(self._sector, PAGE if index == 0 else 0):
                raise StoreDamaged("the flash region is neither blank nor a store")

    def _scan(self, index, align):
        """Take in each good record of the sector; return the offset of its free space (SECTOR for none)."""
        base = index * SECTOR
        offset = FIRST
        self._region.readinto(base, self._sector)
        while offset + OVERHEAD <= SECTOR:
            if align == 4:
                offset = scan(self.columns.all, base, offset)
                if offset + OVERHEAD > SECTOR:
                    break
            found = look(self._sector, offset, align)
            if found is None:
                return offset
            kind, number, end = found
            if kind is None:
                self.damaged += 1
            elif kind != SCRUBBED:
                self._owner.seen(kind, number, base + offset, end - offset)
            elif align == 4 and bytes(self._sector[offset + HEAD : end]) != bytes(end - offset - HEAD):
                self._owner.half_scrubbed(base + offset, end - offset)
            offset = end
        return SECTOR

    # Reading.

    def read(self, offset, size):
        """The payload of the record of `size` bytes at `offset`. StoreDamaged if it has gone bad."""
        body = bytearray(size)
        self._region.readinto(offset, body)
        return payload_of(body)

    def journal(self):
        """The indices of the JOURNAL's sectors, oldest first."""
        return list(self._streams[JOURNAL])

    def records(self, index, kind, is_whole=False):
        """Yield (number, payload) of the good records of `kind` in a sector, with `is_whole` only those with
        no damage between them and the one before. The log must not be written meanwhile."""
        self._region.readinto(index * SECTOR, self._sector)
        damaged = False
        for offset, found, number, end in walk(self._sector):
            if found == kind:
                if not (is_whole and damaged):
                    yield number, payload_of(self._sector[offset:end])
                damaged = False
            damaged = damaged or found is None

    def first_record(self, index, kind, length):
        """(number, payload) of the sector's first record, if it is of that kind and length; else None."""
        body = bytearray(record_size(length))
        self._region.readinto(index * SECTOR + FIRST, body)
        if body[0] != kind or body[4] << 8 | body[5] != length:
            return None
        try:
            return body[2] << 8 | body[3], payload_of(body)
        except StoreDamaged:
            return None

    # Writing.

    def append(self, stream, records):
        """Write `records`, [(kind, number, payload)], one after the other; they are on flash when this
        returns.

        Raises StoreFull when cleaning can't make room; what was there before is untouched.
        """
        if max(len(payload) for _, _, payload in records) > MAX_RECORD:
            raise StoreFull("a record over %d bytes" % MAX_RECORD)
        data = [(kind, number, record(kind, number, payload)) for kind, number, payload in records]
        size = sum(len(body) for _, _, body in data)
        if self._tails[stream] + size > SECTOR or self._free() < _RESERVE - 1:
            self._make_room(stream, size)
        self._write(stream, data, size)

    def scrub(self, offset, size):
        """Overwrite a superseded or deleted record; the mark first, which says that this is no damage."""
        self.strike(offset)
        self._region.program(offset + HEAD, bytes(size - HEAD))

    def strike(self, offset):
        """Mark the record at `offset` as one that does not count any more."""
        self._region.program(offset + 1, b"\x00")

    def begin(self):
        """A request begins, which is not to wait for long."""
        self._region.begin()

    def _write(self, stream, data, size):
        """Program `data`, [(kind, number, record bytes)], behind the stream's tail."""
        start = self._tails[stream]
        head = b""
        if start + size > SECTOR:
            head, data = self._advance(stream, data)
            start = 0
        base = self._streams[stream][-1] * SECTOR
        written = head + b"".join(body for _, _, body in data)
        # Should the program fail, the rest of the sector is given up: what stands there can't be known.
        self._tails[stream] = SECTOR
        offset = base + start + len(head)
        try:
            self._region.program(base + start, written)
        except FlashFailed:
            if start:
                self._disown(offset, data)
            else:
                self._give_back(stream)
            raise
        self._tails[stream] = start + len(written)
        for kind, number, body in data:
            self._owner.seen(kind, number, offset, len(body))
            offset += len(body)

    def _give_back(self, stream):
        """The head could not be begun: it is erased before it serves again."""
        index = self._streams[stream].pop()
        self._states[index] = FREE
        self.live[index] = 0
        try:
            self._region.program(index * SECTOR + MARK, b"\x00")
        except FlashFailed:
            return  # then there is nothing there to be marked, most likely

    def _disown(self, offset, data):
        """What of a failed write stands there nevertheless must not count after a restart."""
        for _, _, body in data:
            found = bytearray(len(body))
            self._region.readinto(offset, found)
            if found == body:
                self._owner.half_scrubbed(offset, len(body))
            offset += len(body)

    def _advance(self, stream, data):
        """Take the next free sector for a stream's head; it is blank unless the power was cut.

        Returns its header and the records that begin it, to be programmed in one go.
        """
        for step in range(1, self._count + 1):
            index = (self._last + step) % self._count
            if self._states[index] == FREE:
                break
        else:
            raise StoreFull()
        self._last = index  # also when it can't be erased: the next try is at another one
        if not self._region.is_blank(index):
            self._region.erase(index)
        self._sequence += 1
        self._states[index] = stream
        self.live[index] = 0
        self._streams[stream].append(index)
        opening = self._owner.opening() if stream == JOURNAL else None
        if opening is not None:
            data = [(opening[0], opening[1], record(*opening))] + data
        return sector_header(stream, self._sequence), data

    # Cleaning.

    def _free(self):
        return self._count - sum(len(sectors) for sectors in self._streams.values())

    def _make_room(self, stream, size):
        for _ in range(ERASES):
            if self._free() >= _RESERVE or self._region.erases_left < 1 or not self._clean_one(1):
                break
        if self._tails[stream] + size > SECTOR and self._free() < _RESERVE - 1:
            raise StoreFull()

    def tidy(self):
        """Clean one sector if few are free, or any is old: to be called when nobody waits."""
        if self.has_old or self._free() < _COMFORT:
            self._clean_one(_WORTH)

    def _clean_one(self, worth):
        """Clean the sector that gives most; False if none gives `worth` bytes."""
        things, journal = self._streams[THINGS], self._streams[JOURNAL]
        if self.has_old:
            self._clean(OLD, self._streams[OLD][0])
            return True
        if things and self._sequence != self._rotated and self._sequence * _SPREAD >> 16 & _ROTATE - 1 == 0:
            self._rotated = self._sequence
            if len(things) == 1:
                self._tails[THINGS] = SECTOR
            self._clean(THINGS, things[0])
            return True
        emptiest = least(self.live, self._states, THINGS, things[-1] if things else -1)
        gain = SECTOR - FIRST - self.live[emptiest] if emptiest >= 0 else 0
        # The oldest of the journal may be full although the rest is not: its turn has to come nevertheless.
        gains = [SECTOR - FIRST - self.live[index] for index in journal[:-1]]
        average = sum(gains) // len(gains) if gains else 0
        if average > gain and average >= max(worth, MAX_RECORD // 4):
            self._clean(JOURNAL, journal[0])
        elif gain >= worth:
            self._clean(THINGS, emptiest)
        else:
            return False
        return True

    def _clean(self, stream, index):
        base, sector = index * SECTOR, self._sector
        self._region.readinto(base, sector)
        target, batch, size = stream, [], 0
        for offset, kind, number, end in walk(sector, 1 if stream == OLD else 4):
            if kind in (None, SCRUBBED) or not self._owner.is_current(kind, number, base + offset):
                continue
            body, wanted = bytes(sector[offset:end]), stream
            if stream == OLD:
                body, wanted = record(kind, number, payload_of(body)), self._owner.stream(kind)
            if batch and (size + len(body) > PAGE or target != wanted):
                self._write(target, batch, size)
                batch, size = [], 0
            target = wanted
            batch.append((kind, number, body))
            size += len(body)
        if batch:
            self._write(target, batch, size)
        # The mark before the erase: a sector half erased could show a record whose scrubbed mark is gone.
        self._region.program(base + MARK, b"\x00")
        self._streams[stream].remove(index)
        self._states[index] = FREE
        self.live[index] = 0
        self._owner.retired(base)
        self._region.erase(index)

    @property
    def has_old(self):
        """Whether there are sectors of the old schema."""
        return bool(self._streams[OLD])

    def close_journal(self):
        """Let the next record of the JOURNAL begin a sector."""
        self._tails[JOURNAL] = SECTOR

    def is_old(self, offset):
        """Whether a record stands in a sector of the old schema."""
        return self._states[offset // SECTOR] == OLD

    @property
    def capacity(self):
        """Bytes of records that may be current before a new one is refused: three quarters of all but the
        reserve and the heads, so that cleaning always gains."""
        return max(0, self._count - _RESERVE - 2) * (SECTOR - FIRST) * 3 // 4
