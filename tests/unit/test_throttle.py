# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""How guessing is slowed down: per user and for the device, over restarts, against a model that forgets
nothing."""

import unittest

from storeparts import Dice
from understudy_device.protocol import DEFAULTS
from understudy_device.throttle import STRANGER, Refusals, Throttle, delay


def settings(**changes):
    """The defaults, some of them changed."""
    return dict(DEFAULTS, **changes)


class Delays(unittest.TestCase):
    def test_they_double_from_the_fifth_failure_on(self):
        found = [delay(failures, DEFAULTS) for failures in range(14)]
        self.assertEqual(found, [0] * 5 + [30, 60, 120, 240, 480, 960, 1920, 3600, 3600])
        self.assertEqual([delay(failures, DEFAULTS) for failures in (100, 255)], [3600, 3600])

    def test_settings(self):
        found = [delay(n, settings(attempts=1, delay=7, max_delay=100)) for n in range(7)]
        self.assertEqual(found, [0, 7, 14, 28, 56, 100, 100])
        self.assertEqual(delay(255, settings(attempts=20, delay=3600, max_delay=86400)), 86400)
        self.assertEqual(delay(20, settings(attempts=20, delay=3600, max_delay=3600)), 3600)


class User(unittest.TestCase):
    def test_the_wait_runs_down_and_is_the_users_own(self):
        throttle = Throttle()
        for failures in range(1, 6):
            self.assertEqual(throttle.wait(1, failures - 1, DEFAULTS, 100), 0)
            throttle.failed(1, failures, DEFAULTS, 100)
        waits = [throttle.wait(1, 5, DEFAULTS, at) for at in (100, 101, 129, 130, 5000)]
        self.assertEqual(waits, [30, 29, 1, 0, 0])
        self.assertEqual(throttle.wait(2, 4, DEFAULTS, 100), 0)
        throttle.failed(1, 6, DEFAULTS, 130)
        self.assertEqual(throttle.wait(1, 6, DEFAULTS, 140), 50)

    def test_a_right_code_ends_it(self):
        throttle = Throttle()
        throttle.failed(1, 9, DEFAULTS, 100)
        throttle.forget(1)
        throttle.forget(1)
        self.assertEqual(throttle.wait(1, 0, DEFAULTS, 101), 0)
        throttle.failed(1, 1, DEFAULTS, 101)
        self.assertEqual(throttle.wait(1, 1, DEFAULTS, 101), 0)

    def test_after_a_restart_the_whole_wait_starts_anew(self):
        throttle = Throttle()
        throttle.failed(1, 7, DEFAULTS, 1000)
        self.assertEqual(throttle.wait(1, 7, DEFAULTS, 1100), 20)
        throttle = Throttle(throttle.spent(DEFAULTS, 1100))
        self.assertEqual([throttle.wait(1, 7, DEFAULTS, at) for at in (0, 50, 119, 120)], [120, 70, 1, 0])

    def test_changed_settings_hold_at_once(self):
        throttle = Throttle()
        self.assertEqual(throttle.wait(1, 3, settings(attempts=3), 10), 20)
        self.assertEqual(throttle.wait(1, 5, settings(attempts=6), 10), 0)


class Device(unittest.TestCase):
    """The allowance of all users together. It is for those who have got it wrong already: strangers must not
    be able to keep everybody out."""

    def spend(self, throttle, count, at, limits):
        for number in range(count):
            throttle.failed(number, 1, limits, at)

    def test_it_is_spent_by_all_and_comes_back_one_by_one(self):
        limits = settings(device_attempts=10)
        throttle = Throttle()
        self.spend(throttle, 9, 1000, limits)
        self.assertEqual(throttle.wait(77, 4, limits, 1000), 0)
        self.spend(throttle, 1, 1000, limits)
        self.assertEqual([throttle.wait(77, 4, limits, at) for at in (1000, 1029, 1030)], [30, 1, 0])
        self.spend(throttle, 1, 1040, limits)
        # The next comes back at 1060: what was on its way is not lost by another wrong code.
        self.assertEqual([throttle.wait(77, 4, limits, at) for at in (1040, 1059, 1060)], [20, 1, 0])
        found = [throttle.spent(limits, at) for at in (1040, 1060, 1090, 1329, 1330, 9999)]
        self.assertEqual(found, [10, 9, 8, 1, 0, 0])

    def test_who_has_not_failed_or_only_once_is_judged_nevertheless(self):
        limits = settings(device_attempts=10)
        throttle = Throttle()
        self.spend(throttle, 10, 1000, limits)
        found = [throttle.wait(77, failures, limits, 1000) for failures in (0, 1, 2, STRANGER)]
        self.assertEqual(found, [0, 0, 30, 30])

    def test_it_never_grows_over_the_allowance(self):
        limits = settings(device_attempts=10)
        throttle = Throttle()
        self.spend(throttle, 1000, 1000, limits)
        self.assertEqual((throttle.spent(limits, 1000), throttle.wait(77, 2, limits, 1000)), (10, 30))
        self.assertEqual(Throttle(5000).wait(77, 2, limits, 10), 20)

    def test_the_longer_of_both_waits(self):
        limits = settings(device_attempts=5)
        throttle = Throttle()
        self.spend(throttle, 5, 100, limits)
        throttle.failed(50, 8, limits, 100)
        self.assertEqual((throttle.wait(50, 8, limits, 100), throttle.wait(51, 2, limits, 100)), (240, 30))

    def test_over_a_restart(self):
        limits = settings(device_attempts=10)
        throttle = Throttle()
        self.spend(throttle, 10, 100, limits)
        throttle = Throttle(throttle.spent(limits, 100))
        self.assertEqual([throttle.wait(1, 3, limits, at) for at in (0, 29, 30)], [30, 1, 0])
        self.assertEqual([throttle.spent(limits, at) for at in (0, 30, 299, 300)], [10, 9, 1, 0])

    def test_a_smaller_allowance_holds_at_once(self):
        throttle = Throttle()
        self.spend(throttle, 20, 100, DEFAULTS)
        self.assertEqual(throttle.wait(1, 2, DEFAULTS, 100), 0)
        self.assertEqual(throttle.wait(1, 2, settings(device_attempts=15), 100), 30)


class Plain:
    """The same without ever forgetting: when each wait ends, and each wrong code's time."""

    def __init__(self, spent=0):
        self.ends = {}
        self.level, self.at = spent, 0

    def spent(self, limits, uptime):
        """One is taken off at each full `delay` since there was any."""
        while self.level and uptime - self.at >= limits["delay"]:
            self.level, self.at = self.level - 1, self.at + limits["delay"]
        if not self.level:
            self.at = uptime
        return self.level

    def wait(self, number, failures, limits, uptime):
        """The longer of both."""
        own = 0
        if delay(failures, limits):
            own = max(0, self.ends.get(number, delay(failures, limits)) - uptime)
        used_up = self.spent(limits, uptime) == limits["device_attempts"]
        return max(own, limits["delay"] - (uptime - self.at) if used_up and failures > 1 else 0)

    def failed(self, number, failures, limits, uptime):
        """A wrong code."""
        self.level = min(self.spent(limits, uptime) + 1, limits["device_attempts"])
        self.ends[number] = uptime + delay(failures, limits)


