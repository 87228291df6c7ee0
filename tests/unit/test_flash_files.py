# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The flash on Linux, and on a board that has a file system: real files that behave as NOR flash does."""

import os
import unittest

from storeparts import Dice, Model, RamFlash, contents, opened, run, workload
from understudy_device.errors import FlashFailed, StoreDamaged
from understudy_device.fileflash import FileFlash, SectorFiles, fill_blank
from understudy_device.records import HOST
from understudy_device.sectors import PAGE, SECTOR

SECTORS = 8


class Folder(unittest.TestCase):
    """A folder that is empty before and gone after."""

    folder = "test_flash_files.tmp"

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

    def sectors(self):
        """A flash of a file a sector."""
        return SectorFiles(open, os.remove, self.folder, SECTORS * SECTOR)

    def keeps(self, make):
        """A store on it holds what it should, over restarts."""
        model = Model()
        store = opened(make())
        for _ in range(3):
            run(store, workload(220), model)
            store = opened(make())
            self.assertEqual(contents(store), model.values)

    def is_nor_flash(self, flash):
        """As the one in memory after any operations."""
        dice, other = Dice(6), RamFlash(sectors=SECTORS)
        for _ in range(300):
            page = dice(SECTORS * SECTOR // PAGE) * PAGE
            if dice(5) == 0:
                for one in (flash, other):
                    one.erase(page // SECTOR * SECTOR)
                continue
            start = dice(PAGE)
            data = dice.some(1 + dice(PAGE - start))
            for one in (flash, other):
                one.program(page + start, data)
        for offset, size in ((0, SECTOR), (3 * SECTOR, 32), (2 * SECTOR + 300, 999), (SECTOR - 4, 4)):
            found, wanted = bytearray(size), bytearray(size)
            flash.readinto(offset, found)
            other.readinto(offset, wanted)
            self.assertEqual(found, wanted)


class SectorFile(Folder):
    def test_a_store(self):
        self.keeps(self.sectors)

    def test_it_is_nor_flash(self):
        self.is_nor_flash(self.sectors())

    def test_programming_erasing_and_what_there_is_no_file_for(self):
        flash = self.sectors()
        buffer = bytearray(4)
        flash.erase(SECTOR)
        flash.erase(SECTOR)
        flash.readinto(SECTOR, buffer)
        self.assertEqual(bytes(buffer), b"\xff" * 4)
        flash.program(SECTOR + 300, b"\xf0")
        flash.program(SECTOR + 300, b"\x3c")
        flash.readinto(SECTOR + 299, buffer)
        self.assertEqual(bytes(buffer), b"\xff\x30\xff\xff")
        self.assertEqual(os.listdir(self.folder), ["001"])
        flash.erase(SECTOR)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_folder_that_can_not_be_written(self):
        os.rmdir(self.folder)
        store = opened(self.sectors())
        with self.assertRaises(FlashFailed):
            store.put(HOST, 1, b"host")
        os.mkdir(self.folder)
        store.put(HOST, 1, b"host")
        self.assertEqual(opened(self.sectors()).get(HOST, 1), b"host")


class OneFile(Folder):
    def setUp(self):
        super().setUp()
        path = self.folder + "/flash"
        with open(path, "wb") as file:
            fill_blank(file, SECTORS * SECTOR)
        self.file = open(path, "r+b")
        self.synced = 0

    def tearDown(self):
        if hasattr(self, "file"):
            self.file.close()
        super().tearDown()

    def flash(self):
        """A flash over the file."""

        def sync():
            self.synced += 1
            self.file.flush()

        return FileFlash(self.file, sync, SECTORS * SECTOR)

    def test_a_store(self):
        self.keeps(self.flash)

    def test_it_is_nor_flash(self):
        self.is_nor_flash(self.flash())

    def test_every_operation_is_on_the_medium(self):
        flash = self.flash()
        flash.program(5, b"x")
        flash.erase(0)
        self.assertEqual(self.synced, 2)

    def test_a_file_of_another_size_is_refused(self):
        with self.assertRaises(StoreDamaged):
            FileFlash(self.file, self.file.flush, SECTOR)

    def test_a_full_disk(self):
        class Full:
            """Takes half of what it is given."""

            def seek(self, *where):
                return SECTORS * SECTOR

            def readinto(self, buffer):
                buffer[:] = b"\xff" * len(buffer)

            def write(self, data):
                return len(data) // 2

        with self.assertRaises(OSError):
            FileFlash(Full(), None, SECTORS * SECTOR).program(0, b"xy")


if __name__ == "__main__":
    unittest.main()
