# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The machine code that reads records at power-up finds what the plain code finds, on sectors with anything
in them."""

import unittest
from array import array

from storeparts import Dice
from understudy_device.records import CHAIN, EVENT, HOST, STATE, USER
from understudy_device.scan import Columns, fill_slots, least, offset_of, place, scan, size_of
from understudy_device.sectors import FIRST, OVERHEAD, SCRUBBED, SECTOR, look, record, walk

KINDS = (USER, STATE, EVENT)
NUMBERS = 20
SECTORS = 6


class Plain:
    """What the columns should hold, worked out with `walk`, one record at a time."""

    def __init__(self):
        self.users, self.states, self.prints = {}, {}, {}
        self.live = [0] * SECTORS
        self.others = []  # what is left to a closer look

    def take_in(self, sector, index):
        """Of a whole sector."""
        for offset, kind, number, end in walk(sector):
            length = sector[offset + 4] << 8 | sector[offset + 5]
            plain = kind in KINDS and 8 <= length <= 1280
            if plain and kind == EVENT:
                continue
            if not plain or number >= NUMBERS or (kind == USER and number in self.users):
                self.others.append((index, offset, kind))
                continue
            places = self.users if kind == USER else self.states
            if number in places:
                old, size = places[number]
                self.live[old // SECTOR] -= size
            places[number] = (index * SECTOR + offset, end - offset)
            self.live[index] += end - offset
            if kind == USER:
                self.prints[number] = sector[offset + 8] << 8 | sector[offset + 9]


def some_sector(dice, numbers):
    """One with good records of all kinds, scrubbed and damaged ones."""
    out = b"\xff" * FIRST
    while True:
        kind = (USER, STATE, STATE, EVENT, EVENT, HOST, CHAIN)[dice(7)]
        length = dice(9) if dice(10) == 0 else 8 + dice(60)
        if dice(20) == 0:
            length = 600 + dice(681)
        body = bytearray(record(kind, dice(numbers), dice.some(min(length, 40)) + b"p" * (length - 40)))
        fate = dice(12)
        if fate == 0:
            body[1] = 0
            body[8:] = bytes(len(body) - 8)
        elif fate == 1:
            body[1] = 0
        elif fate == 2:
            body[dice(len(body))] ^= 1 << dice(8)
        elif fate == 3 and dice(3) == 0:
            body[dice(len(body)) :] = b""
            body += b"\xff" * (-len(body) % 4)
        if len(out) + len(body) > SECTOR or dice(150) == 0:
            break
        out += body
    return out + b"\xff" * (SECTOR - len(out))


class Scan(unittest.TestCase):
    def compare(self, seed, numbers):
        dice = Dice(seed)
        sector = bytearray(SECTOR)
        live = array("H", bytes(2 * SECTORS))
        columns = Columns(sector, live, KINDS, NUMBERS)
        plain, others = Plain(), []
        for index in range(SECTORS):
            sector[:] = some_sector(dice, numbers)
            plain.take_in(bytes(sector), index)
            offset = FIRST
            while offset + OVERHEAD <= SECTOR:
                offset = scan(columns.all, index * SECTOR, offset)
                if offset + OVERHEAD > SECTOR:
                    break
                found = look(sector, offset)
                if found is None:
                    break
                others.append((index, offset, found[0]))
                offset = found[2]
        self.assertEqual(others, plain.others)
        self.assertEqual(list(live), plain.live)
        for places, wanted in ((columns.users, plain.users), (columns.states, plain.states)):
            found = {n: (offset_of(p), size_of(p)) for n, p in enumerate(places) if p}
            self.assertEqual(found, wanted)
        found = {n: columns.fingerprints[n] for n in plain.prints}
        self.assertEqual(found, plain.prints)
        return {kind for _, _, kind in others}

    def test_as_the_plain_code_on_sectors_with_anything_in_them(self):
        met = set()
        for seed in range(1, 60):
            met |= self.compare(seed, NUMBERS + seed % 3)
        self.assertEqual(met, {USER, STATE, EVENT, HOST, CHAIN, SCRUBBED, None})

    def test_an_empty_and_a_full_sector(self):
        for size in (8, 20, 1280):
            body = record(STATE, 1, b"s" * size)
            full = b"\xff" * FIRST + body * ((SECTOR - FIRST) // len(body))
            sector = bytearray(full + b"\xff" * (SECTOR - len(full)))
            columns = Columns(sector, array("H", bytes(2)), KINDS, NUMBERS)
            self.assertEqual(scan(columns.all, 0, FIRST), len(full))
            self.assertEqual(columns.all[2][0], len(body))
            self.assertEqual(offset_of(columns.states[1]), len(full) - len(body))


class Places(unittest.TestCase):
    def test_round_trip(self):
        for offset in (0, 4, 4092, 4096, 0x1FFFFC):
            for size in (12, 20, 1292):
                packed = place(offset, size)
                self.assertEqual((offset_of(packed), size_of(packed)), (offset, size))
                self.assertTrue(0 < packed < 1 << 31)


class Loops(unittest.TestCase):
    def test_least(self):
        dice = Dice(3)
        for _ in range(300):
            count = 1 + dice(12)
            values = array("H", [dice(5) * 900 for _ in range(count)])
            states = bytearray([dice(3) for _ in range(count)])
            but = dice(count + 1) - 1
            wanted = [(v, i) for i, v in enumerate(values) if states[i] == 1 and i != but]
            self.assertEqual(least(values, states, 1, but), min(wanted)[1] if wanted else -1)

    def test_fill_slots(self):
        dice = Dice(4)
        for same in (3, 0x10000):
            slots = array("H", [9] * 64)
            users = array("I", [dice(2) for _ in range(48)])
            prints = array("H", [dice(same) for _ in range(48)])
            count = fill_slots(slots, users, prints, 47)
            wanted = [n for n in range(47) if users[n]]
            self.assertEqual(count, len(wanted))
            self.assertEqual(sorted(slot - 1 for slot in slots if slot), wanted)
            for number in wanted:  # found by going on from its own slot
                slot = prints[number] & 63
                while slots[slot] != number + 1:
                    self.assertTrue(slots[slot] > 0)
                    slot = (slot + 1) & 63


if __name__ == "__main__":
    unittest.main()
