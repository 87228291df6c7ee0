# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The index of users: found by fingerprint, however many share it and come and go, in the RAM that was
promised."""

import unittest
from array import array

from storeparts import Dice, RamFlash
from understudy_device.index import Index, capacity
from understudy_device.records import EVENT, STATE, USER
from understudy_device.scan import Columns
from understudy_device.sectors import SECTOR
from understudy_device.store import Store


class Plain:
    """An index and, beside it, what should be in it: {number: fingerprint}."""

    def __init__(self, count):
        self.columns = Columns(bytearray(SECTOR), array("H", [0]), (USER, STATE, EVENT), count + 1)
        self.index = Index(self.columns, count)
        self.users = {}

    def add(self, number, fingerprint):
        """A user comes."""
        self.columns.users[number] = 1
        self.columns.fingerprints[number] = fingerprint
        self.index.add(number)
        self.users[number] = fingerprint

    def remove(self, number):
        """A user goes."""
        self.columns.users[number] = 0
        self.index.remove(number)
        del self.users[number]


class Lookups(unittest.TestCase):
    def check(self, plain, fingerprints):
        self.assertEqual(plain.index.users, len(plain.users))
        for fingerprint in fingerprints:
            wanted = [n for n, mark in plain.users.items() if mark == fingerprint]
            self.assertEqual(sorted(plain.index.candidates(fingerprint)), sorted(wanted))

    def test_users_come_and_go(self):
        for sides in (1, 4, 70, 0x10000):
            dice = Dice(sides)
            plain = Plain(48)
            for i in range(1500):
                if plain.users and dice(100) < (45 if i // 300 % 2 else 55):
                    numbers = sorted(plain.users)
                    plain.remove(numbers[dice(len(numbers))])
                else:
                    number = plain.index.free_number()
                    if number is None:
                        self.assertEqual(len(plain.users), 48)
                        continue
                    self.assertFalse(number in plain.users)
                    plain.add(number, dice(sides))
                if i % 10 == 0:
                    self.check(plain, list(range(min(sides, 70))) + list(plain.users.values()))
                    self.assertEqual(list(plain.index.after(-1)), sorted(plain.users))
            plain.index.build()
            self.check(plain, list(plain.users.values()))

    def test_a_search_ends_even_if_every_slot_was_used_once(self):
        plain = Plain(48)  # of 64 slots
        for start, count in ((0, 48), (48, 8), (56, 8)):
            for number in range(count):
                plain.add(number, start + number)
            self.assertTrue(0 in list(plain.index._slots))
            self.check(plain, range(64))
            for number in range(count):
                plain.remove(number)
        for number in range(48):
            plain.add(number, number * 5 & 63)
        for _ in range(30):
            for number in [n for n in plain.users if n % 3 == 0]:
                fingerprint = (plain.users[number] * 7 + 1) & 63
                plain.remove(number)
                plain.add(number, fingerprint)
        self.assertTrue(0 in list(plain.index._slots))
        self.check(plain, range(64))

    def test_the_last_number_is_not_looked_up(self):
        plain = Plain(48)
        plain.columns.users[48] = 1
        plain.columns.fingerprints[48] = 7
        plain.index.build()
        self.assertEqual((plain.index.users, plain.index.candidates(7)), (0, []))

    def test_numbers_are_used_again_last(self):
        plain = Plain(48)
        for wanted in range(48):
            self.assertEqual(plain.index.free_number(), wanted)
            plain.add(wanted, wanted)
        self.assertIsNone(plain.index.free_number())
        plain.remove(40)
        plain.remove(7)
        self.assertEqual(plain.index.free_number(), 7)
        self.assertEqual(list(plain.index.after(39)), [41, 42, 43, 44, 45, 46, 47])
        self.assertEqual(list(plain.index.after(47)), [])


class Promise(unittest.TestCase):
    """5,000 users on the 352 sectors of a Pico."""

    def test_ram(self):
        store = Store(RamFlash(sectors=352))
        self.assertTrue(store.users_max >= 5000)
        columns = store.log.columns
        size = 4 * (len(columns.users) + len(columns.states))
        size += 2 * (len(columns.fingerprints) + len(store.index._slots) + len(store.log.live))
        size += len(store.log._states)
        self.assertTrue(size <= 16 * 5000, size)
        # And nothing else grows with the users.
        others = vars_of(store) + vars_of(store.log) + vars_of(store.index)
        self.assertFalse([one for one in others if isinstance(one, (dict, list)) and len(one) > 3])

    def test_5000_users_of_whom_many_share_a_fingerprint(self):
        for sides in (0x10000, 50):
            dice = Dice(sides)
            plain = Plain(5632)
            for _ in range(5000):
                plain.add(plain.index.free_number(), dice(sides))
            by_mark = {}
            for number, mark in plain.users.items():
                by_mark.setdefault(mark, []).append(number)
            for mark in sorted(by_mark)[:300]:
                self.assertEqual(sorted(plain.index.candidates(mark)), sorted(by_mark[mark]))
            for number in range(0, 5000, 2):
                plain.remove(number)
            wanted = [n for n in by_mark[plain.users[4999]] if n % 2]
            self.assertEqual(sorted(plain.index.candidates(plain.users[4999])), sorted(wanted))
            self.assertEqual(plain.index.users, 2500)
            if sides == 50:
                break

    def test_how_many_users_a_flash_is_for(self):
        self.assertEqual([capacity(n * SECTOR) for n in (12, 352, 4096)], [192, 5632, 0x8000])


def vars_of(thing):
    """The values of an object's fields."""
    return [getattr(thing, name) for name in dir(thing) if not name.startswith("__")]


if __name__ == "__main__":
    unittest.main()
