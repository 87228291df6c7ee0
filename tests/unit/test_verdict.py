# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Verdicts over a real session: each name, what is on flash before the answer, an unset clock, trouble
elsewhere."""

import unittest

from asking import (
    ENTROPY,
    HOTP,
    OTHER_HEX,
    TOTP,
    WRONG,
    WRONG_LONG,
    bypass,
    cuts,
    enrol_hotp,
    recovery,
    verify,
)
from parts import NOW, Bench, BenchBoard, CutFlash
from understudy_device import policy
from understudy_device.protocol import VERDICTS


class Verdicts(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def verify(self, code, user="alice"):
        return verify(self.bench, code, user)

    def test_right_code_once(self):
        code = TOTP.at(NOW)
        self.assertEqual([self.verify(code) for _ in range(3)], ["accepted", "replayed", "replayed"])

    def test_what_an_accepted_one_says(self):
        enrol_hotp(self.bench, secret=OTHER_HEX)
        reply = self.bench.ask("verify", user="alice", code=TOTP.at(NOW))
        self.assertEqual((reply["user"], reply["time"], reply["credential"]), ("alice", NOW, "phone"))
        self.bench.session.tidy()
        self.assertEqual(self.bench.device.screen, ("verdict", ("accepted", "alice")))
        for code in (TOTP.at(NOW), WRONG, "x"):
            self.assertEqual(set(self.bench.ask("verify", user="alice", code=code)), {"id", "status"})

    def test_window_is_one_step_either_side(self):
        for offset, expected in ((-2, "rejected"), (-1, "accepted"), (0, "accepted"), (2, "rejected")):
            bench = Bench()
            bench.enrol()
            said = verify(bench, TOTP.at(NOW + 30 * offset))
            self.assertEqual((offset, said), (offset, expected))

    def test_an_earlier_code_of_the_window_is_used_up_with_a_later_one(self):
        self.assertEqual(self.verify(TOTP.at(NOW + 30)), "accepted")
        self.assertEqual(self.verify(TOTP.at(NOW)), "replayed")

    def test_what_people_type(self):
        code = TOTP.at(NOW)
        self.assertEqual(self.verify(" %s-%s " % (code[:3], code[3:])), "accepted")

    def test_what_can_not_be_a_code(self):
        for text in ("", "12345", "1234567", "12345a", "-", "١٢٣٤٥٦", "+12345", "1_2345", " " * 64):
            self.assertEqual(self.verify(text), "malformed")

    def test_every_verdict_of_the_table(self):
        bench = self.bench
        bench.enrol("off")
        bench.ask("user_set", user="off", enabled=False)
        bench.enrol("old")
        bench.ask("user_set", user="old", valid_until=NOW - 1)
        bench.ask("user_add", user="new", entropy=ENTROPY)
        said = [self.verify(TOTP.at(NOW)), self.verify(TOTP.at(NOW)), self.verify("x")]
        said += [self.verify(TOTP.at(NOW), user) for user in ("off", "old", "new", "nobody")]
        said += [self.verify(WRONG) for _ in range(6)]
        bench.board.time = None
        bench.restart()
        bench.enrol("bob")
        said.append(self.verify(TOTP.at(NOW), "bob"))
        self.assertEqual(set(said), set(VERDICTS))

    def test_a_refusal_that_costs_no_guess_changes_nothing_but_the_log(self):
        self.verify(TOTP.at(NOW))
        before = self.bench.device.store.get(9, 0)
        for code in (TOTP.at(NOW), "", "12345", TOTP.at(NOW - 30)):
            self.assertIn(self.verify(code), ("replayed", "malformed"))
        self.assertEqual(self.bench.device.store.get(9, 0), before)
        self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], 0)

    def test_the_device_window_counts_where_a_credential_has_none(self):
        self.bench.ask("settings_set", window=3)
        self.assertEqual(self.verify(TOTP.at(NOW - 90)), "accepted")
        self.bench.enrol("bob", window=0)
        self.assertEqual(self.verify(TOTP.at(NOW - 30), "bob"), "rejected")


class BeforeTheAnswer(unittest.TestCase):
    """What a code used up is on flash when the verdict leaves: cut right after, it is refused."""

    def check(self, make, code_of):
        """Accepted, then refused after a restart, and after a cut anywhere in the write."""
        bench = Bench()
        made = make(bench)
        code = code_of(made)
        accepted = []
        for after, was_cut in cuts(bench, lambda cut: accepted.append(verify(cut, code))):
            # A cut in the middle may leave the code unused: it has let nobody in then.
            self.assertIn(verify(after, code), ("accepted", "replayed") if was_cut else ("replayed",))
            self.assertEqual(verify(after, code), "replayed")
        self.assertEqual(accepted.pop(), "accepted")
        self.assertEqual(set(accepted), {"internal"})
        self.assertEqual(verify(bench, code), "accepted")
        bench.restart()
        self.assertEqual(verify(bench, code), "replayed")

    def test_totp(self):
        self.check(lambda bench: bench.enrol(), lambda _: TOTP.at(NOW))

    def test_hotp(self):
        self.check(lambda bench: enrol_hotp(bench, counter=5), lambda _: HOTP.at(9))

    def test_recovery(self):
        self.check(lambda bench: (bench.enrol(), recovery(bench)), lambda made: made[1][4])

    def test_bypass(self):
        self.check(lambda bench: (bench.enrol(), bypass(bench)), lambda made: made[1])


class ClockUnset(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol("both")
        enrol_hotp(self.bench, "both", secret=OTHER_HEX, digits=8)
        enrol_hotp(self.bench, "token")
        self.bench.enrol("phone")
        self.bench.enrol("mixed")
        enrol_hotp(self.bench, "mixed", secret=OTHER_HEX)
        self.codes = recovery(self.bench, "phone")
        self.bypass = bypass(self.bench, user="phone")
        self.bench.board.time = None
        self.bench.restart()

    def failures(self, user):
        return self.bench.ask("user_show", user=user)["failures"]

    def test_what_works_and_what_does_not(self):
        self.assertEqual(verify(self.bench, HOTP.at(0), "token"), "accepted")
        self.assertEqual(verify(self.bench, self.codes[0], "phone"), "accepted")
        self.assertEqual(verify(self.bench, self.codes[0], "phone"), "replayed")
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "phone"), "clock-unset")
        self.assertEqual(verify(self.bench, self.bypass, "phone"), "clock-unset")
        self.assertEqual(self.bench.ask("clock_set", time=NOW)["state"], "synced")
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "phone"), "accepted")
        self.assertEqual(verify(self.bench, self.bypass, "phone"), "accepted")

    def test_what_can_not_be_looked_at_is_no_guess(self):
        for _ in range(30):
            self.assertEqual(verify(self.bench, WRONG, "phone"), "clock-unset")
        self.assertEqual(self.failures("phone"), 0)

    def test_what_can_be_guessed_at_counts(self):
        """A code of six digits may be the token's, one of eight the other's, one of ten a recovery code."""
        for user, code, verdict in (
            ("mixed", WRONG, "clock-unset"),  # for it may be right, for all the device knows
            ("phone", WRONG_LONG, "clock-unset"),  # the bypass code's length as well
            ("both", "00000000", "rejected"),
            ("token", WRONG, "rejected"),
        ):
            before = self.failures(user)
            for number in range(5):
                self.assertEqual((user, verify(self.bench, code, user)), (user, verdict))
                self.assertEqual(self.failures(user) - before, number + 1)
            self.assertEqual(verify(self.bench, code, user), "throttled")

    def test_no_bypass_code_can_be_made(self):
        reply = self.bench.ask("bypass_make", user="phone", seconds=60, entropy=ENTROPY)
        self.assertEqual(reply["status"], "clock-unset")
        self.assertEqual(self.bench.ask("recovery_make", user="phone", entropy=ENTROPY)["status"], "ok")


class Trouble(unittest.TestCase):
    """What goes wrong elsewhere does not change a verdict."""

    def test_a_broken_screen(self):
        bench = Bench()
        bench.enrol()
        bench.board.display.fault = OSError(32)
        self.assertEqual(verify(bench, TOTP.at(NOW)), "accepted")
        bench.device.tick()
        self.assertEqual(bench.device.faults, 1)

    def test_a_flash_that_can_not_be_written_lets_nobody_in(self):
        def failing(_offset, _data):
            raise OSError(5)

        bench = Bench()
        bench.enrol()
        codes = recovery(bench)
        bench.board.flash._write = failing
        for code in (TOTP.at(NOW), codes[0], WRONG):
            self.assertEqual(verify(bench, code), "flash-failed")
        del bench.board.flash._write
        self.assertEqual(verify(bench, TOTP.at(NOW)), "accepted")
        self.assertEqual(verify(bench, codes[0]), "accepted")

    def test_a_full_flash_lets_in_whom_it_has_taken_in(self):
        bench = Bench(BenchBoard(CutFlash(sectors=9)))
        count, status = 0, "ok"
        while status == "ok":
            status = bench.enrol("a-user-with-a-rather-long-name-%04d" % count)["status"]
            count += status == "ok"
        self.assertEqual(status, "full")
        self.assertTrue(count > 40)
        bench.board.up += 7200  # time for the clock's floor to be written, too
        for number in range(count):
            said = verify(bench, TOTP.at(NOW + 7200), "a-user-with-a-rather-long-name-%04d" % number)
            self.assertEqual((number, said), (number, "accepted"))
        self.assertEqual(bench.ask("clock_set", time=NOW + 9000)["floor"], NOW + 9000)
        self.assertEqual(bench.ask("user_remove", user="a-user-with-a-rather-long-name-0003")["status"], "ok")
        bench.restart()
        self.assertEqual(bench.ask("status")["users"], count - 1)

    def test_nobody_s_credential_lets_nobody_in(self):
        """Were its code guessed, the answer would be the same."""
        bench = Bench()
        user = bench.device.directory.load(bench.device.directory.nobody)
        [right] = policy.codes(user.credentials[0].secret, "SHA1", 6, [NOW // 30])
        for _ in range(3):
            self.assertEqual(verify(bench, "%06d" % right, "mallory"), "unknown-user")
        for cmd in ("user_show", "user_remove", "user_reset"):
            self.assertEqual(bench.ask(cmd, user="nobody....")["status"], "not-found")
        self.assertEqual(bench.ask("user_list")["users"], [])


if __name__ == "__main__":
    unittest.main()
