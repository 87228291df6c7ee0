# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A name that is not there costs the same work as one that is: the same operations, counted."""

import unittest

from asking import ENTROPY, TOTP, WRONG, recovery, verify
from parts import NOW, Bench
from understudy_device import otp, policy, vault


class CountedFile:
    """A flash's file; `count` is told of every read."""

    def __init__(self, file, count):
        self._file = file
        self._count = count
        self.seek, self.write = file.seek, file.write

    def readinto(self, buffer):
        """One read."""
        self._count("flash reads")
        return self._file.readinto(buffer)


class Counter:
    """Counts what a request makes the device do, by wrapping what does it."""

    def __init__(self, bench):
        self.counts = {}
        self.sizes = []
        self._bench = bench
        self._undo = []
        flash = bench.board.flash
        flash._file = CountedFile(flash._file, self.count)
        self._undo.append(lambda: setattr(flash, "_file", flash.memory))
        self._digests()
        for module, name in (
            (policy, "matching"),
            (vault, "aead_open"),
            (vault, "aead_seal"),
            (vault, "sha256"),
        ):
            self._wrap(module, name)
        self._wrap(policy, "constant_time_equal")
        self._first = len(flash.operations)

    def count(self, name, number=1):
        """One more."""
        self.counts[name] = self.counts.get(name, 0) + number

    def _wrap(self, module, name):
        whole = getattr(module, name)

        def wrapped(*args):
            self.count(name)
            return whole(*args)

        setattr(module, name, wrapped)
        self._undo.append(lambda: setattr(module, name, whole))

    def _digests(self):
        """Every HMAC of a code: one for each counter."""
        whole = policy.codes

        def codes(secret, algorithm, digits, counters):
            self.count("HMAC " + algorithm, len(counters))
            return whole(secret, algorithm, digits, counters)

        policy.codes = codes
        self._undo.append(lambda: setattr(policy, "codes", whole))

    def done(self):
        """(counts, bytes programmed)"""
        for undo in self._undo:
            undo()
        # A write over the end of a page takes two programs, whoever is asked about, each with a read.
        written = [len(data) for _, data in self._bench.board.flash.operations[self._first :]]
        self.count("flash reads", -len(written))
        return self.counts, sum(written)


def work(bench, user, code=WRONG):
    """(verdict, what it took)."""
    counter = Counter(bench)
    verdict = verify(bench, code, user)
    return verdict, counter.done()


class SameWork(unittest.TestCase):
    def check(self, bench, code=WRONG):
        """One user and one name that is not there, each asked twice in turn."""
        known, stranger = work(bench, "alice", code), work(bench, "mallory", code)
        self.assertEqual((known[0], stranger[0]), ("rejected", "unknown-user"))
        self.assertEqual(known[1], stranger[1])
        self.assertEqual(work(bench, "mallory", code)[1], known[1])
        self.assertEqual(work(bench, "alice", code)[1], known[1])
        return known[1]

    def test_as_enrolled(self):
        bench = Bench()
        bench.enrol()
        counts, written = self.check(bench)
        # The count counts: all that it is for is there.
        names = ("flash reads", "HMAC SHA1", "aead_open", "matching", "sha256")
        self.assertEqual([counts.get(name, 0) > 0 for name in names], [True] * 5)
        self.assertEqual((counts["HMAC SHA1"], counts["aead_open"]), (3, 1))
        self.assertTrue(written)

    def test_after_use(self):
        bench = Bench()
        bench.enrol()
        self.assertEqual(verify(bench, TOTP.at(NOW)), "accepted")
        self.check(bench)

    def test_after_a_restart(self):
        bench = Bench()
        bench.enrol()
        bench.restart()
        self.check(bench)

    def test_with_what_the_device_gives_new_users(self):
        """Its settings say what most users have."""
        for settings, code in (
            ({"digits": 8}, "00000000"),
            ({"algorithm": "SHA512"}, WRONG),
            ({"window": 4}, WRONG),
            ({"digits": 10, "interval": 60, "algorithm": "SHA256"}, "0000000000"),
        ):
            bench = Bench()
            bench.ask("settings_set", **settings)
            bench.enrol()
            self.check(bench, code)

    def test_one_who_is_there_and_one_who_was(self):
        bench = Bench()
        bench.enrol("mallory")
        bench.enrol()
        bench.ask("user_remove", user="mallory")
        self.check(bench)

    def test_while_the_clock_is_unset(self):
        bench = Bench()
        bench.enrol()
        bench.board.time = None
        bench.restart()
        known, stranger = work(bench, "alice"), work(bench, "mallory")
        self.assertEqual((known[0], stranger[0]), ("clock-unset", "unknown-user"))
        self.assertEqual(known[1], stranger[1])

    def test_with_a_window_that_the_clock_widens(self):
        bench = Bench()
        bench.enrol()
        bench.ask("settings_set", widest_window=6)
        bench.board.up += 20 * 86400  # 87 s
        self.assertEqual(self.check(bench)[0]["HMAC SHA1"], 7)

    def test_what_can_not_be_a_code(self):
        bench = Bench()
        bench.enrol()
        known, stranger = work(bench, "alice", "x"), work(bench, "mallory", "x")
        self.assertEqual((known[0], stranger[0]), ("malformed", "unknown-user"))
        self.assertEqual(known[1], stranger[1])


class EveryCodeOfTheWindow(unittest.TestCase):
    """A verdict takes the same work wherever in the window the code is, and if it is not."""

    def test_totp(self):
        seen = []
        for offset in (-1, 0, 1, 50):
            bench = Bench()
            bench.enrol()
            counts, _ = work(bench, "alice", TOTP.at(NOW + 30 * offset))[1]
            seen.append((counts["HMAC SHA1"], counts["matching"]))
        self.assertEqual(seen, [(3, 1)] * 4)

    def test_every_recovery_code_is_compared(self):
        seen = []
        bench = Bench()
        bench.enrol()
        for code in recovery(bench) + ["0000000000"]:
            counts, _ = work(bench, "alice", code)[1]
            seen.append(counts["constant_time_equal"])
        self.assertEqual(seen, [10] * 11)

    def test_a_counter_that_does_not_count_would_be_seen(self):
        bench = Bench()
        bench.enrol()
        bench.enrol("two")
        bench.ask("user_add", user="two", credential="b", secret="33" * 20, confirmed=True, entropy=ENTROPY)
        self.assertNotEqual(work(bench, "two")[1], work(bench, "alice")[1])
        self.assertIs(policy.codes, otp.codes)


if __name__ == "__main__":
    unittest.main()
