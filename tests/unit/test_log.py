# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The log of two streams: level wear, what a write costs, and a flash that fills up."""

import unittest

from storeparts import Dice, Model, RamFlash, again, contents, do, fill, opened, user_record, valid
from understudy_device.errors import StoreFull
from understudy_device.records import CLOCK, EVENT, HOST, LIMIT, STATE, USER
from understudy_device.sectors import FIRST, MAX_RECORD, SECTOR


class Wear(unittest.TestCase):
    """Most of what is written is of the journal, and some of the things never change: they must not keep
    their sectors from being worn like the rest."""

    def go_round(self, sectors, share, mean, entries):
        """Erase counts after a journal so long that they are `mean` on average."""
        dice = Dice(sectors + share)
        flash = RamFlash(sectors=sectors)
        store = opened(flash)
        values = fill(store, dice, share)
        users = sorted(number for kind, number in values if kind == USER)
        while sum(flash.erases) < mean * sectors:
            store.journal(entries(users[dice(len(users))], dice))
            store.tidy()
        found = contents(again(flash))
        for key, value in values.items():
            if key[0] == USER:
                self.assertEqual(found[key], value)
        return flash.erases

    def check(self, sectors, share, mean, entries):
        erases = self.go_round(sectors, share, mean, entries)
        with self.subTest(sectors=sectors, share=share, erases=erases):
            self.assertTrue(min(erases) * 2 >= mean)
            self.assertTrue(max(erases) <= mean * 2)

    def test_regular_records_of_equal_size(self):
        # What is regular could meet the same sectors at every turn.
        for sectors, share, mean in ((12, 1, 60), (12, 60, 150), (16, 90, 150)):
            self.check(
                sectors, share, mean, lambda n, _: [(STATE, n, b"s" * 16), (EVENT, n, b"e" * MAX_RECORD)]
            )

    def test_records_of_any_size(self):
        for sectors, share, mean in ((12, 30, 90), (16, 60, 120)):
            self.check(
                sectors,
                share,
                mean,
                lambda n, dice: [(STATE, n, b"s" * (8 + dice(20))), (EVENT, n, b"e" * (1 + dice(1000)))],
            )

    def test_a_large_flash(self):
        erases = self.go_round(64, 40, 14, lambda n, _: [(EVENT, n, b"e" * MAX_RECORD)] * 3)
        self.assertTrue(min(erases) >= 2)
        self.assertTrue(max(erases) <= 28)


class Cost(unittest.TestCase):
    def setUp(self):
        self.flash = RamFlash(sectors=12)
        self.store = opened(self.flash)
        self.store.put(USER, 1, user_record(1, b"name"))

    def programs(self, step):
        before = self.flash.programs
        do(self.store, step)
        return self.flash.programs - before

    def test_the_first_record_of_a_sector_comes_with_the_header(self):
        flash = RamFlash()
        store = opened(flash)
        store.put(USER, 1, user_record(1, b"name"))
        self.assertEqual(flash.programs, 1)
        store.journal([(STATE, 1, b"s" * 8), (EVENT, 0, b"e" * 13)])
        self.assertEqual((flash.programs, sum(flash.erases)), (2, 0))

    def test_a_small_record_is_one_page_program_but_where_it_crosses_a_page(self):
        costs = [self.programs(("journal", [(STATE, 1, b"s" * 8)])) for _ in range(609)]  # of 20 bytes
        self.assertTrue(max(costs) <= 2)
        # Three sectors of 199 (their beginnings take 32 + 48 bytes) and 12 more; in each, 16 pages end, and
        # every fifth of them at the end of a record.
        self.assertTrue(609 + 3 * 12 <= sum(costs) <= 609 + 3 * 13)

    def test_a_batch_of_a_verify_is_one_or_two_at_a_sectors_start_also(self):
        dice = Dice(5)
        sectors = 0
        for i in range(4000):
            batch = [(STATE, 1, b"s" * (8 + dice(5))), (EVENT, i, b"e" * 13)]
            if dice(4) == 0:
                batch.insert(0, (LIMIT, 0, b"%04d" % i))
            if dice(50) == 0:
                batch.insert(0, (CLOCK, 0, b"c" * 53))
            at_start = self.flash.free()
            erases = sum(self.flash.erases)
            cost = self.programs(("journal", batch))
            if sum(self.flash.erases) == erases:
                sectors += self.flash.free() < at_start
                self.assertTrue(1 <= cost <= 2, (i, cost))
            self.store.tidy()
        self.assertTrue(sectors > 50)

    def test_a_change_of_a_thing_is_written_and_the_old_one_overwritten(self):
        costs = [self.programs(("put", USER, 1, user_record(1, b"n" * 20))) for _ in range(400)]
        self.assertTrue(min(costs) == 3)  # the record, the old one's mark, its bytes


