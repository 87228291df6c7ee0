# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Factory reset: erase the whole region, so that no power cut leaves half of it in use.

First a mark is written, a sector of its own that holds nothing else; then every other sector is erased, those
with the device's keys first. A start that finds the mark finishes the erasing before it looks at anything
else, tells of it in the new audit log, and only then takes the mark away.
"""

from .errors import StoreDamaged
from .records import RESET
from .region import Region
from .sectors import (
    FIRST,
    MAX_RECORD,
    SECTOR,
    THINGS,
    parse_sector_header,
    payload_of,
    record,
    record_size,
    sector_header,
)

_SEQUENCE = 1  # whatever comes after the reset is newer


def mark(flash, who, keys):
    """Write the mark: from here on the erasing goes on after any cut. Returns the index of its sector.

    `who`: bytes for the audit log; `keys`: indices of the sectors with the device's keys. Raises FlashFailed;
    nothing is erased then, or nothing that the store has in use.
    """
    region = Region(flash)
    index = _place(region, keys)
    if not region.is_blank(index):
        region.erase(index)
    region.program(index * SECTOR, sector_header(THINGS, _SEQUENCE) + record(RESET, 0, who))
    return index


def erase(flash, kept, keys, feed):
    """Erase all but the sector `kept`, those of `keys` first, then what else changes rarely (users), the rest
    last. `feed()` is called between any two. Raises FlashFailed."""
    region = Region(flash)
    for wanted in (lambda index: index in keys, lambda index: _stream(region, index) == THINGS, None):
        for index in range(region.sectors):
            feed()
            if index != kept and (wanted is None or wanted(index)) and not region.is_blank(index):
                region.erase(index)


def resume(flash, feed):
    """Finish what a cut has left of a reset. Returns who asked for it (bytes) if there is a mark, else None.

    Raises FlashFailed.
    """
    kind = bytearray(1)
    for index in range(flash.size // SECTOR):
        flash.readinto(index * SECTOR + FIRST, kind)
        if kind[0] == RESET:
            who = _mark_of(flash, index)
            if who is not None:
                erase(flash, index, (), feed)
                return who
    return None


def _mark_of(flash, index):
    """The payload of the mark in a sector, or None if it is none, or a torn or deleted one."""
    page = bytearray(FIRST + record_size(MAX_RECORD))
    flash.readinto(index * SECTOR, page)
    body = page[FIRST:]
    if _state(page) != THINGS or body[1] != 0xFF or (body[4] << 8 | body[5]) > MAX_RECORD:
        return None
    try:
        return payload_of(body[: record_size(body[4] << 8 | body[5])])
    except StoreDamaged:
        return None


def _place(region, keys):
    """The index of a sector that the store does not use: a blank one, or one whose turn is over.

    Where there is none, whatever holds the keys: without them the store can't pass for a whole one.
    """
    free = [index for index in range(region.sectors) if _stream(region, index) is None]
    for index in free:
        if region.is_blank(index):
            return index
    return min(free or keys or (0,))


def _stream(region, index):
    header = bytearray(FIRST)
    region.readinto(index * SECTOR, header)
    return _state(header)


def _state(header):
    """The stream of a sector, None for a free one."""
    try:
        known = parse_sector_header(header)
    except StoreDamaged:  # of a firmware to come
        return THINGS
    return None if known is None else known[1]
