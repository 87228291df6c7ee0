# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The clock by itself: its states, its floor, its error, the spans of time that it has shown."""

import unittest

from parts import NOW
from understudy_device import protocol, records
from understudy_device.clock import Clock
from understudy_device.errors import ClockRefused

HOUR, DAY = 3600, 86400


class Ticker:
    """An uptime to turn by hand."""

    def __init__(self):
        self.up = 0

    def __call__(self):
        return self.up


class States(unittest.TestCase):
    def setUp(self):
        self.uptime = Ticker()
        self.clock = Clock(self.uptime)

    def test_unset_until_told(self):
        self.assertEqual((self.clock.state, self.clock.now(), self.clock.error), ("unset", None, None))

    def test_synced_then_holdover_with_a_growing_error(self):
        self.clock.set(NOW, "admin")
        self.assertEqual((self.clock.state, self.clock.error), ("synced", 2))
        self.uptime.up = DAY
        self.assertEqual((self.clock.state, self.clock.now()), ("holdover", NOW + DAY))
        self.assertEqual(self.clock.error, 2 + 5)  # 50 ppm of a day are 4.32 s
        self.uptime.up = 30 * DAY
        self.assertEqual(self.clock.error, 2 + 130)

    def test_a_platform_clock_before_the_floor_is_not_believed(self):
        clock = Clock(self.uptime, NOW)
        clock.start(NOW - 1, "rtc")
        self.assertEqual(clock.state, "unset")
        clock.start(NOW, "rtc")
        self.assertEqual((clock.state, clock.source), ("synced", "rtc"))

    def test_a_followed_clock_that_falls_behind_the_floor_is_not_believed(self):
        times = [NOW]
        clock = Clock(self.uptime, NOW)
        clock.follow(lambda: times[0], "system")
        self.assertEqual(clock.state, "synced")
        times[0] -= 1
        self.assertEqual((clock.state, clock.show()["source"]), ("unset", None))

    def test_back_only_when_insisted_on(self):
        self.clock.set(NOW, "admin")
        with self.assertRaises(ClockRefused):
            self.clock.set(NOW - 1, "admin")
        self.assertEqual(self.clock.now(), NOW)
        self.clock.set(NOW - 1, "admin", back=True)
        self.assertEqual((self.clock.now(), self.clock.floor), (NOW - 1, NOW - 1))

    def test_from_the_first_second_to_the_last(self):
        for time in (0, protocol.MAX_TIME):
            self.clock.set(time, "admin", back=True)
            self.uptime.up += 5
            self.assertEqual((self.clock.now(), self.clock.state), (time + 5, "synced"))

    def test_the_floor_follows_an_hour_behind_at_most(self):
        self.clock.set(NOW, "admin")
        moved = []
        for _ in range(3 * HOUR):
            self.uptime.up += 1
            floor = self.clock.next_floor()
            if floor is not None:
                moved.append((self.uptime.up, floor - NOW))
                self.clock.floor = floor
        hour = HOUR - 60  # it stays a minute behind
        self.assertEqual(moved, [(HOUR, hour), (HOUR + hour, 2 * hour), (HOUR + 2 * hour, 3 * hour)])
        self.assertIsNone(Clock(self.uptime).next_floor())  # unset


class Spans(unittest.TestCase):
    """What the clock has shown before its present run."""

    def clock(self, *times):
        """A clock set to each of them, and shown for 100 seconds."""
        uptime = Ticker()
        clock = Clock(uptime)
        for time in times:
            clock.set(time, "admin", back=True)
            uptime.up += 100
        return clock

    def test_every_run_but_the_present_one(self):
        clock = self.clock(NOW, NOW + DAY, NOW - DAY)
        wanted = [(0, HOUR), (NOW, NOW + 100), (NOW + DAY, NOW + DAY + 100)]
        self.assertEqual((clock.run, clock.began, clock.spans), (3, NOW - DAY, wanted))
        self.assertEqual(clock.unseen(NOW - DAY), (HOUR, NOW))
        self.assertEqual(clock.unseen(NOW + 500), (NOW + 100, NOW + DAY))
        self.assertEqual(clock.unseen(NOW + 2 * DAY), (NOW + DAY + 100, None))

    def test_overlapping_ones_become_one(self):
        clock = self.clock(NOW, NOW + 50, NOW + 30, NOW + 90, NOW + 5 * DAY)
        self.assertEqual(clock.spans, [(0, HOUR), (NOW, NOW + 190)])

    def test_too_many_lose_the_smallest_gap_and_nothing_that_was_seen(self):
        times = [NOW + number * number * DAY for number in range(1, 30)]
        clock = self.clock(*times)
        self.assertLessEqual(len(clock.spans), 8)
        for time in times[:-1]:
            self.assertTrue([span for span in clock.spans if span[0] <= time and time + 100 <= span[1]])
        for (_, end), (begin, _) in zip(clock.spans, clock.spans[1:]):
            self.assertLess(end, begin)

    def test_a_run_whose_end_nobody_knows(self):
        """After power-up all that is known is the floor, which lags behind by up to an hour."""
        clock = Clock(Ticker(), NOW, 4, NOW - DAY, [])
        clock.set(NOW + DAY, "admin")
        self.assertEqual(clock.spans, [(NOW - DAY, NOW + HOUR)])

    def test_many_settings_are_kept_in_a_record_of_one_size(self):
        sizes, clock = set(), Clock(Ticker())
        for number in range(50):
            clock.set(NOW + number * number * DAY * (-1) ** number // 4, "admin", back=True)
            packed = records.pack_clock(clock.floor, clock.run, clock.began, clock.spans)
            self.assertEqual(records.unpack_clock(packed)[3], clock.spans)
            sizes.add(len(packed))
        self.assertTrue(len(sizes) <= 9)  # eight spans, or fewer


if __name__ == "__main__":
    unittest.main()