class Histories(unittest.TestCase):
    def run_one(self, seed):
        dice = Dice(seed)
        limits = settings(
            delay=1 + dice(40), max_delay=40 + dice(500), attempts=1 + dice(6), device_attempts=5 + dice(40)
        )
        throttle, plain, uptime = Throttle(), Plain(), 0
        failures = [0] * 6
        waits = 0
        for _ in range(1500):
            number = dice(6)
            wanted = plain.wait(number, failures[number], limits, uptime)
            found = throttle.wait(number, failures[number], limits, uptime)
            self.assertEqual((seed, uptime, found), (seed, uptime, wanted))
            self.assertEqual(throttle.spent(limits, uptime), plain.spent(limits, uptime))
            waits += found > 0
            fate = dice(100)
            if found and fate < 70:
                uptime += 1 + dice(found + 2)
            elif found == 0 and fate < 80:
                failures[number] += 1
                throttle.failed(number, failures[number], limits, uptime)
                plain.failed(number, failures[number], limits, uptime)
            elif fate < 85:
                failures[number] = 0
                throttle.forget(number)
                plain.ends.pop(number, None)
            elif fate < 87:
                kept = plain.spent(limits, uptime)
                throttle, plain, uptime = Throttle(kept), Plain(kept), 0
            else:
                uptime += dice(100)
        self.assertTrue(waits > 100)

    def test_as_a_model_that_forgets_nothing(self):
        for seed in range(1, 40):
            self.run_one(seed)

    def test_what_is_remembered_stays_small(self):
        throttle = Throttle()
        for number in range(2000):
            throttle.failed(number, 5, DEFAULTS, number)
        self.assertTrue(len(throttle._ends) <= 31)


class Flood(unittest.TestCase):
    def test_a_burst_of_refusals_is_listed_then_one_a_minute_and_the_rest_counted(self):
        refusals = Refusals()
        self.assertEqual(refusals.note(), "")
        self.assertEqual([refusals.may_log(600 + i // 50) for i in range(100)], [True] * 30 + [False] * 70)
        self.assertTrue(refusals.may_log(660))
        self.assertEqual((refusals.note(), refusals.note()), ("and 70 more before it", ""))
        listed = sum([refusals.may_log(660 + i) for i in range(3600)])
        self.assertTrue(58 <= listed <= 60, listed)
        self.assertEqual(refusals.note(), "and %d more before it" % (3600 - listed))
        self.assertEqual(sum([refusals.may_log(99999) for _ in range(40)]), 30)


if __name__ == "__main__":
    unittest.main()
