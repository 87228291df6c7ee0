# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The store as a mapping: what is put is found, and what is superseded can't be read."""

import unittest

from parts import TEARS, CutFlash, PowerCut
from storeparts import Model, RamFlash, again, contents, do, opened, run, user_record, workload
from understudy_device.records import CLOCK, EVENT, HOST, IDENTITY, LIMIT, SEED, SETTING, STATE, USER

THINGS_KINDS = (IDENTITY, SEED, HOST, SETTING, USER)


class Mapping(unittest.TestCase):
    def test_put_get_delete(self):
        store = opened(RamFlash())
        for kind in THINGS_KINDS + (CLOCK, LIMIT):
            self.assertIsNone(store.get(kind, 1))
            store.put(kind, 1, b"one of %d" % kind)
        store.put(HOST, 1, b"uno")
        for kind in THINGS_KINDS + (CLOCK, LIMIT):
            self.assertEqual(store.get(kind, 1), b"uno" if kind == HOST else b"one of %d" % kind)
            self.assertIsNone(store.get(kind, 2))
        store.put(HOST, 7, b"seven")
        self.assertEqual(store.numbers(HOST), [1, 7])
        for kind in THINGS_KINDS:
            store.delete(kind, 1)
            store.delete(kind, 2)
            self.assertIsNone(store.get(kind, 1))
        self.assertEqual(
            contents(store), {(HOST, 7): b"seven", (CLOCK, 1): b"one of 5", (LIMIT, 1): b"one of 12"}
        )

    def test_has(self):
        store = opened(RamFlash())
        self.assertFalse(store.has(USER, HOST, SETTING))
        store.put(USER, store.users_max, user_record(store.users_max, b"nobody"))
        self.assertTrue(store.has(USER))
        store.put(HOST, 3, b"host")
        self.assertEqual((store.has(SETTING), store.has(SETTING, HOST)), (False, True))

    def test_a_user_and_the_state_go_together(self):
        flash = RamFlash()
        store = opened(flash)
        store.journal([(STATE, 5, b"state of 5")])
        store.put(USER, 5, user_record(5, b""))
        self.assertEqual(store.get(STATE, 5), b"state of 5")
        used = store.status()["used"]
        store.delete(USER, 5)
        self.assertIsNone(store.get(STATE, 5))
        self.assertEqual((used, store.status()["used"]), (44, 0))
        # A state that nobody has is forgotten at a restart, and not when it was written before its user.
        store.journal([(STATE, 6, b"state of 6")])
        store.journal([(STATE, 7, b"state of 7")])
        store.put(USER, 7, user_record(7, b""))
        store = again(flash)
        self.assertEqual(
            (store.get(STATE, 5), store.get(STATE, 6), store.get(STATE, 7)), (None, None, b"state of 7")
        )
        self.assertEqual(store.status()["used"], 44)

    def test_the_one_that_stands_for_nobody_is_not_listed_nor_found(self):
        flash = RamFlash()
        store = opened(flash)
        number = store.users_max
        record = user_record(number, b"nobody")
        store.put(USER, number, record)
        for one in (store, again(flash)):
            self.assertEqual((one.get(USER, number), one.index.users), (record, 0))
            self.assertEqual((list(one.index.after(-1)), one.find(record[:8])), ([], None))

    def test_restart_finds_the_same(self):
        for sectors in (8, 12):
            flash, model = RamFlash(sectors=sectors), Model()
            store = opened(flash)
            run(store, workload(150 * sectors), model)
            self.assertEqual(contents(store), model.values)
            self.assertEqual(contents(again(flash)), model.values)
            self.assertEqual(again(flash).status(), store.status())
            self.assertTrue(sum(flash.erases) > sectors)

    def test_opening_writes_nothing(self):
        flash = RamFlash()
        opened(flash)
        self.assertEqual((flash.programs, sum(flash.erases)), (0, 0))
        run(opened(flash), workload(100), Model())
        before = (flash.image(), flash.programs, sum(flash.erases))
        opened(flash)
        self.assertEqual((flash.image(), flash.programs, sum(flash.erases)), before)


