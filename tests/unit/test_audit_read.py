# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The audit log as an admin reads it: pages that fit, a chain that holds, and room for more than refusals."""

import unittest

from asking import TOTP, WIDE, WRONG, bypass, events, verify
from parts import NOW, Bench, BenchBoard, CutFlash
from understudy_device import protocol
from understudy_device.events import FIRST_HASH, chain


class Refusals(unittest.TestCase):
    """What costs no guess is not to push the rest out of the log."""

    def test_thirty_are_listed_then_one_a_minute_and_the_others_counted(self):
        bench = Bench()
        bench.enrol()
        self.assertEqual(verify(bench, TOTP.at(NOW)), "accepted")
        first = bench.device.audit.next
        for number in range(100):
            self.assertIn(verify(bench, ("x", TOTP.at(NOW))[number % 2]), ("malformed", "replayed"))
        found = events(bench, first)
        self.assertEqual((len(found), [detail for _, _, _, detail in found if detail]), (30, []))
        self.assertEqual(verify(bench, WRONG), "rejected")  # a guess is always listed
        self.assertEqual(events(bench)[-1][3], "and 70 more before it")
        for minute in range(1, 4):
            bench.board.up += 60
            for _ in range(9):
                verify(bench, "x", "nobody")
            _, event, _, detail = events(bench)[-1]
            self.assertEqual((event.name, event.sealed), ("unknown-user", False))
            self.assertEqual(detail, "and 8 more before it" if minute > 1 else None)
            self.assertEqual(len(events(bench, first)), 31 + minute)
        bench.board.up += 3600
        for _ in range(100):
            verify(bench, "x")
        self.assertEqual(len(events(bench, first)), 64)

    def test_waiting_ones_too(self):
        bench = Bench()
        bench.enrol()
        first = bench.device.audit.next
        for _ in range(1000):
            verify(bench, WRONG)
        names = [e.name for _, e, _, _ in events(bench, first)]
        self.assertEqual((names.count("rejected"), names.count("throttled"), len(names)), (5, 30, 35))
        bench.board.up += 60
        self.assertEqual(verify(bench, TOTP.at(NOW + 60)), "accepted")
        verify(bench, "x")
        self.assertEqual(events(bench)[-1][3], "and 965 more before it")


class Reading(unittest.TestCase):
    def test_the_chain_of_a_log_that_has_turned(self):
        bench = Bench(BenchBoard(CutFlash(sectors=9)))
        bench.enrol()
        for _ in range(1200):
            bench.board.up += 60
            self.assertEqual(verify(bench, "x"), "malformed")
            bench.board.flash.operations.clear()  # they fill MicroPython's memory
        self.assertEqual(bench.device.audit.next, 1202)
        self.assertTrue(bench.device.audit.first > 0)
        found = events(bench)
        self.assertEqual((found[0][0], found[-1][0]), (bench.device.audit.first, 1201))
        bench.restart()
        self.assertEqual(
            [number for number, _, _, _ in events(bench)][:-1], [number for number, _, _, _ in found]
        )

    def test_the_chain_from_the_very_first(self):
        bench = Bench()
        bench.enrol()
        page = bench.ask("audit_read", first=0)
        self.assertEqual(page["chain"], FIRST_HASH.hex())
        hash_now = FIRST_HASH
        for _, data, *_ in page["events"]:
            hash_now = chain(hash_now, bytes.fromhex(data))
        self.assertEqual(hash_now.hex(), page["head"])

    def test_pages_fit_whatever_the_names(self):
        longest = (WIDE * 64, "é" * 32, "a" * 64, "\\" * 64)
        bench = Bench(BenchBoard(CutFlash(sectors=16), time=protocol.MAX_TIME - 9))
        for user in longest:
            fields = {"user": user}
            bench.enrol(user, credential="c" * 24)
            bench.ask("group_add", group=WIDE * 24, **fields)
            dates = {"valid_from": protocol.MAX_TIME - 1, "valid_until": protocol.MAX_TIME}
            self.assertEqual(bench.ask("user_set", enabled=False, **dict(dates, **fields))["status"], "ok")
            bench.ask("credential_set", credential="c" * 24, enabled=False, **fields)
        every = {"digits": 10, "interval": 300, "algorithm": "SHA512", "window": 10, "look_ahead": 50}
        every.update(attempts=20, delay=3600, max_delay=86400, device_attempts=1000)
        self.assertEqual(bench.ask("settings_set", **every)["status"], "ok")
        for first in range(bench.device.audit.next + 2):
            page = bench.ask("audit_read", first=first)
            self.assertEqual((first, page["status"]), (first, "ok"))
            numbers = [entry[0] for entry in page["events"]]
            self.assertEqual(numbers, list(range(first, first + len(numbers))))
            self.assertEqual(not numbers, first >= bench.device.audit.next)

    def test_pages_fit_whatever_their_lengths_add_up_to(self):
        for length in range(2, 65):
            bench = Bench()
            for number in range(6):
                bench.enrol("%02d" % number + "x" * (length - 2))
            self.assertEqual((length, bench.ask("audit_read", first=0)["status"]), (length, "ok"))

    def test_names_are_for_those_who_have_the_key(self):
        bench = Bench()
        bench.enrol()
        bypass(bench)
        bench.restart(unseal=False)
        bench.admin.open(bench.session)
        self.assertEqual(bench.ask("audit_read", first=0)["status"], "sealed")


if __name__ == "__main__":
    unittest.main()
