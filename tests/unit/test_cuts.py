# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The power goes at every flash operation of a workload over all kinds, cleaning of both streams included,
and the operation is torn in every way."""

import sys
import unittest

from parts import TEARS, CutFlash, torn
from storeparts import Dice, Model, RamFlash, again, contents, do, opened, user_record, valid
from understudy_device.errors import StoreFull
from understudy_device.records import CLOCK, EVENT, HOST, LIMIT, SEED, STATE, USER
from understudy_device.sectors import JOURNAL, PAGE, SECTOR, THINGS

SECTORS = 8
USERS = 20
BUT_THE_FIRST_PAGE = "all but the first page"
BEFORE = 250  # steps that go round the flash first
# MicroPython takes a few of the cuts only: they are the same ones.
EVERY = 1 if sys.implementation.name == "cpython" else 7


def steps(count):
    """Large records, so that few go round the flash many times."""
    dice = Dice(count)
    for i in range(count):
        number = dice(USERS)
        kind = dice(100)
        if kind < 45:
            batch = [(STATE, number, b"%08d" % i), (EVENT, i, b"e" * (13 + dice(1200)))]
            if kind < 15:
                batch.insert(1, (LIMIT, 0, b"%04d" % i))
            if kind < 8:
                batch.insert(0, (CLOCK, 0, b"clock %d" % i))
            yield ("journal", batch)
        elif kind < 70:
            yield ("put", USER, number, user_record(number, b"%03d" % i * (1 + dice(250))))
        elif kind < 80:
            yield ("put", HOST, number % 3, b"host %03d" % i * (1 + dice(60)))
        elif kind < 85:
            yield ("put", SEED, 0, b"seed %06d" % i * 3)
        elif kind < 93:
            yield ("delete", USER, number)
        elif kind < 95:
            yield ("delete", HOST, number % 3)
        else:
            yield ("tidy",)


def take(store, model, step):
    """One step by both."""
    try:
        if step[0] == "tidy":
            store.tidy()
        else:
            do(store, step)
            model.apply(step)
    except StoreFull:
        if step[0] != "put" or len(model.values.get(step[1:3], b"")) >= len(step[3]):
            raise


class Cuts(unittest.TestCase):
    def test_whatever_was_acknowledged_is_there_after_any_cut(self):
        flash, model, count = CutFlash(sectors=SECTORS), Model(), 0
        store = opened(flash)
        cleaned = {THINGS: 0, JOURNAL: 0}
        for number, step in enumerate(valid(model, steps(BEFORE + 170))):
            if number < BEFORE:
                take(store, model, step)
                continue
            before, image = Model(model.values), flash.image()
            flash.operations.clear()
            take(store, model, step)
            for offset, data in flash.operations:
                if len(data) == SECTOR:
                    cleaned[image[offset + 5]] += 1
                erase = len(data) == SECTOR
                for tear in TEARS + ((BUT_THE_FIRST_PAGE,) if erase else ()):
                    if count % EVERY == 0:
                        old = image[offset : offset + len(data)]
                        left = (
                            old[:PAGE] + data[PAGE:] if tear not in TEARS else torn(tear, offset, old, data)
                        )
                        whole = image[:offset] + left + image[offset + len(data) :]
                        self.check((count, tear, step[:2]), whole, before.values, model.values)
                    count += 1
                image = image[:offset] + data + image[offset + len(data) :]
        self.assertTrue(count > 1500)
        self.assertTrue(min(cleaned.values()) >= 8, cleaned)

    def check(self, where, image, before, after):
        """All that was acknowledged is there; of the step that was cut, each value is the old or the new one;
        and it goes on from there."""
        flash = RamFlash(image)
        store = opened(flash)
        if where[1] == BUT_THE_FIRST_PAGE:  # the sector counts as free by then
            self.assertEqual((where, store.status()["damaged"]), (where, 0))
        found = contents(store)
        for key in set(before) | set(after) | set(found):
            if found.get(key) not in (before.get(key), after.get(key)):
                self.assertEqual((where, key, found.get(key)), (where, before.get(key), after.get(key)))
        model = Model(found)
        more = [("put", SEED, 0, b"after"), ("journal", [(STATE, 3, b"after it"), (EVENT, 7, b"e" * 400)])]
        more += [("delete", USER, where[0] % USERS), ("put", USER, 3, user_record(3, b"after" * 30))]
        for step in valid(model, more):
            take(store, model, step)
        self.assertEqual((where, contents(again(flash))), (where, model.values))
        self.assertTrue(flash.free() >= 1)


class Again(unittest.TestCase):
    """Cuts upon cuts: each start is cut short, too."""

    def run_one(self, seed):
        dice = Dice(seed)
        flash, model = CutFlash(sectors=SECTORS), Model()
        cuts = 0
        store = opened(flash)
        for step in valid(model, steps(600)):
            before = model.copy()
            flash.cut_at, flash.tear = len(flash.operations) + dice(8), TEARS[dice(4)]
            try:
                take(store, model, step)
            except Exception:
                if not flash.dead:
                    raise
                cuts += 1
                image = flash.image()
                flash = CutFlash(image, SECTORS)
                store = opened(flash)
                found = contents(store)
                after = before.copy()
                if step[0] != "tidy":
                    after.apply(step)
                for key in set(before.values) | set(after.values) | set(found):
                    if found.get(key) not in (before.values.get(key), after.values.get(key)):
                        self.assertEqual((cuts, key, found.get(key)), (cuts, before.values, after.values))
                model.values = found
                if step[:2] == ("put", USER) and step[1:3] not in found:
                    # Nobody keeps the state without the user.
                    do(store, ("journal", [(STATE, step[2], b"%08d" % step[2])]))
                take(store, model, step)
            self.assertTrue(RamFlash(flash.image()).free() >= 1)
        self.assertEqual(contents(again(flash)), model.values)
        return cuts

    def test_one_cut_after_the_other(self):
        for seed in range(1, 6):
            self.assertTrue(self.run_one(seed) > 100)


if __name__ == "__main__":
    unittest.main()
