# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The clock of an operating system: believed while that says it is synchronised, and left behind after."""

import os
import unittest

from asking import TOTP, events, verify
from parts import NOW, Bench, BenchBoard
from ports.linux_clock import SystemClock

DAY = 86400


class System:
    """An operating system's clock; `off`: seconds that it is wrong."""

    def __init__(self, board, off=0):
        self.board, self.off, self.is_synchronised = board, off, False

    def read(self):
        return NOW + self.board.up + self.off

    def error(self):
        return 1 if self.is_synchronised else None


def powered(off=0):
    """A device that does not know the time, and the system that it runs on."""
    board = BenchBoard(time=None)
    board.system_clock = System(board, off)
    bench = Bench(board)
    bench.enrol()
    wait(bench, 2)
    return bench, board.system_clock


def wait(bench, seconds):
    bench.board.up += seconds
    bench.device.tick()


def shown(bench):
    clock = bench.ask("clock_show")
    return clock["state"], clock["time"], clock["source"]


class Followed(unittest.TestCase):
    def test_hours_wrong_and_never_synchronised_is_not_believed(self):
        bench, _ = powered(off=-5 * 3600)
        self.assertEqual(shown(bench), ("unset", None, None))
        self.assertEqual(verify(bench, TOTP.at(NOW)), "clock-unset")

    def test_synchronised_it_is_followed_step_and_all(self):
        bench, system = powered(off=-5 * 3600)
        system.off, system.is_synchronised = 0, True
        wait(bench, 1)
        self.assertEqual(shown(bench), ("synced", NOW + 3, "system"))
        self.assertEqual(bench.ask("clock_show")["error"], 1)
        system.off = 7
        self.assertEqual(shown(bench), ("synced", NOW + 10, "system"))
        self.assertIn("clock-synced", [event.name for _, event, _, _ in events(bench)])

    def test_the_network_gone_it_goes_on_alone_and_says_so_after_a_day(self):
        bench, system = powered()
        system.is_synchronised = True
        wait(bench, 1)
        system.is_synchronised = False
        wait(bench, 1)
        system.off = 4000  # nobody looks after it
        wait(bench, 3600)
        self.assertEqual(shown(bench), ("synced", NOW + 3604, "system"))
        wait(bench, DAY)
        self.assertEqual(shown(bench), ("holdover", NOW + 3604 + DAY, "system"))
        self.assertEqual(verify(bench, TOTP.at(NOW + 3604 + DAY)), "accepted")
        system.off, system.is_synchronised = 0, True
        wait(bench, 1)
        self.assertEqual(shown(bench)[0], "synced")

    def test_what_an_admin_sets_stays(self):
        bench, system = powered()
        system.is_synchronised = True
        wait(bench, 1)
        self.assertEqual(shown(bench)[2], "system")
        bench.ask("clock_set", time=NOW + 900)
        wait(bench, 10)
        self.assertEqual(shown(bench)[1:], (NOW + 910, "admin"))

    def test_before_the_floor_it_is_no_time(self):
        bench, system = powered(off=-DAY)
        bench.ask("clock_set", time=NOW)
        system.is_synchronised = True
        wait(bench, 1)
        self.assertEqual(shown(bench), ("synced", NOW + 1, "admin"))  # what is known is not given up for it
        system.off = 0
        wait(bench, 1)
        self.assertEqual(shown(bench), ("synced", NOW + 4, "system"))
        system.off = -DAY
        self.assertEqual(shown(bench)[0], "unset")
        system.is_synchronised = False
        wait(bench, 1)
        self.assertEqual(shown(bench)[0], "unset")


class Mark(unittest.TestCase):
    def setUp(self):
        self.path = "understudy-mark-%s" % os.urandom(4).hex()
        with open(self.path, "w"):
            pass
        self.touched = os.stat(self.path)[8]

    def tearDown(self):
        os.remove(self.path)

    def error(self, age, mark=None, told=None):
        clock = SystemClock(self.path if mark is None else mark, lambda: self.touched + age, lambda: told)
        return clock.error()

    def test_its_age_tells(self):
        self.assertEqual([self.error(age) for age in (0, 1, 20000, DAY - 1)], [1, 2, 3, 10])
        self.assertEqual([self.error(age) for age in (DAY, 10 * DAY, -1)], [None] * 3)

    def test_a_mark_that_is_named_counts_alone(self):
        self.assertIsNone(self.error(0, mark=self.path + "-none", told=1000))

    def test_the_kernel_is_asked_where_there_is_none(self):
        os.remove(self.path)
        none = SystemClock("", lambda: 0, lambda: None)  # 1970: timesyncd's mark, if any, lies ahead
        self.assertIsNone(none.error())
        told = SystemClock("", lambda: 0, lambda: 1500000)
        self.assertEqual(told.error(), 3)
        with open(self.path, "w"):
            pass
