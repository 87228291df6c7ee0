# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A log of records in sectors of raw NOR flash: the lowest of the store's three layers.

The flash is handed in: an object with `size` (bytes, a multiple of SECTOR), `readinto(offset, buffer)`,
`program(offset, data)` (inside one PAGE; bits only go from 1 to 0) and `erase(offset)` (one SECTOR, to all
ones).

The sectors form a ring. Records are appended to the head; when the ring runs short, the live records of the
oldest sector are copied to the head and that sector is retired. Cleaning the oldest first levels the wear,
and lets a tombstone go with its sector: nothing older that it hides can be left.

Sector: header (16 bytes: magic, schema version, sequence number, CRC-32), the retired mark (one byte,
programmed to 0), then records from offset 32, one straight after the other. Record: kind (1), scrubbed mark
(1, programmed to 0), id (2), length (2), check of kind, id and length (2), payload, CRC-32 of it all (4).
"""

import struct
from binascii import crc32

from .compat import const
from .errors import StoreDamaged, StoreFull

SECTOR = const(4096)  # bytes
PAGE = const(256)
SCHEMA = const(1)
MAX_RECORD = const(512)  # payload bytes

_MAGIC = b"USLG"
_MARK = const(16)  # offset of the retired mark
_FIRST = const(32)  # offset of the first record
_HEAD = const(8)  # record header
OVERHEAD = const(12)  # record header and CRC-32
_RESERVE = const(3)  # sectors kept free: one to advance into, one for cleaning to spill into, one to spare
_WHOLE = const(0xFF)  # a record's mark as long as it is not scrubbed
_SCRUBBED = const(0xFF)  # as a kind: none of the store's, which end at 254
_BLANK_PAGE = b"\xff" * 256
_NO_RECORD = b"\xff\xff\xff\xff\xff\xff\xff\xff"


def _sector_header(sequence):
    head = _MAGIC + struct.pack(">B3sI", SCHEMA, b"\xff\xff\xff", sequence)
    return head + struct.pack(">I", crc32(head))


def _check(head):
    """The two bytes that guard a record's header, all but its scrubbed mark."""
    return crc32(head[:1] + head[2:6]) & 0xFFFF


def _record(kind, number, payload):
    head = struct.pack(">BBHH", kind, _WHOLE, number, len(payload))
    body = head + struct.pack(">H", _check(head)) + payload
    return body + struct.pack(">I", crc32(body))


def _is_blank(sector, offset):
    """Whether a sector holds nothing from `offset` on; a page at a time, to need no second sector of RAM."""
    for start in range(offset, SECTOR, PAGE):
        part = sector[start : start + PAGE]
        if part != _BLANK_PAGE[: len(part)]:
            return False
    return True


def _walk(sector):
    """Yield (offset, kind, number, end) of each record of a sector; kind is None for a damaged one.

    Scrubbed ones are passed over. The last `end` is where free space begins: SECTOR when a torn record makes
    that unknowable, so that nothing is ever programmed over the remains of a torn write.
    """
    offset = _FIRST
    while offset + OVERHEAD <= SECTOR:
        head = sector[offset : offset + _HEAD]
        if head == _NO_RECORD and _is_blank(sector, offset):
            return
        kind, mark, number, length, check = struct.unpack(">BBHHH", head)
        end = offset + OVERHEAD + length
        if check != _check(head) or end > SECTOR:
            end = _next_good(sector, offset + 1)
            yield offset, None, 0, end
        elif _is_good(sector, offset, end):
            yield offset, kind, number, end
        else:
            yield offset, None if mark == _WHOLE else _SCRUBBED, number, end
        offset = end


def _is_good(sector, offset, end):
    return crc32(sector[offset : end - 4]) == struct.unpack(">I", sector[end - 4 : end])[0]


def _next_good(sector, offset):
    """Where the next good record begins after a header that can't be read; SECTOR if there is none."""
    while offset + OVERHEAD <= SECTOR:
        head = sector[offset : offset + _HEAD]
        end = offset + OVERHEAD + (head[4] << 8 | head[5])
        if head[6] << 8 | head[7] == _check(head) and end <= SECTOR and _is_good(sector, offset, end):
            return offset
        offset += 1
    return SECTOR