class Unreadable(unittest.TestCase):
    """What is superseded or deleted of all but the journal's kinds is overwritten at once."""

    def test_superseded_and_deleted(self):
        flash = RamFlash()
        store = opened(flash)
        for kind in THINGS_KINDS:
            store.put(kind, 1, user_record(1, b"first secret" * 30))
            store.put(kind, 1, user_record(1, b"second secret" * 30))
            self.assertFalse(b"first" in flash.image())
            self.assertTrue(b"second" in flash.image())
            store.delete(kind, 1)
            self.assertFalse(b"second" in flash.image())

    def test_in_a_workload_with_cleaning(self):
        flash, model = RamFlash(sectors=8), Model()
        store = opened(flash)
        for i in range(900):
            number = i * 7 % 20
            step = ("put", USER, number, user_record(number, b"<secret %04d>" % i + b"." * (i * 37 % 400)))
            if i % 10 == 3:
                step = ("delete", USER, number)
            run(store, [step, ("journal", [(STATE, number, b"s" * 8), (EVENT, i, b"e" * 100)])], model)
            if i % 9 == 0:
                store = opened(flash)
            if i % 7 == 0:
                image = flash.image()
                wanted = sorted(value[8:21] for key, value in model.values.items() if key[0] == USER)
                found, at = [], image.find(b"<secret ")
                while at >= 0:
                    found.append(image[at : at + 13])
                    at = image.find(b"<secret ", at + 1)
                self.assertEqual(sorted(found), wanted)

    def cut_between_mark_and_zeros(self, steps, last):
        """The image when the power goes right after the mark of the last step was programmed."""
        flash = CutFlash()
        store = opened(flash)
        for step in steps:
            do(store, step)
        image = flash.image()
        flash.operations.clear()
        do(store, last)
        for offset, data in flash.operations:
            image = image[:offset] + data + image[offset + len(data) :]
            if data == b"\x00":
                return image
        self.fail("nothing was marked")

    def test_a_cut_between_the_mark_and_the_zeros_is_made_good_at_the_next_write(self):
        first = ("put", HOST, 1, b"first secret" * 50)
        for last in (("put", HOST, 1, b"new"), ("delete", HOST, 1)):
            image = self.cut_between_mark_and_zeros([first], last)
            self.assertTrue(b"first secret" in image)
            flash = RamFlash(image)
            store = opened(flash)
            self.assertEqual(store.get(HOST, 1), last[3] if last[0] == "put" else None)
            self.assertEqual(store.status()["damaged"], 0)
            store.put(SEED, 0, b"of the next power-up")
            self.assertFalse(b"first secret" in flash.image())
            self.assertEqual(again(flash).status()["damaged"], 0)

    def test_what_a_cut_has_left_does_not_come_back_when_the_newer_one_is_deleted(self):
        flash = CutFlash()
        store = opened(flash)
        store.put(HOST, 1, b"first")
        flash.cut_at = len(flash.operations) + 1
        with self.assertRaises(PowerCut):
            store.put(HOST, 1, b"second")
        image = flash.image()
        self.assertTrue(b"first" in image and b"second" in image)
        found = []
        for cut_at in range(10):
            for tear in TEARS:
                flash = CutFlash(image)
                flash.cut_at, flash.tear = cut_at, tear
                try:
                    opened(flash).delete(HOST, 1)
                except PowerCut:
                    pass
                found.append(again(flash).get(HOST, 1))
        self.assertEqual(set(found), {b"second", None})
        self.assertIsNone(found[-1])

    def test_a_cut_before_the_mark_too(self):
        flash = CutFlash()
        store = opened(flash)
        store.put(USER, 1, user_record(1, b"first secret"))
        flash.cut_at, flash.tear = len(flash.operations) + 1, "none"
        with self.assertRaises(PowerCut):
            store.put(USER, 1, user_record(1, b"second"))
        flash = RamFlash(flash.image())
        store = opened(flash)
        self.assertTrue(b"first secret" in flash.image())
        self.assertEqual(store.get(USER, 1)[8:], b"second")
        store.delete(USER, 1)
        self.assertFalse(b"first secret" in flash.image())
        self.assertEqual(contents(again(flash)), {})


if __name__ == "__main__":
    unittest.main()
