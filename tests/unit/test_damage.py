# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is wrong with the flash costs the store no more than itself: damage, another's data, a torn first
write, operations that fail."""

import unittest
from binascii import crc32

from parts import TEARS, CutFlash, torn
from storeparts import Dice, Model, RamFlash, again, contents, do, fill, opened, user_record, valid, workload
from understudy_device.errors import FlashFailed, StoreDamaged
from understudy_device.records import CLOCK, EVENT, HOST, SEED, STATE, USER
from understudy_device.sectors import MARK, SECTOR


class Damage(unittest.TestCase):
    def setUp(self):
        self.flash = RamFlash()
        store = opened(self.flash)
        for number in range(9):
            store.put(USER, number, user_record(number, b"value %d" % number))
            store.put(STATE, number, b"state %d" % number)
            store.put(HOST, number, b"host %d" % number)
        self.values = contents(store)

    def damaged(self, at, bits=0):
        """A store on the flash with a byte changed."""
        image = self.flash.image()
        if image[at] == bits:
            bits ^= 0x11
        return RamFlash(image[:at] + bytes((bits,)) + image[at + 1 :])

    def test_a_damaged_record_loses_itself_only(self):
        for text, key in ((b"value 4", (USER, 4)), (b"state 5", (STATE, 5)), (b"host 6", (HOST, 6))):
            flash = self.damaged(self.flash.image().index(text))
            store = opened(flash)
            left = dict(self.values)
            del left[key]
            if key[0] == USER:
                del left[STATE, key[1]]
            self.assertEqual(contents(store), left)
            self.assertEqual(store.status()["damaged"], 1)
            store.put(USER, 4, user_record(4, b"again"))
            self.assertEqual(contents(again(flash))[USER, 4], user_record(4, b"again"))

    def test_whatever_byte_of_a_record_is_damaged(self):
        start = self.flash.image().index(user_record(4, b"")) - 8
        for offset in range(27):
            for bits in (0x00, 0x55):
                store = opened(self.damaged(start + offset, bits))
                # With the mark cleared it is a deleted one.
                left = dict(self.values)
                del left[USER, 4]
                del left[STATE, 4]
                self.assertEqual((offset, contents(store)), (offset, left))
                self.assertEqual(store.status()["damaged"], 0 if offset == 1 else 1)
                store.put(USER, 4, user_record(4, b"again"))
                self.assertEqual(len(contents(store)), len(left) + 1)

    def test_a_damaged_sector_header_loses_its_sector_only(self):
        flash = RamFlash(sectors=16)
        values = fill(opened(flash), Dice(), 80)
        image = bytearray(flash.image())
        self.assertEqual(bytes(image[SECTOR : SECTOR + 4]), b"USLG")
        image[SECTOR] = 0
        found = contents(opened(RamFlash(image)))
        self.assertTrue(len(values) // 2 < len(found) < len(values))
        for key, value in found.items():
            self.assertEqual(values[key], value)

    def test_a_value_that_goes_bad_while_in_use(self):
        store = opened(self.flash)
        at = self.flash.image().index(b"value 4")
        self.flash.data[at] ^= 1
        with self.assertRaises(StoreDamaged):
            store.get(USER, 4)
        self.assertEqual(store.get(USER, 5)[8:], b"value 5")

    def test_a_number_beyond_those_that_the_flash_is_for(self):
        flash = RamFlash(sectors=24)
        store = opened(flash)
        for number in (1, 300):
            store.put(USER, number, user_record(number, b""))
            store.put(STATE, number, b"a state.")
        store = opened(RamFlash(flash.image()[: 12 * SECTOR]))  # of 192
        self.assertEqual(sorted(contents(store)), [(USER, 1), (STATE, 1)])
        self.assertEqual(store.status()["damaged"], 2)


class Foreign(unittest.TestCase):
    """What is not a store of ours is left alone."""

    def refused(self, image):
        flash = RamFlash(image)
        with self.assertRaises(StoreDamaged) as caught:
            opened(flash)
        self.assertEqual((flash.image(), flash.programs, sum(flash.erases)), (bytes(image), 0, 0))
        return caught.exception.message

    def test_only_a_blank_region_is_formatted(self):
        size = 12 * SECTOR
        self.refused(b"\x00" * size)
        self.refused(b"\xff" * (size - 1) + b"\xfe")
        self.refused(b"\xff" * 256 + b"\xfe" + b"\xff" * (size - 257))
        self.refused(b"\xff" * SECTOR + b"littlefs" + b"\xff" * (size - SECTOR - 8))
        self.assertEqual(contents(opened(RamFlash(b"\xff" * size))), {})

    def test_another_schema_is_refused(self):
        flash = RamFlash()
        opened(flash).put(HOST, 1, b"x")
        for schema in (0, 3, 99):
            image = bytearray(flash.image())
            image[4] = schema
            image[12:16] = crc32(bytes(image[:12])).to_bytes(4, "big")
            self.assertIn("%d" % schema, self.refused(image))

    def test_the_very_first_write_torn_in_every_way(self):
        for step in (
            ("put", SEED, 0, b"s" * 32),
            ("put", HOST, 1, b"over the page's end" * 20),
            ("journal", [(CLOCK, 0, b"c" * 21), (EVENT, 0, b"e" * 13)]),
        ):
            flash = CutFlash()
            do(opened(flash), step)
            image = b"\xff" * flash.size
            for offset, data in flash.operations:
                for tear in TEARS:
                    left = torn(tear, offset, image[offset : offset + len(data)], data)
                    self.goes_on(RamFlash(image[:offset] + left + image[offset + len(data) :]), step)
                image = image[:offset] + data + image[offset + len(data) :]

    def goes_on(self, flash, step):
        store = opened(flash)
        do(store, step)
        store.put(HOST, 7, b"another")
        found = contents(again(flash))
        self.assertEqual(found[HOST, 7], b"another")
        self.assertEqual(len(found), 2)
        # Where the first erase is torn as well.
        self.assertEqual(flash.image()[:4], b"USLG")
        self.assertEqual(flash.image()[MARK], 0xFF)


class Failing(unittest.TestCase):
    """The flash refuses an operation (OSError), having done none of it, or all."""

    def test_after_a_failed_write_what_follows_is_kept(self):
        for fails in ("none", "all"):
            flash = RamFlash()
            store = opened(flash)
            store.put(HOST, 1, b"old")
            store.put(HOST, 2, b"deleted after")
            for step in (("put", HOST, 1, b"lost"), ("put", HOST, 2, b"no more"), ("put", HOST, 3, b"never")):
                flash.fail_in, flash.fails = 0, fails
                with self.assertRaises(FlashFailed):
                    do(store, step)
                flash.fail_in = None
            self.assertEqual((store.get(HOST, 1), store.get(HOST, 3)), (b"old", None))
            store.delete(HOST, 2)
            store.put(HOST, 4, b"new")
            values = {(HOST, 1): b"old", (HOST, 4): b"new"}
            self.assertEqual(contents(store), values)
            self.assertEqual((contents(again(flash)), again(flash).status()["damaged"]), (values, 0))

    def test_whatever_operation_fails(self):
        """Whichever it is: the step is done or not, all others are, and it can be done again."""
        for fails in ("none", "all"):
            flash, model = RamFlash(sectors=8), Model()
            store = opened(flash)
            failed = 0
            for i, step in enumerate(valid(model, workload(700))):
                flash.fail_in, flash.fails = i * 5 % 11, fails
                before = Model(model.values)
                model.apply(step)
                try:
                    do(store, step)
                except FlashFailed:
                    failed += 1
                    flash.fail_in = None
                    self.assert_one_of(flash, store, before, model, step)
                    if i % 3 == 0 and step[:2] != ("put", USER):  # nobody keeps the state without the user
                        flash = RamFlash(flash.image())
                        store = opened(flash)
                    do(store, step)
                self.assertEqual(contents(store), model.values)
            self.assertTrue(failed > 50, failed)
            self.assertEqual(contents(again(flash)), model.values)

    def assert_one_of(self, flash, store, before, after, step):
        found = contents(again(flash))
        if step[0] == "delete":  # what is marked, and was not to be overwritten, can't be read until it is
            stores = (found,)
        else:
            stores = (contents(store), found)
        for found in stores:
            for key in set(before.values) | set(after.values) | set(found):
                allowed = (before.values.get(key), after.values.get(key))
                self.assertTrue(found.get(key) in allowed, (step[:3], key, found.get(key), allowed))


if __name__ == "__main__":
    unittest.main()
