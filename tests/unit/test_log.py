# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The store: a mapping that survives power cuts at every flash operation, torn in every way, cleaning
included."""

import os
import unittest

from parts import SECTORS, TEARS, CutFlash, torn
from understudy_device.errors import StoreDamaged, StoreFull
from understudy_device.fileflash import FileFlash, SectorFiles, fill_blank
from understudy_device.log import MAX_RECORD, SECTOR
from understudy_device.store import Store

KIND = 6


def opened(flash):
    """A store on that flash."""
    store = Store(flash)
    store.open()
    return store


def contents(store):
    """All its values."""
    return {number: store.get(KIND, number) for number in store.numbers(KIND)}


def workload():
    """Puts and deletes, enough to go round the ring more than twice: (number, value or None)."""
    for i in range(330):
        number = i * 7 % 11
        yield (number, None) if i % 13 == 5 else (number, b"%d " % i * (5 + i * 31 % 97))


def run(store, steps, state):
    """Apply the steps, keeping `state` what has been acknowledged."""
    for number, value in steps:
        if value is None:
            store.delete(KIND, number)
            state.pop(number, None)
        else:
            store.put(KIND, number, value)
            state[number] = value


class Mapping(unittest.TestCase):
    def test_put_get_delete(self):
        store = opened(CutFlash())
        store.put(KIND, 1, b"one")
        store.put(KIND, 1, b"uno")
        store.put(3, 1, b"other kind")
        self.assertEqual(
            (store.get(KIND, 1), store.get(3, 1), store.get(KIND, 2)), (b"uno", b"other kind", None)
        )
        store.delete(KIND, 1)
        self.assertIsNone(store.get(KIND, 1))
        self.assertEqual(store.get(3, 1), b"other kind")

    def test_restart_finds_the_same(self):
        flash = CutFlash()
        state = {}
        run(opened(flash), workload(), state)
        self.assertEqual(contents(opened(CutFlash(flash.image()))), state)

    def test_opening_writes_nothing(self):
        flash = CutFlash()
        opened(flash)
        self.assertEqual(flash.operations, [])
        run(opened(flash), workload(), {})
        count = len(flash.operations)
        opened(flash)
        self.assertEqual(len(flash.operations), count)

    def test_wear_is_level(self):
        flash = CutFlash()
        for _ in range(6):
            run(opened(flash), workload(), {})
        erases = [0] * SECTORS
        for offset, data in flash.operations:
            if len(data) == SECTOR:
                erases[offset // SECTOR] += 1
        self.assertTrue(min(erases) >= 5)
        self.assertTrue(max(erases) - min(erases) <= 1)

    def test_a_small_record_is_one_page_program_but_where_it_crosses_a_page(self):
        flash = CutFlash()
        store = opened(flash)
        store.put(KIND, 1, b"x")
        flash.operations.clear()
        for _ in range(100):  # of 20 bytes: 2,000 bytes lie on 8 pages, and all are in the first sector
            store.put(KIND, 1, b"x" * 8)
        self.assertEqual(len(flash.operations), 107)


class Files(unittest.TestCase):
    """The flash on Linux, and on a board that has a file system: real files."""

    folder = "test_log_files.tmp"

    def setUp(self):
        self.tearDown()
        os.mkdir(self.folder)

    def tearDown(self):
        try:
            names = os.listdir(self.folder)
        except OSError:
            return
        for name in names:
            os.remove(self.folder + "/" + name)
        os.rmdir(self.folder)

    def check(self, make):
        state = {}
        run(opened(make()), workload(), state)
        self.assertEqual(contents(opened(make())), state)

    def test_a_file_a_sector(self):
        def make():
            return SectorFiles(open, os.remove, self.folder, SECTORS * SECTOR)

        self.check(make)
        flash = make()
        buffer = bytearray(4)
        flash.erase(SECTOR)
        flash.erase(SECTOR)
        flash.program(SECTOR + 300, b"\xf0")
        flash.program(SECTOR + 300, b"\x3c")
        flash.readinto(SECTOR + 299, buffer)
        self.assertEqual(bytes(buffer), b"\xff\x30\xff\xff")

    def test_one_file(self):
        path = self.folder + "/flash"
        with open(path, "wb") as file:
            fill_blank(file, SECTORS * SECTOR)
        with open(path, "r+b") as file:
            self.check(lambda: FileFlash(file, file.flush, SECTORS * SECTOR))
            with self.assertRaises(StoreDamaged):
                FileFlash(file, file.flush, SECTOR)


class Limits(unittest.TestCase):
    def test_full_is_an_error_before_anything_is_lost(self):
        flash = CutFlash()
        store = opened(flash)
        state = {}
        with self.assertRaises(StoreFull):
            for number in range(1000):
                store.put(KIND, number, b"v" * 200)
                state[number] = b"v" * 200
        self.assertTrue(len(state) > 80)
        self.assertEqual(contents(store), state)
        self.assertEqual(contents(opened(CutFlash(flash.image()))), state)
        store.put(KIND, 3, b"changed")  # what does not grow still goes
        store.delete(KIND, 4)
        store.put(KIND, 1000, b"v" * 100)
        for i in range(300):
            store.put(KIND, 3, b"%d" % i)
        self.assertEqual(store.get(KIND, 3), b"299")
        self.assertEqual(store.get(KIND, 5), b"v" * 200)

    def test_a_store_filled_with_records_of_any_size_goes_on(self):
        for size in (1, 13, 90, 130, 131, 200, 244, 245, 400, MAX_RECORD):
            flash = CutFlash(sectors=9)
            store = opened(flash)
            count = 0
            with self.assertRaises(StoreFull):
                while True:
                    store.put(KIND, count, b"a" * size)
                    count += 1
            for letter in (b"b", b"c", b"d"):
                for number in range(count):
                    store.put(KIND, number, letter * size)
            self.assertEqual(set(contents(store).values()), {b"d" * size})
            for number in range(count):
                store.delete(KIND, number)
            self.assertEqual((contents(store), store.status()["used"]), ({}, 0))

    def test_after_a_failed_write_what_follows_is_kept(self):
        flash = CutFlash()
        store = opened(flash)
        store.put(KIND, 1, b"old")
        working = flash.program

        def broken(*_):
            raise OSError(28)

        flash.program = broken
        with self.assertRaises(OSError):
            store.put(KIND, 1, b"lost")
        flash.program = working
        store.put(KIND, 1, b"new")
        store.put(KIND, 2, b"another")
        store = opened(CutFlash(flash.image()))
        self.assertEqual((contents(store), store.status()["damaged"]), ({1: b"new", 2: b"another"}, 0))

    def test_what_is_superseded_of_a_secret_kind_is_overwritten(self):
        flash = CutFlash()
        store = Store(flash, (KIND,))
        store.open()
        store.put(KIND, 1, b"first secret" * 30)
        store.put(KIND, 1, b"second secret" * 30)
        self.assertFalse(b"first secret" in flash.image())
        self.assertTrue(b"second secret" in flash.image())
        store.delete(KIND, 1)
        self.assertFalse(b"second secret" in flash.image())
        store = opened(CutFlash(flash.image()))
        self.assertEqual((contents(store), store.status()["damaged"]), ({}, 0))

    def test_a_damaged_header_loses_its_record_only(self):
        flash = CutFlash()
        store = opened(flash)
        for number in range(9):
            store.put(KIND, number, b"value %d" % number)
        image = bytearray(flash.image())
        at = bytes(image).index(b"value 4") - 8
        for offset in range(8):
            if offset != 1:  # the scrubbed mark is no part of what is checked
                damaged = bytes(image[: at + offset]) + b"\x00" + bytes(image[at + offset + 1 :])
                if damaged != bytes(image):
                    store = opened(CutFlash(damaged))
                    self.assertEqual(sorted(contents(store)), [0, 1, 2, 3, 5, 6, 7, 8])
                    store.put(KIND, 4, b"again")
                    self.assertEqual(len(contents(store)), 9)

    def test_only_a_blank_region_is_formatted(self):
        for image in (
            b"\x00" * SECTORS * SECTOR,
            b"\xff" * 70000 + b"littlefs" + b"\xff" * (SECTORS * SECTOR - 70008),
        ):
            if len(image) != SECTORS * SECTOR:
                image = image[: SECTORS * SECTOR - 8] + b"littlefs"
            flash = CutFlash(image)
            with self.assertRaises(StoreDamaged):
                opened(flash)
            self.assertEqual(flash.image(), image)

    def test_another_schema_is_refused(self):
        flash = CutFlash()
        opened(flash).put(KIND, 1, b"x")
        image = bytearray(flash.image())
        from binascii import crc32

        image[4] = 99
        image[12:16] = crc32(bytes(image[:12])).to_bytes(4, "big")
        with self.assertRaises(StoreDamaged) as caught:
            opened(CutFlash(bytes(image)))
        self.assertIn("99", caught.exception.message)

    def test_a_damaged_record_loses_itself_only(self):
        flash = CutFlash()
        store = opened(flash)
        for number in range(9):
            store.put(KIND, number, b"value %d" % number)
        image = flash.image()
        at = image.index(b"value 4")
        image = image[:at] + b"\x00" + image[at + 1 :]
        store = opened(CutFlash(image))
        self.assertEqual(sorted(contents(store)), [0, 1, 2, 3, 5, 6, 7, 8])
        self.assertEqual(store.status()["damaged"], 1)


class Cuts(unittest.TestCase):
    """The power goes at every flash operation of the workload, which is torn in every way."""

    def test_whatever_was_acknowledged_is_there_after_any_cut(self):
        flash, state, count = CutFlash(), {}, 0
        store = opened(flash)
        plan = list(workload())
        for number, step in enumerate(plan):
            before, image = dict(state), flash.image()
            flash.operations.clear()
            run(store, [step], state)
            for offset, data in flash.operations:
                for tear in TEARS:
                    left = torn(tear, offset, image[offset : offset + len(data)], data)
                    whole = image[:offset] + left + image[offset + len(data) :]
                    self.check((count, tear), whole, before, state, plan[number : number + 3])
                image = image[:offset] + data + image[offset + len(data) :]
                count += 1
        self.assertTrue(count > 350)

    def check(self, where, image, before, after, steps):
        """All that was acknowledged is there; the step that was cut is whole or not there; and it goes on
        from there."""
        flash = CutFlash(image)
        store = opened(flash)
        found = contents(store)
        if found != before:
            self.assertEqual((where, found), (where, after))
        run(store, steps, found)
        self.assertEqual((where, contents(opened(CutFlash(flash.image())))), (where, found))


if __name__ == "__main__":
    unittest.main()