class Full(unittest.TestCase):
    def fill_up(self, sectors, size):
        """(flash, store, model) with as many users of so many bytes as fit."""
        flash = RamFlash(sectors=sectors)
        store = opened(flash)
        model = Model()
        for number in range(store.users_max):
            step = ("put", USER, number, user_record(number, b"v" * size))
            try:
                do(store, step)
            except StoreFull:
                break
            model.apply(step)
        return flash, store, model

    def test_full_is_an_error_before_anything_is_lost(self):
        flash, store, model = self.fill_up(12, 250)
        self.assertTrue(len(model.values) > 70)
        self.assertEqual(contents(store), model.values)
        self.assertEqual(contents(again(flash)), model.values)
        programs = flash.programs
        for step in (
            ("put", USER, 3, user_record(3, b"w" * 600)),
            ("put", HOST, 1, b"h" * 350),
            ("put", USER, 100, user_record(100, b"v" * 320)),
        ):
            with self.assertRaises(StoreFull):
                do(store, step)
        self.assertEqual(flash.programs, programs)
        self.assertEqual(contents(store), model.values)

    def test_full_yet_verdicts_go_on_and_what_does_not_grow(self):
        flash, store, model = self.fill_up(12, 250)
        count = len(model.values)
        for i in range(3000):
            number = i * 7 % count
            step = ("journal", [(STATE, number, b"used %04d" % i), (EVENT, i, b"e" * 13)])
            if i % 10 == 0:
                step = ("put", USER, number, user_record(number, b"%d" % (i % 10) * 250))
            do(store, step)
            model.apply(step)
        self.assertEqual(contents(store), model.values)
        self.assertEqual(contents(again(flash)), model.values)

    def test_removing_makes_room(self):
        _, store, model = self.fill_up(12, 250)
        for number in (4, 5):
            do(store, ("delete", USER, number))
            model.apply(("delete", USER, number))
        step = ("put", USER, 100, user_record(100, b"v" * 250))
        do(store, step)
        model.apply(step)
        self.assertEqual(contents(store), model.values)

    def test_records_of_any_size_can_all_be_changed_and_all_be_removed(self):
        for size in (1, 13, 90, 200, 244, 245, 400, MAX_RECORD - 13):
            flash, store, model = self.fill_up(9, size)
            count = len(model.values)
            for letter in (b"x", b"y"):
                for number in range(count):
                    step = ("put", USER, number, user_record(number, letter * size))
                    do(store, step)
                    model.apply(step)
            self.assertEqual(contents(again(flash)), model.values)
            for number in range(count):
                store.delete(USER, number)
            self.assertEqual((contents(store), store.status()["used"]), ({}, 0))

    def test_a_record_over_the_limit(self):
        flash = RamFlash()
        store = opened(flash)
        store.put(HOST, 1, b"h" * MAX_RECORD)
        for step in (
            ("put", HOST, 1, b"h" * (MAX_RECORD + 1)),
            ("journal", [(STATE, 0, b"s" * 8), (EVENT, 0, b"e" * (MAX_RECORD + 1))]),
        ):
            with self.assertRaises(StoreFull):
                do(store, step)
        self.assertEqual(store.get(HOST, 1), b"h" * MAX_RECORD)

    def test_status(self):
        _, store, _ = self.fill_up(12, 250)
        status = store.status()
        self.assertEqual((status["size"], status["damaged"]), (12 * SECTOR, 0))
        self.assertTrue(status["free"] < 312)
        # Three quarters of what is left of twelve when two heads and three free ones are taken off.
        self.assertEqual(status["used"] + status["free"], 7 * (SECTOR - FIRST) * 3 // 4)


class Bounded(unittest.TestCase):
    """Near capacity, whatever comes: no call erases much, no sector is missing, nothing is refused but what
    grows."""

    def steps(self, dice, users, hot):
        while True:
            number = users[dice(hot)]
            kind = dice(100)
            if kind < 80:
                yield ("journal", [(STATE, number, b"s" * (8 + dice(9))), (EVENT, dice(65536), b"e" * 13)])
            elif kind < 95:
                yield ("put", USER, number, user_record(number, b"x" * (60 + dice(120))))
            elif kind < 97:
                yield ("delete", USER, number)
            else:
                yield ("put", HOST, dice(3), b"y" * (1 + dice(300)))

    def run_one(self, sectors, count, hot, tidy):
        dice = Dice(count + hot)
        flash = RamFlash(sectors=sectors)
        store = opened(flash)
        model = Model(fill(store, dice, 100))
        users = sorted(number for kind, number in model.values if kind == USER)
        refused = tidied = 0
        for step in valid(model, self.steps(dice, users, hot or len(users))):
            count -= 1
            if not count:
                break
            before = sum(flash.erases)
            try:
                do(store, step)
                model.apply(step)
            except StoreFull:
                self.assertEqual(step[0], "put")
                old = model.values.get(step[1:3])
                self.assertTrue(old is None or len(old) < len(step[3]), step)
                refused += 1
            written = sum(flash.erases)
            self.assertTrue(written - before <= 2)
            if tidy:
                store.tidy()
                self.assertTrue(sum(flash.erases) - written <= 1)
                tidied += sum(flash.erases) - written
            if sum(flash.erases) > before:
                self.assertTrue(flash.free() >= 1)
        self.assertEqual(contents(store), model.values)
        self.assertEqual(contents(again(flash)), model.values)
        return refused, tidied

    def test_without_a_rest(self):
        for sectors, count, hot in ((8, 4000, 0), (9, 4000, 3), (12, 4000, 3), (16, 6000, 0), (16, 6000, 5)):
            refused, _ = self.run_one(sectors, count, hot, False)
            self.assertTrue(refused > 0 or hot)

    def test_with_a_rest_between_requests_which_is_not_used_to_wear_the_flash(self):
        for sectors, count, hot in ((8, 3000, 0), (12, 4000, 3), (16, 4000, 0)):
            _, tidied = self.run_one(sectors, count, hot, True)
            self.assertTrue(0 < tidied < count // 10, (sectors, tidied))

    def test_a_request_of_many_appends_does_not_wait_for_more_erases_than_one(self):
        for sectors, seed in ((12, 1), (16, 2)):
            dice = Dice(seed)
            flash = RamFlash(sectors=sectors)
            store = opened(flash)
            model = Model(fill(store, dice, 100))
            users = sorted(number for kind, number in model.values if kind == USER)
            erases = []
            for _ in range(700):
                store.log.begin()
                before = sum(flash.erases)
                for _ in range(5):
                    number = users[dice(len(users))]
                    record = model.values[USER, number]
                    for step in (
                        ("journal", [(STATE, number, b"s" * 8), (EVENT, 0, b"e" * (13 + dice(200)))]),
                        ("put", USER, number, record[:8] + dice.some(9) + record[17:]),
                    ):
                        do(store, step)
                        model.apply(step)
                erases.append(sum(flash.erases) - before)
                for _ in range(3):
                    store.tidy()
            self.assertTrue(sum(flash.erases) > 20 * sectors)
            self.assertTrue(max(erases) <= 2, max(erases))
            self.assertEqual(contents(again(flash)), model.values)

    def test_a_burst_of_sectors_that_give_nothing(self):
        """The oldest of the journal full of what is current: cleaning them gains nothing, one by one."""
        flash = RamFlash(sectors=40)
        store = opened(flash)
        users = range(600)
        for number in users:
            store.put(USER, number, user_record(number, b""))
        for number in users:
            store.journal([(STATE, number, b"%05d" % number * 4)])
        for i in range(6000):
            store.journal([(STATE, 0, b"s" * 8), (EVENT, i & 0xFFFF, b"e" * 13)])
        found = contents(again(flash))
        self.assertEqual([found[STATE, number] for number in users][1:], [b"%05d" % n * 4 for n in users][1:])


if __name__ == "__main__":
    unittest.main()
