# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The clock turned every way: no code is good twice, nobody is locked out for good, and every turn is in the
audit log."""

import unittest

import pyotp
from asking import HOTP, OTHER_HEX, TOTP, bypass, cuts, enrol_hotp, events, recovery, verify
from parts import NOW, Bench, BenchBoard, CutFlash, Randomness
from test_clock import Ticker
from understudy_device import protocol, records
from understudy_device.clock import Clock
from understudy_device.policy import RESYNC_STEPS, Moment, is_fresh
from understudy_device.protocol import MAX_WINDOW
from understudy_device.users import TotpUse

HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
MARGIN = (MAX_WINDOW + RESYNC_STEPS + 1) * 30  # seconds, see policy.is_fresh


class Turned(unittest.TestCase):
    """Codes used at one time must stay used at another; see the peers' measurements of what others do."""

    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def set(self, time, **fields):
        return self.bench.ask("clock_set", time=time, **fields)["status"]

    def verify(self, time):
        return verify(self.bench, TOTP.at(time))

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
        later = NOW + 60 + HOUR + MARGIN  # the first run's end is known to the hour
        self.bench.board.up += HOUR + MARGIN
        self.assertEqual([self.verify(later) for _ in range(2)], ["accepted", "replayed"])
        self.bench.restart()
        self.assertEqual(self.set(later), "ok")
        self.assertEqual(self.verify(later), "replayed")

    def test_again_and_again(self):
        """Whatever was accepted at any time shown is never accepted at it again."""
        times = [NOW, NOW + HOUR, NOW + YEAR, HOUR, NOW + 10 * YEAR, NOW - 10 * YEAR, NOW, NOW + HOUR, HOUR]
        times += [NOW + 2 * HOUR, NOW + 3 * HOUR, NOW + 10 * YEAR, NOW + 2 * HOUR, 0, NOW + 3 * DAY]
        accepted = []
        for time in times:
            self.assertEqual(self.set(time, back=True), "ok")
            if self.verify(time) == "accepted":
                accepted.append(time)
        self.assertEqual(len(accepted), len(set(accepted)))
        self.assertEqual(accepted[-1], NOW + 3 * DAY)  # in the end the right time lets in

    def test_two_mistakes_in_a_row_can_be_undone(self):
        self.assertEqual(self.verify(NOW), "accepted")
        for years in (5, 50):
            self.assertEqual(self.set(NOW + years * YEAR), "ok")
            self.assertEqual(self.verify(NOW + years * YEAR), "accepted")
        right = NOW + HOUR + MARGIN + 60
        self.assertEqual(self.set(right, back=True), "ok")
        self.assertEqual([self.verify(right) for _ in range(2)], ["accepted", "replayed"])

    def test_a_clock_a_few_seconds_fast_is_put_right(self):
        self.bench.board.time = None
        self.bench.restart()
        self.assertEqual(self.set(NOW + 40), "ok")
        self.assertEqual(self.verify(NOW + 40), "accepted")
        self.assertEqual(self.set(NOW + 35, back=True), "ok")
        self.assertEqual(self.verify(NOW + 40), "replayed")
        self.bench.board.up += 35
        self.assertEqual(self.verify(NOW + 70), "accepted")  # nobody who was no further waits longer

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

    def test_the_farthest_code_of_a_resync_is_not_good_after_a_turn(self):
        far = NOW + 10 * YEAR
        self.set(far)
        reach = RESYNC_STEPS * 30
        codes = {"code1": TOTP.at(far + reach - 30), "code2": TOTP.at(far + reach)}
        self.assertEqual(self.bench.ask("resync", user="alice", **codes)["drift"], RESYNC_STEPS)
        self.assertEqual(self.verify(far + reach + 30), "accepted")
        self.set(far + 20 * YEAR)  # somewhere after it, so that the last step is ahead
        self.assertEqual(self.verify(far + 20 * YEAR), "accepted")
        for ahead, expected in ((0, "rejected"), (reach, "replayed"), (reach + 60, "replayed")):
            self.set(far + ahead, back=True)
            self.assertEqual(self.verify(far + reach + 30), expected)
        self.set(far + 2 * MARGIN, back=True)
        self.assertEqual(self.verify(far + 2 * MARGIN), "accepted")

    def test_other_kinds_do_not_care(self):
        enrol_hotp(self.bench, "bob")
        codes = recovery(self.bench, "bob")
        made = bypass(self.bench, 600, "bob")
        for number, time in enumerate((NOW + YEAR, 0, NOW + 10 * YEAR, NOW)):
            self.set(time, back=True)
            for code in (HOTP.at(number), codes[number]):
                self.assertEqual(
                    [verify(self.bench, code, "bob") for _ in range(2)], ["accepted", "replayed"]
                )
        self.assertEqual(verify(self.bench, made, "bob"), "accepted")  # back in its time
        self.set(0, back=True)
        self.assertEqual(verify(self.bench, made, "bob"), "replayed")

    def test_on_beyond_the_last_time_and_back(self):
        self.set(protocol.MAX_TIME)
        for _ in range(3):
            self.bench.board.up += 2 * HOUR
            time = self.bench.ask("clock_show")["time"]
            self.assertEqual([self.verify(time) for _ in range(2)], ["accepted", "replayed"])
        self.assertEqual(self.set(NOW + DAY, back=True), "ok")
        self.assertEqual([self.verify(NOW + DAY) for _ in range(2)], ["accepted", "replayed"])

    def test_the_floor_follows_use_and_survives(self):
        self.bench.board.up += 2 * HOUR
        self.assertEqual(self.verify(NOW + 2 * HOUR), "accepted")
        self.bench.restart()  # the bench's time at power-up lies two hours back
        self.assertEqual(self.bench.ask("clock_show")["floor"], NOW + 2 * HOUR - 60)
        self.assertEqual(self.verify(NOW), "clock-unset")

    def test_every_turn_is_in_the_log_with_both_times(self):
        first = events(self.bench)[-1][0] + 1
        times = [NOW + HOUR, NOW, NOW + 10 * YEAR, 0, protocol.MAX_TIME, NOW]
        for time in times:
            self.set(time, back=True)
        self.assertEqual(self.set(5), "clock-refused")  # nothing was turned
        self.bench.board.time = None
        self.bench.restart()
        self.set(NOW + 9)
        said = [(e.name, detail) for _, e, _, detail in events(self.bench, first) if e.name == "clock-set"]
        wanted = ["%d -> %d" % pair for pair in zip([NOW] + times, times)] + ["unset -> %d" % (NOW + 9)]
        self.assertEqual(said, [("clock-set", detail) for detail in wanted])

    def test_cut_anywhere_no_turn_is_silent(self):
        before = events(self.bench)[-1][0]
        for after, _ in cuts(self.bench, lambda cut: cut.ask("clock_set", time=5, back=True)):
            logged = [e.name for _, e, _, _ in events(after, before + 1)].count("clock-set")
            if after.ask("clock_show")["floor"] == 5:
                self.assertEqual(logged, 1)


