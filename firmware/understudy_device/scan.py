# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The loops over many records, for which a board must not take seconds when it is powered up.

Machine code under MicroPython, plain Python elsewhere: nothing but small integers and buffers in here.
"""

from array import array
from binascii import crc32

from .compat import const, micropython, ptr8, ptr16, ptr32

# A place on flash is one small integer: the record's size and its offset, both in units of 4 bytes.
MAX_FLASH = const(0x200000)  # bytes
_OFFSET_BITS = const(19)
_OFFSET_MASK = const(0x7FFFF)


def place(offset, size):
    """A place from an offset and a size in bytes, both multiples of 4."""
    return size >> 2 << _OFFSET_BITS | offset >> 2


def offset_of(packed):
    """The offset in bytes."""
    return (packed & _OFFSET_MASK) << 2


def size_of(packed):
    """The size in bytes."""
    return packed >> _OFFSET_BITS << 2


def crc_table():
    """CRC-32's table of 256 words, worked out of the built-in function."""
    return array("I", (crc32(bytes((i ^ 0xFF,))) ^ 0xFF000000 for i in range(256)))


class Columns:
    """What `scan` fills: arrays by number. `users`, `states`: places, 0 for none; `fingerprints`: the first
    two bytes of a user's record; `live`: bytes of current records by sector; `kinds`: the record kinds of a
    user, of a state, and of what is passed over.
    """

    def __init__(self, sector, live, kinds, numbers):
        self.users = array("I", bytes(4 * numbers))
        self.states = array("I", bytes(4 * numbers))
        self.fingerprints = array("H", bytes(2 * numbers))
        crcs = crc_table()
        self.all = (sector, crcs, live, self.users, self.states, self.fingerprints, bytes(kinds), numbers)


@micropython.viper
def scan(columns, base: int, start: int) -> int:  # noqa: C901, PLR0911 -- straight on, see machine_code
    """Take in the good records of the sector in the buffer (which lies at `base` on flash) from `start` on.

    Stops at the first that needs a closer look, and returns where that is: another kind, damaged, scrubbed,
    a user's that is known already, or free space. The record layout is `log`'s.
    """
    sector = ptr8(columns[0])
    crcs = ptr32(columns[1])
    live = ptr16(columns[2])
    users = ptr32(columns[3])
    states = ptr32(columns[4])
    fingerprints = ptr16(columns[5])
    kinds = ptr8(columns[6])
    numbers = int(columns[7])
    offset = start
    while offset + 12 <= 4096:
        kind = sector[offset]
        length = sector[offset + 4] << 8 | sector[offset + 5]
        size = (length + 15) >> 2 << 2
        if length < 8 or length > 1280 or offset + size > 4096 or sector[offset + 1] != 0xFF:
            return offset
        if kind != kinds[0] and kind != kinds[1] and kind != kinds[2]:
            return offset
        end = offset + 8 + length
        crc = -1
        for i in range(offset, end):
            crc = crcs[(crc ^ sector[i]) & 0xFF] ^ ((crc >> 8) & 0xFFFFFF)
        crc ^= -1
        if (crc >> 24) & 0xFF != sector[end] or (crc >> 16) & 0xFF != sector[end + 1]:
            return offset
        if (crc >> 8) & 0xFF != sector[end + 2] or crc & 0xFF != sector[end + 3]:
            return offset
        if kind != kinds[2]:
            number = sector[offset + 2] << 8 | sector[offset + 3]
            if number >= numbers:
                return offset
            packed = size >> 2 << 19 | (base + offset) >> 2
            if kind == kinds[0]:
                if users[number]:
                    return offset
                users[number] = packed
                fingerprints[number] = sector[offset + 8] << 8 | sector[offset + 9]
            else:
                old = states[number]
                if old:
                    live[(old & 0x7FFFF) >> 10] -= old >> 19 << 2
                states[number] = packed
            live[base >> 12] += size
        offset += size
    return offset


@micropython.viper
def fill_slots(slots, users, fingerprints, numbers: int) -> int:
    """Build the hash table: `slots[i]` is a number plus one, or 0. Returns how many numbers it holds."""
    table = ptr16(slots)
    places = ptr32(users)
    marks = ptr16(fingerprints)
    mask = int(len(slots)) - 1
    for i in range(mask + 1):
        table[i] = 0
    count = 0
    for number in range(numbers):
        if places[number]:
            slot = marks[number] & mask
            while table[slot]:
                slot = (slot + 1) & mask
            table[slot] = number + 1
            count += 1
    return count


@micropython.viper
def least(values, states, wanted: int, but: int) -> int:
    """The index of the smallest of `values` (16 bits) where `states` (8 bits) is `wanted`, `but` left out;
    -1 if there is none."""
    numbers = ptr16(values)
    bytes_ = ptr8(states)
    best = -1
    for i in range(int(len(states))):
        if bytes_[i] == wanted and i != but and (best < 0 or numbers[i] < numbers[best]):
            best = i
    return best


@micropython.viper
def is_blank_from(sector, start: int) -> bool:
    """Whether all bytes of a sector in RAM from `start` on are 0xFF."""
    values = ptr8(sector)
    for i in range(start, int(len(sector))):
        if values[i] != 0xFF:
            return False
    return True
