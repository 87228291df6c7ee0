# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The clock: its states, its floor, its error; set back and forth without a replay and without locking anyone
out."""

import unittest

import pyotp
from parts import NOW, Bench
from understudy_device import records
from understudy_device.clock import Clock
from understudy_device.compat import sha256
from understudy_device.errors import ClockRefused
from understudy_device.policy import Moment, is_fresh
from understudy_device.records import Use

TOTP = pyotp.TOTP("GEYTCMJRGEYTCMJRGEYTCMJRGEYTCMJR")
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400


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

    def test_times_beyond_32_bits(self):
        self.clock.set(20000000000, "admin")
        self.uptime.up = 5
        self.assertEqual(self.clock.now(), 20000000005)


class Turned(unittest.TestCase):
    """Codes used at one time must stay used at another; see shared measurements of what others do here."""

    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def set(self, time, **fields):
        return self.bench.ask("clock_set", time=time, **fields)["status"]

    def verify(self, time):
        return self.bench.ask("verify", user="alice", code=TOTP.at(time))["status"]

    def test_back_an_hour_and_corrected(self):
        self.assertEqual(self.verify(NOW), "accepted")
        self.bench.board.up += HOUR
        self.assertEqual(self.verify(NOW + HOUR), "accepted")
        for back in (HOUR, HOUR - 600, DAY, YEAR, NOW + HOUR):
            then = NOW + HOUR - back
            self.assertEqual(self.set(then), "clock-refused")
            self.assertEqual(self.set(then, back=True), "ok")
            self.assertEqual(self.verify(then), "replayed")
            self.assertEqual(self.verify(NOW), "replayed" if then == NOW else "rejected")
            self.assertEqual(self.set(NOW + HOUR), "ok")
            self.assertEqual(self.verify(NOW + HOUR), "replayed")
        self.assertEqual(self.set(NOW + HOUR + 60), "ok")
        self.assertEqual(self.verify(NOW + HOUR + 60), "accepted")

    def test_ten_years_ahead_and_back_locks_nobody_out_and_replays_nothing(self):
        self.assertEqual(self.verify(NOW), "accepted")
        far = NOW + 10 * YEAR
        self.assertEqual(self.set(far), "ok")
        self.assertEqual(self.verify(far), "accepted")
        self.bench.restart()
        self.assertEqual(self.verify(NOW + 60), "clock-unset")  # before the floor now
        self.assertEqual(self.set(NOW + 60, back=True), "ok")
        self.assertEqual(self.verify(NOW), "rejected")
        self.assertEqual(self.verify(NOW + 60), "replayed")  # may have been used before the mistake
        self.bench.board.up += 600
        self.assertEqual(self.verify(NOW + 660), "accepted")
        self.assertEqual(self.verify(NOW + 660), "replayed")
        self.bench.restart()
        self.assertEqual(self.set(NOW + 660), "ok")
        self.assertEqual(self.verify(NOW + 660), "replayed")

    def test_two_mistakes_in_a_row_can_be_undone(self):
        self.assertEqual(self.verify(NOW), "accepted")
        for years in (5, 50):
            self.assertEqual(self.set(NOW + years * YEAR), "ok")
            self.assertEqual(self.verify(NOW + years * YEAR), "accepted")
        self.assertEqual(self.set(NOW + 1000, back=True), "ok")
        self.assertEqual(self.verify(NOW + 1000), "accepted")
        self.assertEqual(self.verify(NOW + 1000), "replayed")

    def test_a_clock_a_few_seconds_fast_is_put_right(self):
        self.bench.board.time = None
        self.bench.restart()
        self.assertEqual(self.set(NOW + 40), "ok")
        self.assertEqual(self.verify(NOW + 40), "accepted")
        self.assertEqual(self.set(NOW + 35, back=True), "ok")
        self.assertEqual(self.verify(NOW + 40), "replayed")

    def test_used_after_going_back_and_visited_again(self):
        self.assertEqual(self.set(NOW + 10 * HOUR), "ok")
        self.assertEqual(self.set(NOW + 2 * HOUR, back=True), "ok")
        self.assertEqual(self.verify(NOW + 2 * HOUR), "accepted")
        self.assertEqual(self.set(NOW + 11 * HOUR), "ok")
        self.assertEqual(self.verify(NOW + 11 * HOUR), "accepted")
        self.assertEqual(self.set(NOW + 2 * HOUR - 10, back=True), "ok")
        self.assertEqual(self.verify(NOW + 2 * HOUR), "replayed")

    def test_going_back_after_an_honest_leap_replays_nothing(self):
        # Overnight without power, set in the morning: a leap like any other. Then used, then set back by an
        # hour.
        morning = NOW + 10 * HOUR
        self.assertEqual(self.verify(NOW), "accepted")
        self.assertEqual(self.set(morning), "ok")
        self.bench.board.up += 2 * HOUR
        self.assertEqual(self.verify(morning + 2 * HOUR), "accepted")
        self.assertEqual(self.set(morning + HOUR, back=True), "ok")
        self.assertEqual(self.verify(morning + HOUR), "replayed")

    def test_the_floor_follows_use_and_survives(self):
        self.bench.board.up += 2 * HOUR
        self.assertEqual(self.verify(NOW + 2 * HOUR), "accepted")
        self.bench.restart()  # the bench's time at power-up lies two hours back
        self.assertEqual(self.bench.ask("clock_show")["floor"], NOW + 2 * HOUR)
        self.assertEqual(self.verify(NOW), "clock-unset")


def pack(clock):
    """What is on flash of a clock."""
    return records.pack_clock(clock.floor, clock.run, clock.began, clock.spans)


class AnyHistory(unittest.TestCase):
    """The clock turned at random, restarts in between: no step is accepted twice, whatever came before."""

    INTERVAL = 30

    def numbers(self, seed):
        state = sha256(seed)
        while True:
            state = sha256(state)
            yield int.from_bytes(state[:4], "big") & 0x3FFFFFFF

    def test_no_step_is_ever_accepted_twice(self):
        accepted = 0
        for seed in range(60):
            numbers = self.numbers(b"history%d" % seed)
            uptime, use, used = Ticker(), Use(), set()
            clock = Clock(uptime)
            clock.set(NOW, "admin")
            flash = pack(clock)
            for _ in range(80):
                act = next(numbers) % 8
                if act == 0:  # anywhere near what matters
                    reach = (60, HOUR, DAY, 3 * YEAR)[next(numbers) % 4]
                    time = max(0, clock.floor - reach + next(numbers) % (2 * reach))
                    clock.set(time, "admin", back=True)
                elif act == 1:  # power off and on: what is on flash is what the last write said
                    uptime = Ticker()
                    clock = Clock(uptime, *records.unpack_clock(flash))
                elif act == 2:
                    uptime.up += next(numbers) % (2 * HOUR)
                else:
                    uptime.up += next(numbers) % 40
                flash = pack(clock)
                moment = Moment(clock)
                if moment.now is None:
                    continue
                window = (0, 1, 10)[next(numbers) % 3]
                step = max(0, moment.now // self.INTERVAL - window + next(numbers) % (2 * window + 1))
                if is_fresh(step, use, self.INTERVAL, moment):
                    self.assertFalse(step in used)
                    used.add(step)
                    use = Use.unpack(Use(max(use.last, step), step, moment.run).pack())
                    if clock.advance_floor():
                        flash = pack(clock)
                    accepted += 1
        self.assertTrue(accepted > 500)

    def test_the_right_time_lets_everyone_in_again(self):
        for mistakes in ((10 * YEAR,), (YEAR, 10 * YEAR, 100 * YEAR), (DAY, -DAY, YEAR, -YEAR, 5 * YEAR)):
            uptime, use = Ticker(), Use()
            clock = Clock(uptime)
            clock.set(NOW, "admin")
            for mistake in mistakes:
                clock.set(NOW + mistake, "admin", back=True)
                uptime.up += 100
                moment = Moment(clock)
                step = moment.now // self.INTERVAL
                if is_fresh(step, use, self.INTERVAL, moment):
                    use = Use(max(use.last, step), step, moment.run)
            clock.set(NOW + 2 * DAY, "admin", back=True)
            moment = Moment(clock)
            self.assertTrue(is_fresh(moment.now // self.INTERVAL, use, self.INTERVAL, moment))

    def test_many_settings_are_kept_in_a_record_of_one_size(self):
        sizes, clock = set(), Clock(Ticker())
        for number in range(50):
            clock.set(NOW + number * number * DAY * (-1) ** number, "admin", back=True)
            packed = pack(clock)
            self.assertEqual(records.unpack_clock(packed)[3], clock.spans)
            sizes.add(len(packed))
        self.assertEqual(len(sizes), 1)


if __name__ == "__main__":
    unittest.main()
