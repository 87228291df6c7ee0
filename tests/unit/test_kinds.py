# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Each kind of credential alone: windows, look-ahead, drift, resync and codes that are made here, as pure
decisions."""

import unittest

import pyotp
from parts import NOW
from understudy_device.clock import Clock
from understudy_device.policy import RESYNC_COUNTERS, RESYNC_STEPS, Moment, code_hash, decide, resync
from understudy_device.protocol import ALGORITHMS, DEFAULTS, DIGITS
from understudy_device.users import Credential, State, TotpUse, User, pack_codes

SECRET = b"1" * 20
BASE32 = pyotp.base32.encode(SECRET)
SALT = b"saltsalt"


def moment(time):
    """A Moment; None: of a clock that is unset."""
    clock = Clock(lambda: 0)
    if time is not None:
        clock.set(time, "admin")
    return Moment(clock)


class One:
    """A user with one credential, of which nothing is used yet."""

    def __init__(self, kind="totp", secret=SECRET, digits=6, interval=30, algorithm="SHA1", **settings):
        self.user = User("alice")
        self.credential = Credential(kind, kind, secret, digits, interval, None, algorithm)
        self.user.put(self.credential)
        self.state = State()
        self.settings = dict(DEFAULTS, **settings)
        self.hotp = pyotp.HOTP(BASE32, digits=digits, digest=algorithm.lower())

    def try_code(self, text, time=NOW, keep=True):
        """The verdict on a text."""
        decision = decide(self.user, self.state, text, moment(time), 0, self.settings)
        if keep and decision.state is not None:
            self.state = State.unpack(decision.state.pack())
        return decision.verdict

    def try_step(self, step, time=NOW, keep=True):
        """The verdict on the code of a step or counter."""
        return self.try_code(self.hotp.at(step), time, keep)

    def resync(self, first, second, time=NOW, keep=True):
        """The verdict on the codes of two steps or counters."""
        codes = [code if isinstance(code, str) else self.hotp.at(code) for code in (first, second)]
        decision = resync(self.user, self.credential, self.state, codes, moment(time), 0)
        if keep and decision.state is not None:
            self.state = State.unpack(decision.state.pack())
        return decision.verdict

    @property
    def drift(self):
        """What was learnt."""
        return self.state.totp(self.credential).drift


class Totp(unittest.TestCase):
    def test_windows_of_every_algorithm_length_and_interval(self):
        for algorithm in ALGORITHMS:
            for digits in DIGITS:
                for interval in (5, 30, 300):
                    for window in (0, 1, 10):
                        one = One(digits=digits, interval=interval, algorithm=algorithm, window=window)
                        present = NOW // interval
                        offsets = (-window - 1, -window, 0, window, window + 1)
                        said = [one.try_step(present + k, keep=False) for k in offsets]
                        wanted = ["rejected"] + ["accepted"] * 3 + ["rejected"]
                        self.assertEqual((digits, interval, window, said), (digits, interval, window, wanted))

    def test_the_first_and_the_last_second_of_a_step(self):
        one = One(window=0)
        begin = NOW // 30 * 30
        said = [one.try_step(begin // 30, begin + k, keep=False) for k in (-1, 0, 29, 30)]
        self.assertEqual(said, ["rejected", "accepted", "accepted", "rejected"])

    def test_in_1970_there_is_no_step_before(self):
        one = One(window=10)
        self.assertEqual([one.try_step(k, 5) for k in (0, 10, 21)], ["accepted", "accepted", "rejected"])
        self.assertEqual(one.try_step(0, 0), "replayed")

    def test_the_last_second_that_can_be_set(self):
        one = One(interval=5, window=10)
        step = 0xFFFFFFFF // 5
        self.assertEqual([one.try_step(step + k, 0xFFFFFFFF) for k in (0, 10)], ["accepted"] * 2)
        self.assertEqual(one.try_step(step + 10, 0xFFFFFFFF), "replayed")

    def test_its_own_window_counts_before_the_device_s(self):
        one = One(window=0)
        one.credential.window = 2
        self.assertEqual(one.try_step(NOW // 30 + 2, keep=False), "accepted")
        one.credential.window = 0
        one.settings["window"] = 10
        self.assertEqual(one.try_step(NOW // 30 + 1, keep=False), "rejected")

    def test_every_step_of_a_day_once_and_in_order(self):
        one = One()
        for step in range(NOW // 30, NOW // 30 + 400):
            self.assertEqual(one.try_step(step, step * 30), "accepted")
            self.assertEqual(one.try_step(step, step * 30), "replayed")
            self.assertEqual(one.try_step(step - 1, step * 30), "replayed")


class Drift(unittest.TestCase):
    """Steps that a credential's clock was found to be ahead."""

    def test_never_learnt_beyond_the_window(self):
        for window in (0, 1, 2, 10):
            for way in (1, -1):
                one = One(window=window)
                time = NOW
                for _ in range(60):  # always the farthest code that is accepted
                    time += 4000
                    steps = [time // 30 + way * reach for reach in range(2 * window, -1, -1)]
                    farthest = [step for step in steps if one.try_step(step, time, keep=False) == "accepted"][
                        0
                    ]
                    self.assertEqual(one.try_step(farthest, time), "accepted")
                    self.assertLessEqual(abs(one.drift), window)
                self.assertEqual(one.drift, way * window)
                self.assertEqual(one.try_step(time // 30 + way * (2 * window + 1), time), "rejected")

    def test_a_clock_that_runs_away_slowly_is_followed_to_twice_the_window(self):
        one = One(window=1)
        said = []
        for number, ahead in enumerate((0, 1, 2, 2, 3)):
            time = NOW + 4000 * number
            said.append(one.try_step(time // 30 + ahead, time))
        self.assertEqual(said, ["accepted"] * 4 + ["rejected"])

    def test_one_put_right_later_locks_nobody_out(self):
        for drift in (1 - RESYNC_STEPS, -7, -1, 1, 7, RESYNC_STEPS):
            one = One()
            first = NOW // 30 + drift
            self.assertEqual(one.resync(first - 1, first), "accepted")
            self.assertEqual(one.drift, drift)
            later = NOW + 86400
            for offset in (-1, 0, 1):  # of the device's own time, and of the one learnt
                self.assertEqual(one.try_step(later // 30 + offset, later, keep=False), "accepted")
                self.assertEqual(one.try_step(later // 30 + drift + offset, later, keep=False), "accepted")
            self.assertEqual(one.try_step(later // 30, later), "accepted")
            self.assertEqual(one.drift, 0)

    def test_after_a_resync_it_does_not_wander_further(self):
        one = One(window=2)
        self.assertEqual(one.resync(NOW // 30 + 19, NOW // 30 + 20), "accepted")
        for number in range(1, 30):
            time = NOW + 4000 * number
            self.assertEqual(one.try_step(time // 30 + 22, time), "accepted")
            self.assertEqual(one.drift, 20)
            self.assertEqual(one.try_step(time // 30 + 23, time), "rejected")

    def test_a_smaller_window_later_counts_around_the_drift(self):
        one = One(window=10)
        self.assertEqual(one.try_step(NOW // 30 + 10), "accepted")
        one.settings["window"] = 0
        later = NOW + 4000
        self.assertEqual(one.try_step(later // 30 + 9, later), "rejected")
        self.assertEqual(one.try_step(later // 30 + 10, later), "accepted")


class Hotp(unittest.TestCase):
    def test_the_edges_of_the_look_ahead(self):
        for counter in (0, 1, 7, 0xFFFFFFFF):
            for look_ahead in (0, 1, 10, 50):
                one = One("hotp", look_ahead=look_ahead)
                one.state.uses[one.credential.id] = counter.to_bytes(5, "big")
                past = one.try_step(counter + look_ahead + 1, keep=False)
                self.assertEqual((counter, look_ahead, past), (counter, look_ahead, "rejected"))
                self.assertEqual(one.try_step(counter + look_ahead), "accepted")
                self.assertEqual(one.state.number(one.credential), counter + look_ahead + 1)
                self.assertEqual(one.try_step(counter + look_ahead), "replayed")

    def test_what_was_skipped_is_gone(self):
        one = One("hotp")
        self.assertEqual(one.try_step(5), "accepted")
        self.assertEqual([one.try_step(k) for k in range(7)], ["rejected"] * 5 + ["replayed", "accepted"])

    def test_every_algorithm_and_length(self):
        for algorithm in ALGORITHMS:
            for digits in DIGITS:
                one = One("hotp", digits=digits, algorithm=algorithm)
                self.assertEqual([one.try_step(k) for k in (0, 1, 1)], ["accepted", "accepted", "replayed"])

    def test_it_needs_no_clock(self):
        one = One("hotp")
        self.assertEqual([one.try_step(k, None) for k in (0, 0)], ["accepted", "replayed"])


class Made(unittest.TestCase):
    """Recovery and bypass codes."""

    CODES = ["%010d" % (number * 1234567) for number in range(10)]

    def one(self, kind, until=0):
        """A user with such codes."""
        hashes = [code_hash(SALT, code) for code in self.CODES]
        return One(kind, pack_codes(until, SALT, hashes), 10)

    def test_each_once_in_any_order_without_a_clock(self):
        one = self.one("recovery")
        for number in (3, 0, 9, 1, 8, 2, 7, 4, 6, 5):
            self.assertEqual(one.try_code(self.CODES[number], None), "accepted")
            self.assertEqual(one.try_code(self.CODES[number], None), "replayed")
        self.assertEqual([one.try_code(code) for code in self.CODES], ["replayed"] * 10)

    def test_neighbours_are_wrong(self):
        one = self.one("recovery")
        for code in self.CODES:
            self.assertEqual(one.try_code("%010d" % (int(code) + 1)), "rejected")
            self.assertEqual(one.try_code("%010d" % (int(code) + 10**9)), "rejected")

    def test_until_the_very_second(self):
        one = self.one("bypass", NOW)
        self.assertEqual(one.try_code(self.CODES[0], NOW - 1), "accepted")
        self.assertEqual([one.try_code(self.CODES[k], NOW) for k in (0, 1)], ["rejected"] * 2)
        self.assertEqual([one.try_code(self.CODES[k], None) for k in (0, 1)], ["clock-unset"] * 2)
        self.assertEqual([one.try_code(self.CODES[k], NOW - 1) for k in (0, 1)], ["replayed", "accepted"])


class Resync(unittest.TestCase):
    def test_totp_within_its_reach(self):
        step = NOW // 30
        for offset in (-RESYNC_STEPS + 1, -5, 0, 1, 30, RESYNC_STEPS):
            one = One()
            self.assertEqual((offset, one.resync(step + offset - 1, step + offset)), (offset, "accepted"))
            self.assertEqual(one.drift, offset)
            self.assertEqual([one.try_step(step + offset + k) for k in (-1, 0)], ["replayed", "replayed"])
            self.assertEqual(one.try_step(step + offset + 1), "accepted")
        for offset in (-RESYNC_STEPS, RESYNC_STEPS + 1):
            one = One()
            self.assertEqual((offset, one.resync(step + offset - 1, step + offset)), (offset, "rejected"))
            self.assertEqual(one.state.failures, 1)

    def test_only_two_in_a_row_in_their_order(self):
        step = NOW // 30
        for first, second in ((0, 0), (1, 0), (0, 2), (0, -1)):
            for kind, base in (("totp", step), ("hotp", 20)):
                one = One(kind)
                self.assertEqual(one.resync(base + first, base + second), "rejected")
                self.assertEqual((one.state.failures, one.state.uses), (1, {}))

    def test_hotp_within_its_reach(self):
        for counter in (0, 1, RESYNC_COUNTERS - 1):
            one = One("hotp")
            self.assertEqual(one.resync(counter, counter + 1, None), "accepted")
            self.assertEqual([one.try_step(counter + k) for k in (1, 2)], ["replayed", "accepted"])
        one = One("hotp")
        self.assertEqual(one.resync(RESYNC_COUNTERS, RESYNC_COUNTERS + 1), "rejected")
        self.assertEqual(one.try_step(12), "rejected")  # beyond the look-ahead, what a resync is for

    def test_never_back(self):
        one = One("hotp")
        self.assertEqual(one.resync(8, 9), "accepted")
        self.assertEqual([one.resync(8, 9), one.resync(7, 8), one.resync(9, 10)], ["rejected"] * 3)
        self.assertEqual(one.resync(10, 11), "accepted")
        one, step = One(), NOW // 30
        self.assertEqual(one.resync(step, step + 1), "accepted")
        self.assertEqual([one.resync(step, step + 1), one.resync(step - 1, step)], ["replayed"] * 2)
        self.assertEqual(one.state.failures, 0)

    def test_what_stands_before_it(self):
        step = NOW // 30
        one = One()
        self.assertEqual(one.resync(step, step + 1, None), "clock-unset")
        for text in ("", "12345", "1234567", "12345a"):
            self.assertEqual(one.resync(text, step), "malformed")
            self.assertEqual(one.resync(step, text), "malformed")
        one.credential.enabled = False
        self.assertEqual(one.resync(step, step + 1), "disabled")
        one.user.pending = True
        self.assertEqual(one.resync(step, step + 1), "pending")
        one.user.enabled = False
        self.assertEqual(one.resync(step, step + 1), "disabled")
        self.assertEqual((one.state.failures, one.state.uses), (0, {}))
        one = One()
        codes = [one.hotp.at(step), one.hotp.at(step + 1)]
        decision = resync(one.user, one.credential, one.state, codes, moment(NOW), 9)
        self.assertEqual((decision.verdict, decision.seconds, decision.state), ("throttled", 9, None))


class TwoOfOneSecret(unittest.TestCase):
    """A code that two credentials know is used up for both."""

    def test_once(self):
        one = One()
        for kind in ("totp", "totp"):
            one.user.put(Credential(kind, "again%d" % len(one.user.credentials), SECRET, 6))
        step = NOW // 30
        said = [one.try_step(step + k) for k in (0, 0, -1, 1, 1)]
        self.assertEqual(said, ["accepted", "replayed", "replayed", "accepted", "replayed"])
        uses = [TotpUse.unpack(one.state.uses[c.id]).last for c in one.user.credentials]
        self.assertEqual(uses, [step + 1] * 3)

    def test_once_too_when_one_of_them_was_off_meanwhile(self):
        one = One()
        other = Credential("totp", "tablet", SECRET, 6)
        one.user.put(other)
        other.enabled = False
        self.assertEqual(one.try_step(NOW // 30), "accepted")
        other.enabled = True
        self.assertEqual(one.try_step(NOW // 30), "replayed")


if __name__ == "__main__":
    unittest.main()
