# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What stands in a sector of the log: its header and its records, as bytes.

Sector (4 KiB): header (16 bytes: magic, schema version, stream, two unused, sequence number, CRC-32), the
retired mark (one byte, programmed to 0), then records from offset 32, one straight after the other. Record:
kind (1), scrubbed mark (1, programmed to 0), number (2), length (2), check of kind, number and length (2),
payload, CRC-32 of it all (4), and up to the next multiple of 4 nothing. Big-endian throughout.

Schema 1 had one stream (its byte was not used), and records at any offset.
"""

import struct
from binascii import crc32

from .compat import const
from .errors import StoreDamaged

SECTOR = const(4096)  # bytes
PAGE = const(256)
SCHEMA = const(2)
FIRST = const(32)  # offset of the first record
MARK = const(16)  # offset of the retired mark
HEAD = const(8)  # bytes of a record's header
OVERHEAD = const(12)  # record header and CRC-32
MAX_RECORD = const(1280)  # payload bytes

# Streams, and the other states that a sector can have.
FREE = const(0)
THINGS = const(1)
JOURNAL = const(2)
OLD = const(3)  # of schema 1

SCRUBBED = const(0xFF)  # in the place of a kind: none of the store's, which end at 254

_MAGIC = b"USLG"
_WHOLE = const(0xFF)  # a record's mark as long as it is not scrubbed
_BLANK_PAGE = b"\xff" * 256
_NO_RECORD = b"\xff\xff\xff\xff\xff\xff\xff\xff"


def sector_header(stream, sequence):
    """The 32 bytes before the first record."""
    head = _MAGIC + struct.pack(">BB2sI", SCHEMA, stream, b"\xff\xff", sequence)
    return head + struct.pack(">I", crc32(head)) + b"\xff" * 16


def parse_sector_header(header):
    """(sequence number, THINGS, JOURNAL or OLD), or None for a sector that is free, retired or torn.

    Raises StoreDamaged for a schema version that this firmware does not know.
    """
    if header[:4] != _MAGIC or struct.unpack(">I", header[12:16])[0] != crc32(header[:12]):
        return None
    if not 0 < header[4] <= SCHEMA:
        raise StoreDamaged("the store has schema version %d, this firmware knows %d" % (header[4], SCHEMA))
    if header[MARK] != 0xFF:
        return None
    if header[4] == SCHEMA and header[5] not in (THINGS, JOURNAL):
        raise StoreDamaged("a sector of the store belongs to nothing that this firmware knows")
    return struct.unpack(">I", header[8:12])[0], OLD if header[4] == 1 else header[5]


def _check(head):
    """The two bytes that guard a record's header, all but its scrubbed mark."""
    return crc32(head[:1] + head[2:6]) & 0xFFFF


def record(kind, number, payload):
    """A record's bytes, to the multiple of 4."""
    head = struct.pack(">BBHH", kind, _WHOLE, number, len(payload))
    body = head + struct.pack(">H", _check(head)) + payload
    return body + struct.pack(">I", crc32(body)) + _NO_RECORD[: -(len(body) + 4) % 4]


def record_size(length, align=4):
    """Bytes that a record with so many bytes of payload takes up."""
    return -(-(OVERHEAD + length) // align) * align


def payload_of(body):
    """The payload out of a record's bytes; StoreDamaged if they are not what was written."""
    end = HEAD + (body[4] << 8 | body[5])
    view = memoryview(body)
    if end + 4 > len(body) or int.from_bytes(view[end : end + 4], "big") != crc32(view[:end]):
        raise StoreDamaged("a record of the store can't be read")
    return bytes(view[HEAD:end])


def is_blank(sector, offset):
    """Whether a sector holds nothing from `offset` on; a page at a time, to need no second sector of RAM."""
    for start in range(offset, SECTOR, PAGE):
        part = sector[start : start + PAGE]
        if part != _BLANK_PAGE[: len(part)]:
            return False
    return True


def look(sector, offset, align=4):
    """The record at `offset` as (kind, number, end); kind is None for a damaged one, SCRUBBED for that.

    Returns None where free space begins. The `end` of a torn record is SECTOR if no good record follows, so
    that nothing is ever programmed over the remains of a torn write.
    """
    head = sector[offset : offset + HEAD]
    if head == _NO_RECORD and is_blank(sector, offset):
        return None
    kind, mark, number, length, check = struct.unpack(">BBHHH", head)
    end = offset + record_size(length, align)
    if check != _check(head) or end > SECTOR:
        return None, 0, _next_good(sector, offset + align, align)
    if mark != _WHOLE:
        return SCRUBBED, number, end
    return kind if _is_good(sector, offset, length) else None, number, end


def walk(sector, align=4):
    """Yield (offset, kind, number, end) of each record of a sector, as `look` sees them."""
    offset = FIRST
    while offset + OVERHEAD <= SECTOR:
        found = look(sector, offset, align)
        if found is None:
            return
        yield (offset,) + found
        offset = found[2]


def _is_good(sector, offset, length):
    end = offset + HEAD + length
    return crc32(sector[offset:end]) == struct.unpack(">I", sector[end : end + 4])[0]


def _next_good(sector, offset, align):
    """Where the next good record begins after a header that can't be read; SECTOR if there is none."""
    while offset + OVERHEAD <= SECTOR:
        head = sector[offset : offset + HEAD]
        length = head[4] << 8 | head[5]
        if head[6] << 8 | head[7] == _check(head) and offset + OVERHEAD + length <= SECTOR:
            if _is_good(sector, offset, length):
                return offset
        offset += align
    return SECTOR
