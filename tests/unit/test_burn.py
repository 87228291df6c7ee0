# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a host tells of logins that others have decided: codes that were used elsewhere, and reports."""

import unittest

from asking import HOTP, TOTP, WRONG, enrol_hotp, events, second_host, status_of, verify
from parts import NOW, Bench


def burn(bench, code, user="alice"):
    reply = bench.ask("burn", user=user, code=code)
    assert reply["status"] == "ok", reply
    return reply["used"]


class ACodeThatAnotherServerAccepted(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()
        self.bench.ask("clock_set", time=NOW)

    def test_is_good_for_nothing_here(self):
        self.assertFalse(burn(self.bench, TOTP.at(NOW)))
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "replayed")
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 30)), "accepted")
        self.assertEqual(events(self.bench)[-3][1].name, "burnt")

    def test_is_told_to_be_used_when_it_was(self):
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "accepted")
        self.assertTrue(burn(self.bench, TOTP.at(NOW)))
        self.assertFalse(burn(self.bench, TOTP.at(NOW + 30)))
        self.assertTrue(burn(self.bench, TOTP.at(NOW + 30)))

    def test_stays_burnt_over_a_power_cycle(self):
        burn(self.bench, TOTP.at(NOW))
        self.bench.restart()
        self.assertTrue(burn(self.bench, TOTP.at(NOW)))

    def test_of_a_counter_moves_it_on(self):
        enrol_hotp(self.bench)
        self.assertFalse(burn(self.bench, HOTP.at(1)))
        self.assertNotEqual(verify(self.bench, HOTP.at(0)), "accepted")
        self.assertNotEqual(verify(self.bench, HOTP.at(1)), "accepted")
        self.assertEqual(verify(self.bench, HOTP.at(2)), "accepted")

    def test_when_it_is_wrong_nothing_is_written_and_nothing_counted(self):
        before = self.bench.board.flash.image()
        for code in (WRONG, "no code", "", "1234567890", TOTP.at(NOW - 3000)):
            for user in ("alice", "nobody"):
                self.assertFalse(burn(self.bench, code, user))
        self.assertEqual(self.bench.board.flash.image(), before)
        self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], 0)

    def test_of_who_has_to_wait_is_burnt_all_the_same(self):
        for _ in range(6):
            verify(self.bench, WRONG)
        self.assertFalse(burn(self.bench, TOTP.at(NOW)))
        self.assertTrue(burn(self.bench, TOTP.at(NOW)))

    def test_of_who_is_switched_off_changes_nothing(self):
        self.bench.ask("user_set", user="alice", enabled=False)
        before = self.bench.board.flash.image()
        self.assertFalse(burn(self.bench, TOTP.at(NOW)))
        self.assertEqual(self.bench.board.flash.image(), before)

    def test_a_verifier_may_tell_of_it(self):
        host, session = second_host(self.bench)
        self.assertIs(host.ask(session, "burn", user="alice", code=TOTP.at(NOW))["used"], False)
        self.assertIs(host.ask(session, "burn", user="alice", code=TOTP.at(NOW))["used"], True)


class AReport(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def report(self, user="alice", event="emergency"):
        return status_of(self.bench.ask("report", user=user, event=event, time=NOW - 5))

    def test_is_in_the_log_under_the_hosts_name(self):
        self.assertEqual([self.report(), self.report("nobody", "local-bypass")], ["ok", "ok"])
        found = [(e.name, e.actor, detail) for _, e, _, detail in events(self.bench)][-2:]
        wanted = [("emergency", 0, "alice\n%d" % (NOW - 5)), ("local-bypass", 0, "nobody\n%d" % (NOW - 5))]
        self.assertEqual(found, wanted)

    def test_must_be_one_of_those_there_are(self):
        self.assertEqual(self.report(event="claimed"), "bad-request")

    def test_many_do_not_flood_the_log(self):
        before = self.bench.device.audit.next
        self.assertEqual([self.report() for _ in range(40)].count("throttled"), 10)
        self.assertEqual(self.bench.device.audit.next, before + 30)
        self.bench.board.up += 60
        self.assertEqual([self.report(), self.report()], ["ok", "throttled"])


if __name__ == "__main__":
    unittest.main()
