# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the admin does with users: switching off and on, dates, groups, lists, reset, removal; and that a new
user of an old number starts from nothing."""

import unittest

import pyotp
from asking import (
    ENTROPY,
    HOTP,
    OTHER,
    OTHER_HEX,
    TOTP,
    WRONG,
    bypass,
    cuts,
    enrol_hotp,
    recovery,
    verify,
    without_id,
)
from parts import NOW, Bench, BenchBoard, CutFlash
from understudy_device import protocol


class Switching(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def set(self, **fields):
        return self.bench.ask("user_set", user="alice", **fields)["status"]

    def shown(self):
        return self.bench.ask("user_show", user="alice")

    def test_off_and_on(self):
        self.assertEqual(self.set(enabled=False), "ok")
        self.assertEqual([verify(self.bench, code) for code in (TOTP.at(NOW), WRONG, "x")], ["disabled"] * 3)
        self.assertEqual((self.shown()["state"], self.shown()["failures"]), ("disabled", 0))
        self.bench.restart()
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "disabled")
        self.assertEqual(self.set(enabled=True), "ok")
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "accepted")
        self.assertEqual(self.shown()["state"], "active")

    def test_what_was_used_stays_used(self):
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "accepted")
        for enabled in (False, True):
            self.assertEqual(self.set(enabled=enabled), "ok")
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "replayed")

    def test_dates(self):
        for dates, expected in (
            ({"valid_from": NOW + 1}, "expired"),
            ({"valid_from": NOW}, "accepted"),
            ({"valid_from": 0, "valid_until": NOW}, "expired"),
            ({"valid_until": 1}, "expired"),
            ({"valid_from": 5, "valid_until": NOW + 1}, "replayed"),
            ({"valid_from": 0, "valid_until": protocol.MAX_TIME}, "replayed"),
            ({"valid_until": 0}, "replayed"),
        ):
            self.assertEqual(self.set(**dates), "ok")
            self.assertEqual((dates, verify(self.bench, TOTP.at(NOW))), (dates, expected))
        self.set(valid_until=NOW + 30)
        self.bench.board.up += 29
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 29)), "accepted")
        self.bench.board.up += 1
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 30)), "expired")

    def test_dates_that_never_hold_are_refused(self):
        for dates in ({"valid_from": 9, "valid_until": 9}, {"valid_from": 9, "valid_until": 8}):
            self.assertEqual(self.set(**dates), "bad-request")
        self.assertEqual(self.set(valid_from=100), "ok")
        self.assertEqual(self.set(valid_until=100), "bad-request")
        self.assertEqual(self.set(), "bad-request")
        self.assertEqual((self.shown()["valid_from"], self.shown()["valid_until"]), (100, 0))

    def test_dates_need_a_clock_whatever_the_kind(self):
        enrol_hotp(self.bench)
        self.set(valid_from=1)
        self.bench.board.time = None
        self.bench.restart()
        self.assertEqual(verify(self.bench, HOTP.at(0)), "clock-unset")
        self.set(valid_from=0)
        self.assertEqual(verify(self.bench, HOTP.at(0)), "accepted")

    def test_several_at_once(self):
        self.assertEqual(self.set(enabled=False, valid_from=1, valid_until=2), "ok")
        shown = self.shown()
        values = [shown[name] for name in ("enabled", "valid_from", "valid_until")]
        self.assertEqual(values, [False, 1, 2])


class Groups(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def change(self, cmd, group):
        return self.bench.ask(cmd, user="alice", group=group)["status"]

    def groups(self):
        return self.bench.ask("user_show", user="alice")["groups"]

    def test_in_and_out(self):
        self.assertEqual(self.change("group_add", "wheel"), "ok")
        self.assertEqual(self.change("group_add", "wheel"), "exists")
        self.assertEqual(self.change("group_add", "Wheel"), "ok")
        self.assertEqual(self.change("group_remove", "nothing"), "not-found")
        self.assertEqual(self.change("group_remove", "wheel"), "ok")
        self.assertEqual(self.change("group_remove", "wheel"), "not-found")
        self.bench.restart()
        self.assertEqual(self.groups(), ["Wheel"])
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "accepted")

    def test_as_many_as_fit(self):
        longest = ["é" * 11 + "%02d" % number for number in range(protocol.MAX_GROUPS)]
        self.assertEqual([self.change("group_add", group) for group in longest], ["ok"] * 4)
        self.assertEqual(self.change("group_add", "more"), "full")
        self.assertEqual(self.groups(), longest)
        self.assertEqual(self.change("group_remove", longest[2]), "ok")
        self.assertEqual(self.change("group_add", "more"), "ok")


class Lists(unittest.TestCase):
    def pages(self, bench, **fields):
        """([names], requests)"""
        seen, after, count = [], -1, 0
        while after is not None:
            page = bench.ask("user_list", after=after, **fields)
            seen += [entry["user"] for entry in page["users"]]
            after, count = page["next"], count + 1
        return seen, count

    def test_over_a_hundred_users(self):
        bench = Bench(BenchBoard(CutFlash(sectors=14)))
        names = []
        for number in range(130):
            names.append(("user%03d" % number) + "漢" * (number % 10))
            self.assertEqual(bench.enrol(names[-1])["status"], "ok")
            if number % 10 == 3 or 60 <= number < 63:
                self.assertEqual(bench.ask("group_add", user=names[-1], group="ops")["status"], "ok")
        wanted = [name for number, name in enumerate(names) if number % 10 == 3 or 60 <= number < 63]
        self.assertEqual(self.pages(bench)[0], names)
        self.assertEqual(self.pages(bench, group="ops")[0], sorted(wanted))
        seen, count = self.pages(bench, group="nobody is in it")
        self.assertEqual((seen, count), ([], 5))  # so many of them are looked at by one request
        for number in (0, 5, 6, 64, 129):
            self.assertEqual(bench.ask("user_remove", user=names[number])["status"], "ok")
        left = [name for number, name in enumerate(names) if number not in (0, 5, 6, 64, 129)]
        self.assertEqual(self.pages(bench)[0], left)
        bench.restart()
        self.assertEqual(self.pages(bench)[0], left)
        self.assertEqual(bench.ask("status")["users"], 125)

    def test_none(self):
        bench = Bench()
        self.assertEqual(without_id(bench.ask("user_list")), {"status": "ok", "users": [], "next": None})
        self.assertEqual(bench.ask("user_list", after=0xFFFF)["users"], [])

    def test_what_a_list_says(self):
        bench = Bench()
        bench.enrol("active")
        recovery(bench, "active")
        bench.ask("user_add", user="new", entropy=ENTROPY)
        bench.enrol("off")
        bench.ask("user_set", user="off", enabled=False)
        bench.enrol("reset")
        bench.ask("user_reset", user="reset")
        said = [(entry["state"], entry["credentials"]) for entry in bench.ask("user_list")["users"]]
        self.assertEqual(said, [("active", 2), ("unconfirmed", 1), ("disabled", 1), ("pending", 0)])


class Reset(unittest.TestCase):
    def test_until_enrolled_anew(self):
        bench = Bench()
        bench.enrol()
        codes = recovery(bench)
        once = bypass(bench)
        verify(bench, WRONG)
        bench.ask("group_add", user="alice", group="wheel")
        bench.ask("user_set", user="alice", valid_until=NOW + 999)
        self.assertEqual(bench.ask("user_reset", user="alice")["status"], "ok")
        for code in (TOTP.at(NOW), codes[0], once, WRONG, "x"):
            self.assertEqual(verify(bench, code), "pending")
        shown = bench.ask("user_show", user="alice")
        self.assertEqual((shown["state"], shown["credentials"], shown["failures"]), ("pending", [], 0))
        self.assertEqual((shown["groups"], shown["valid_until"]), (["wheel"], NOW + 999))
        bench.restart()
        self.assertEqual(verify(bench, TOTP.at(NOW)), "pending")
        bench.ask("user_add", user="alice", secret=OTHER_HEX, entropy=ENTROPY)
        self.assertEqual(verify(bench, TOTP.at(NOW)), "pending")
        self.assertEqual(verify(bench, bypass(bench)), "accepted")  # until the enrolment is done
        self.assertEqual([verify(bench, code) for code in (once, TOTP.at(NOW))], ["rejected", "malformed"])
        self.assertEqual(bench.ask("user_show", user="alice")["state"], "pending")
        self.assertEqual(bench.ask("user_confirm", user="alice", code=TOTP.at(NOW))["status"], "rejected")
        self.assertEqual(bench.enrol(secret=OTHER_HEX)["status"], "ok")
        self.assertEqual(verify(bench, TOTP.at(NOW)), "rejected")
        self.assertEqual(verify(bench, codes[0]), "rejected")
        self.assertEqual(verify(bench, pyotp.TOTP(OTHER).at(NOW)), "accepted")
        self.assertEqual(bench.ask("user_show", user="alice")["state"], "active")

    def test_it_ends_a_wait(self):
        bench = Bench()
        bench.enrol()
        said = [verify(bench, WRONG) for _ in range(6)]
        self.assertEqual(said[-1], "throttled")
        bench.ask("user_reset", user="alice")
        bench.enrol()
        self.assertEqual(verify(bench, TOTP.at(NOW)), "accepted")


class Anew(unittest.TestCase):
    """Removed and added again, with the number that the user had before: nothing of earlier counts."""

    def setUp(self):
        self.bench = Bench()
        self.bench.enrol(secret=OTHER_HEX, digits=8)
        enrol_hotp(self.bench)
        self.codes = recovery(self.bench)
        self.bypass = bypass(self.bench)
        self.assertEqual(verify(self.bench, self.codes[0]), "accepted")
        self.assertEqual(verify(self.bench, HOTP.at(5)), "accepted")
        self.bench.ask("group_add", user="alice", group="wheel")
        self.bench.ask("user_set", user="alice", valid_until=NOW + 999)
        for _ in range(5):
            verify(self.bench, WRONG)
        self.number = self.number_now()

    def number_now(self):
        return self.bench.device.directory.find("alice")[0]

    def again(self, restart):
        self.assertEqual(self.bench.ask("user_remove", user="alice")["status"], "ok")
        self.assertEqual(verify(self.bench, self.codes[1]), "unknown-user")
        if restart:
            self.bench.restart()
        else:
            self.bench.device.store.index._next = 0
        self.bench.enrol()
        self.assertEqual(self.number_now(), self.number)

    def check(self):
        shown = self.bench.ask("user_show", user="alice")
        self.assertEqual((shown["failures"], shown["wait"], shown["groups"]), (0, 0, []))
        self.assertEqual((shown["valid_until"], len(shown["credentials"])), (0, 1))
        for code in self.codes + [self.bypass]:
            self.assertEqual(verify(self.bench, code), "malformed")
        new = recovery(self.bench)
        self.assertEqual(set(new) & set(self.codes), set())
        self.assertEqual(verify(self.bench, self.codes[1]), "rejected")
        self.assertEqual(verify(self.bench, self.codes[0]), "rejected")
        self.assertEqual([verify(self.bench, code) for code in new], ["accepted"] * 10)
        enrol_hotp(self.bench, secret=OTHER_HEX, digits=7)
        shown = self.bench.ask("credential_show", user="alice", credential="token")
        self.assertEqual(shown["counter"], 0)
        shown = self.bench.ask("credential_show", user="alice", credential="phone")
        self.assertEqual((shown["drift"], shown["last_used"]), (0, None))
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "accepted")

    def test_at_once(self):
        self.again(False)
        self.check()

    def test_after_a_restart(self):
        self.again(True)
        self.check()

    def test_cut_anywhere_on_the_way(self):
        def remove(cut):
            cut.ask("user_remove", user="alice")

        for after, _ in cuts(self.bench, remove):
            # Whole or gone; what was used stays used as long as the user is there.
            said = verify(after, self.codes[0])
            self.assertIn(said, ("throttled", "unknown-user"))
            after.board.up += 40
            said = [verify(after, code) for code in (self.codes[0], self.codes[1])]
            self.assertIn(said, (["replayed", "accepted"], ["unknown-user"] * 2))
            after.ask("user_remove", user="alice")
            after.restart()
            after.enrol()
            self.assertEqual(after.ask("user_show", user="alice")["failures"], 0)
            self.assertEqual(verify(after, TOTP.at(NOW)), "accepted")


if __name__ == "__main__":
    unittest.main()