def pack(clock):
    """What is on flash of a clock."""
    return records.pack_clock(clock.floor, clock.run, clock.began, clock.spans)


def numbers(seed):
    """Random ones, below 2^30, the same in every run."""
    random = Randomness(seed)
    while True:
        yield int.from_bytes(random(4), "big") & 0x3FFFFFFF


class AnyHistory(unittest.TestCase):
    """The clock turned at random, restarts in between: no step is accepted twice, whatever came before."""

    INTERVAL = 30

    def turn(self, clock, random):
        """To anywhere near what matters."""
        reach = (60, HOUR, DAY, 3 * YEAR)[next(random) % 4]
        time = max(0, clock.floor - reach + next(random) % (2 * reach))
        clock.set(min(time, protocol.MAX_TIME), "admin", back=True)

    def test_no_step_is_ever_accepted_twice(self):
        accepted = 0
        for seed in range(60):
            random = numbers(b"history%d" % seed)
            ticks, use, used = Ticker(), TotpUse(), set()
            clock = Clock(ticks)
            clock.set(NOW, "admin")
            flash = pack(clock)
            for _ in range(80):
                act = next(random) % 8
                if act == 0:
                    self.turn(clock, random)
                elif act == 1:  # power off and on: what is on flash is what the last write said
                    ticks = Ticker()
                    clock = Clock(ticks, *records.unpack_clock(flash))
                else:
                    ticks.up += next(random) % (2 * HOUR if act == 2 else 40)
                flash = pack(clock)
                moment = Moment(clock)
                if moment.now is None:
                    continue
                # As far as a window around a drift reaches that a resync has set.
                reach = (0, 1, MAX_WINDOW, MAX_WINDOW + RESYNC_STEPS)[next(random) % 4]
                step = max(0, moment.now // self.INTERVAL - reach + next(random) % (2 * reach + 1))
                if is_fresh(step, use, self.INTERVAL, moment):
                    self.assertFalse(step in used)
                    used.add(step)
                    use = TotpUse.unpack(TotpUse(max(use.last, step), 0, step, moment.run).pack())
                    clock.floor = clock.next_floor() or clock.floor
                    flash = pack(clock)
                    accepted += 1
        self.assertTrue(accepted > 500)

    def test_the_right_time_lets_everyone_in_again(self):
        for mistakes in ((10 * YEAR,), (YEAR, 10 * YEAR, 60 * YEAR), (DAY, -DAY, YEAR, -YEAR, 5 * YEAR)):
            ticks, use = Ticker(), TotpUse()
            clock = Clock(ticks)
            clock.set(NOW, "admin")
            for mistake in mistakes:
                clock.set(NOW + mistake, "admin", back=True)
                ticks.up += 100
                moment = Moment(clock)
                step = moment.now // self.INTERVAL
                if is_fresh(step, use, self.INTERVAL, moment):
                    use = TotpUse(max(use.last, step), 0, step, moment.run)
            clock.set(NOW + 2 * DAY, "admin", back=True)
            moment = Moment(clock)
            self.assertTrue(is_fresh(moment.now // self.INTERVAL, use, self.INTERVAL, moment))


class AnyHistoryOfADevice(unittest.TestCase):
    """The same over the service, with power cuts, drift, and credentials of several intervals."""

    def history(self, seed):
        """How many codes were accepted."""
        random = numbers(b"device%d" % seed)
        bench, used = Bench(BenchBoard(CutFlash(sectors=12))), set()
        intervals = {"a": 30, "b": 5, "c": 300}
        for user, interval in intervals.items():
            bench.enrol(user, interval=interval, window=(1, 10, 0)[next(random) % 3], secret=OTHER_HEX)
        hotp = pyotp.HOTP(pyotp.base32.encode(b"2" * 20))
        for _ in range(60):
            act, shown = next(random) % 10, bench.ask("clock_show")
            if act == 0 or shown["time"] is None:
                reach = (60, HOUR, DAY, 3 * YEAR)[next(random) % 4]
                time = max(0, shown["floor"] - reach + next(random) % (2 * reach))
                bench.ask("clock_set", time=min(time, protocol.MAX_TIME), back=True)
            elif act == 1:
                bench.board.time = None if next(random) % 2 else shown["floor"] + next(random) % 100
                bench.restart()
            else:
                bench.board.up += next(random) % (HOUR if act == 2 else 40)
            time = bench.ask("clock_show")["time"]
            if time is None:
                continue
            user = "abc"[next(random) % 3]
            step = max(0, time // intervals[user] - 10 + next(random) % 21)
            if verify(bench, hotp.at(step), user) == "accepted":
                self.assertFalse((user, step) in used)
                used.add((user, step))
            bench.board.up += 60 if next(random) % 2 else 3600  # no wait is over too late to matter
        return len(used)

    def test_no_step_is_ever_accepted_twice(self):
        self.assertTrue(sum(self.history(seed) for seed in range(12)) > 60)


if __name__ == "__main__":
    unittest.main()
