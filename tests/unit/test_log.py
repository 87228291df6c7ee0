# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The store: a mapping that survives power cuts at every flash operation, torn in every way, cleaning
included."""

import os
import unittest

from parts import SECTORS, TEARS, CutFlash, torn
from understudy_device.errors import StoreDamaged, StoreFull
from understudy_device.fileflash import FileFlash, SectorFiles, create
from understudy_device.log import SECTOR
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

    def test_a_small_record_is_one_page_program(self):
        flash = CutFlash()
        store = opened(flash)
        store.put(KIND, 1, b"x")
        for size in (1, 100, 200, 244):
            before = len(flash.operations)
            store.put(KIND, 1, b"x" * size)
            self.assertEqual(len(flash.operations) - before, 1)


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
        create(open, path, SECTORS * SECTOR)
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