class Log:
    """Append records, read them back, clean. `open` must be called first; it tells `sink` of every record in
    order.

    `sink.seen(kind, number, offset)` is called for each good record, oldest first, and again when cleaning
    moves one; `sink.is_live(kind, number, offset)` says whether that record is still the newest of its kind
    and number.
    """

    def __init__(self, flash, sink):
        self._flash = flash
        self._sink = sink
        self._sectors = flash.size // SECTOR
        self._sector = bytearray(SECTOR)  # made once: a heap in use may have no 4 KiB in one piece later on
        self._live = []  # sector indices in use, oldest first; the last is the head
        self._sequence = 0
        self._tail = 0  # offset in the head sector where the next record goes
        self.damaged = 0  # records lost to a wrong check

    # Opening.

    def open(self):
        """Scan the flash.

        Raises StoreDamaged on a region that is neither a store nor blank; writes nothing.
        """
        found = []
        buffer = bytearray(_FIRST)
        for index in range(self._sectors):
            self._flash.readinto(index * SECTOR, buffer)
            sequence = self._parse_header(buffer)
            if sequence is not None:
                found.append((sequence, index))
        if not found:
            self._check_blank()
            return
        found.sort()
        self._live = [index for _, index in found]
        self._sequence = found[-1][0]
        for _, index in found:
            self._tail = self._scan(index * SECTOR)

    @staticmethod
    def _parse_header(header):
        """The sequence number, or None for a sector that is free, retired or torn."""
        if header[:4] != _MAGIC or struct.unpack(">I", header[12:16])[0] != crc32(header[:12]):
            return None
        if header[4] != SCHEMA:
            raise StoreDamaged(
                "the store has schema version %d, this firmware knows %d" % (header[4], SCHEMA)
            )
        if header[_MARK] != 0xFF:
            return None
        return struct.unpack(">I", header[8:12])[0]

    def _check_blank(self):
        """Only a blank region may be used for a new store, or one whose very first header was torn by a power
        cut."""
        for index in range(self._sectors):
            self._flash.readinto(index * SECTOR, self._sector)
            if not _is_blank(self._sector, _FIRST if index == 0 else 0):
                raise StoreDamaged("the flash region is neither blank nor a store")

    def _scan(self, base):
        """Report each good record of the sector; return the offset of its free space (SECTOR when there is
        none to use)."""
        tail = _FIRST
        self._flash.readinto(base, self._sector)
        for offset, kind, number, end in _walk(self._sector):
            if kind is None:
                self.damaged += 1
            elif kind != _SCRUBBED:
                self._sink.seen(kind, number, base + offset)
            tail = end
        return tail

    # Reading.

    def size(self, offset):
        """Bytes that the record at `offset` takes up on flash."""
        head = bytearray(_HEAD)
        self._flash.readinto(offset, head)
        return OVERHEAD + min(head[4] << 8 | head[5], MAX_RECORD)

    def read(self, offset):
        """The payload of the record at `offset`, as the sink was told.

        Raises StoreDamaged if it has gone bad.
        """
        body = bytearray(self.size(offset))
        self._flash.readinto(offset, body)
        if struct.unpack(">I", body[-4:])[0] != crc32(memoryview(body)[:-4]):
            raise StoreDamaged("a record of the store can't be read")
        return bytes(body[_HEAD:-4])

    # Writing.

    def append(self, kind, number, payload):
        """Write one record (kind 0 to 254, number 0 to 65535); it is on flash when this returns.

        Raises StoreFull when cleaning can't make room; what was there before is untouched.
        """
        if len(payload) > MAX_RECORD:
            raise StoreFull("a record over %d bytes" % MAX_RECORD)
        record = _record(kind, number, payload)
        if not self._fits(len(record)):
            self._make_room()
        self._write(record, kind, number)

    def scrub(self, offset):
        """Overwrite the record at `offset`, which is no longer the newest, so that its payload can't be read.

        The mark first: it says that what follows is no damage.
        """
        self._program(offset + 1, bytes(1))
        self._program(offset + _HEAD, bytes(self.size(offset) - OVERHEAD))

    def _program(self, offset, data):
        done = 0
        while done < len(data):
            room = PAGE - (offset + done) % PAGE
            self._flash.program(offset + done, data[done : done + room])
            done += room

    def _fits(self, size):
        return bool(self._live) and self._tail + size <= SECTOR

    def _write(self, record, kind, number):
        if not self._fits(len(record)):
            self._advance()
        start, base = self._tail, self._live[-1] * SECTOR
        # Should the program fail, the rest of the sector is given up: what stands there can't be known.
        self._tail = SECTOR
        self._program(base + start, record)
        self._tail = start + len(record)
        self._sink.seen(kind, number, base + start)

    def _free(self):
        return self._sectors - len(self._live)

    def _make_room(self):
        """Clean until the reserve is there again; a whole round without gain can't be, see `capacity`."""
        for _ in range(self._sectors):
            if self._free() >= _RESERVE:
                return
            self._clean_oldest()
        if self._free() < _RESERVE:
            raise StoreFull()

    def _advance(self):
        """Make the next free sector of the ring the head; it is blank unless the power was cut."""
        index = (self._live[-1] + 1) % self._sectors if self._live else 0
        if index in self._live:
            raise StoreFull()
        if not self._is_erased(index):
            self._flash.erase(index * SECTOR)
        self._sequence += 1
        self._flash.program(index * SECTOR, _sector_header(self._sequence))
        self._live.append(index)
        self._tail = _FIRST

    def _is_erased(self, index):
        # A page at a time: cleaning may be reading from the sector buffer.
        page = bytearray(PAGE)
        for offset in range(index * SECTOR, (index + 1) * SECTOR, PAGE):
            self._flash.readinto(offset, page)
            if page != _BLANK_PAGE:
                return False
        return True

    def _clean_oldest(self):
        """Copy the live records of the oldest sector to the head, then retire and erase it.

        The mark comes before the erase: a sector half erased could show a record whose tombstone is gone.
        """
        base = self._live[0] * SECTOR
        sector = self._sector
        self._flash.readinto(base, sector)
        for offset, kind, number, end in _walk(sector):
            if kind not in (None, _SCRUBBED) and self._sink.is_live(kind, number, base + offset):
                self._write(bytes(sector[offset:end]), kind, number)
        self._flash.program(base + _MARK, b"\x00")
        self._live.pop(0)
        self._flash.erase(base)

    @property
    def capacity(self):
        """Bytes of live records that fit, so that cleaning always finds room: four fifths of all but the
        reserve."""
        return (self._sectors - _RESERVE - 1) * (SECTOR - _FIRST) * 4 // 5
