# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Guessing over the service: who has to wait, for how long, what counts, and what a restart changes."""

import unittest

from asking import ENTROPY, HOTP, TOTP, WRONG, cuts, enrol_hotp, recovery, second_host, status_of, verify
from parts import NOW, Bench, BenchBoard, CutFlash


def try_it(bench, code=WRONG, user="alice"):
    """(status, seconds to wait or None)."""
    reply = bench.ask("verify", user=user, code=code)
    return status_of(reply), reply.get("seconds")


def guess(bench, count, user="alice"):
    """Wrong codes, as many as are looked at."""
    said = [verify(bench, WRONG, user) for _ in range(count)]
    if said != ["rejected"] * count:
        raise ValueError(str(said))


class OneUser(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def test_after_the_fifth_everyone_waits_the_right_code_too(self):
        guess(self.bench, 5)
        for waited, seconds in ((0, 30), (10, 20), (19, 1)):
            self.bench.board.up += waited
            for code in (WRONG, TOTP.at(NOW), "x"):
                self.assertEqual(try_it(self.bench, code), ("throttled", seconds))
            self.assertEqual(self.bench.ask("user_show", user="alice")["wait"], seconds)
        self.bench.board.up += 1
        self.assertEqual(try_it(self.bench, TOTP.at(NOW + 30)), ("accepted", None))
        self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], 0)
        guess(self.bench, 5)
        self.assertEqual(try_it(self.bench), ("throttled", 30))

    def test_each_further_one_doubles_it_up_to_the_longest(self):
        self.bench.ask("settings_set", device_attempts=1000)
        guess(self.bench, 5)
        waits = []
        for _ in range(10):
            verdict, seconds = try_it(self.bench)
            self.assertEqual(verdict, "throttled")
            waits.append(seconds)
            self.bench.board.up += seconds - 1
            self.assertEqual(try_it(self.bench), ("throttled", 1))
            self.bench.board.up += 1
            guess(self.bench, 1)
        self.assertEqual(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
        self.bench.board.up += 3600
        right = TOTP.at(NOW + self.bench.board.up)
        self.assertEqual(try_it(self.bench, right), ("accepted", None))

    def test_more_wrong_codes_than_a_byte_counts(self):
        self.bench.ask("settings_set", device_attempts=1000, delay=1, max_delay=2)
        for _ in range(270):
            self.bench.board.up += 2
            guess(self.bench, 1)
        self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], 255)
        self.assertEqual(try_it(self.bench), ("throttled", 2))

    def test_a_right_one_in_between_begins_anew(self):
        for number in range(3):
            guess(self.bench, 4)
            self.assertEqual(verify(self.bench, TOTP.at(NOW + 30 * (number - 1))), "accepted")
        guess(self.bench, 5)
        self.assertEqual(verify(self.bench, WRONG), "throttled")

    def test_whatever_kind_is_guessed_at(self):
        enrol_hotp(self.bench, digits=8, secret="32" * 20)
        codes = recovery(self.bench)
        for code in (WRONG, "00000000", "0000000000", "1111111111", "11111111"):
            self.assertEqual(verify(self.bench, code), "rejected")
        for code in (TOTP.at(NOW), codes[0]):
            self.assertEqual(verify(self.bench, code), "throttled")

    def test_settings(self):
        self.bench.ask("settings_set", attempts=1, delay=7, max_delay=20)
        waits = []
        for _ in range(4):
            guess(self.bench, 1)
            waits.append(try_it(self.bench)[1])
            self.bench.board.up += waits[-1]
        self.assertEqual(waits, [7, 14, 20, 20])
        self.assertEqual(self.bench.ask("settings_set", delay=21)["status"], "bad-request")
        self.assertEqual(self.bench.ask("settings_set", max_delay=6)["status"], "bad-request")
        self.bench.restart()
        self.assertEqual(self.bench.ask("settings_show")["max_delay"], 20)

    def test_another_user_does_not_wait(self):
        self.bench.enrol("bob")
        guess(self.bench, 5)
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "throttled")
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "bob"), "accepted")

    def test_whoever_asks(self):
        host, session = second_host(self.bench)
        for _ in range(5):
            status = host.ask(session, "verify", user="alice", code=WRONG)["status"]
            self.assertEqual(status, "rejected")
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "throttled")
        self.assertEqual(host.ask(session, "verify", user="alice", code=TOTP.at(NOW))["status"], "throttled")

    def test_what_costs_no_guess(self):
        enrol_hotp(self.bench)
        self.assertEqual([verify(self.bench, code) for code in (HOTP.at(0), TOTP.at(NOW))], ["accepted"] * 2)
        for code in (HOTP.at(0), TOTP.at(NOW), "x", "", "12345", "1234567", "12345678901") * 4:
            self.assertIn(verify(self.bench, code), ("replayed", "malformed"))
        self.bench.ask("user_add", user="alice", credential="new", entropy=ENTROPY)
        for _ in range(10):
            self.bench.ask("user_confirm", user="alice", code=WRONG)
        self.bench.ask("user_set", user="alice", enabled=False)
        self.assertEqual([verify(self.bench, WRONG) for _ in range(9)], ["disabled"] * 9)
        self.bench.ask("user_set", user="alice", enabled=True, valid_until=1)
        self.assertEqual([verify(self.bench, WRONG) for _ in range(9)], ["expired"] * 9)
        self.bench.ask("user_set", user="alice", valid_until=0)
        self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], 0)
        self.assertEqual(self.bench.device.throttle.spent(self.bench.device.settings, 0), 0)


class Restarts(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def test_the_whole_wait_begins_anew(self):
        guess(self.bench, 5)
        self.bench.board.up += 25
        for _ in range(3):
            self.bench.restart()
            self.assertEqual(try_it(self.bench, TOTP.at(NOW)), ("throttled", 30))
            self.bench.board.up += 29
            self.assertEqual(try_it(self.bench, TOTP.at(NOW)), ("throttled", 1))
        self.bench.board.up += 1
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 30)), "accepted")
        self.bench.board.time = NOW + 3600
        self.bench.restart()
        guess(self.bench, 5)

    def test_a_wait_that_is_over_stays_over(self):
        self.bench.enrol("bob")
        guess(self.bench, 5)
        self.bench.restart()
        self.bench.board.up += 30
        guess(self.bench, 5, "bob")  # what was over is forgotten meanwhile
        guess(self.bench, 1)
        self.assertEqual(try_it(self.bench), ("throttled", 60))

    def test_no_guess_is_free_by_pulling_the_plug(self):
        """Cut anywhere in the write: either no verdict was given, or it is counted."""
        guess(self.bench, 3)
        said = []
        for after, was_cut in cuts(self.bench, lambda cut: said.append(verify(cut, WRONG))):
            failures = after.ask("user_show", user="alice")["failures"]
            self.assertIn(failures, (3, 4) if was_cut else (4,))
            self.assertEqual(said[-1], "internal" if was_cut else "rejected")

    def test_a_clock_that_is_turned_ends_no_wait(self):
        guess(self.bench, 5)
        for time in (NOW + 10**6, NOW + 10**8):
            self.bench.ask("clock_set", time=time)
            self.assertEqual(try_it(self.bench, TOTP.at(time)), ("throttled", 30))
        self.bench.board.time = None
        self.bench.restart()
        self.assertEqual(try_it(self.bench), ("throttled", 30))

    def test_removed_and_added_again_waits_no_more(self):
        guess(self.bench, 5)
        self.bench.ask("user_remove", user="alice")
        self.bench.device.store.index._next = 0
        self.bench.enrol()
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "accepted")

    def test_a_further_credential_ends_no_wait(self):
        guess(self.bench, 5)
        self.bench.enrol(credential="tablet")
        recovery(self.bench)
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "throttled")


class Device(unittest.TestCase):
    """All users together: who is suspect has to wait, who gets it right has not."""

    def setUp(self):
        self.bench = Bench(BenchBoard(CutFlash(sectors=16)))
        self.bench.ask("settings_set", device_attempts=20)
        self.users = ["user%d" % number for number in range(8)]
        for user in self.users:
            self.bench.enrol(user)

    def spend(self):
        """Twenty wrong codes, four of each of five users."""
        for user in self.users[:5]:
            guess(self.bench, 4, user)

    def test_the_suspect_wait_until_one_is_forgotten(self):
        self.spend()
        for user in self.users[:5] + ["nobody"]:
            self.assertEqual(try_it(self.bench, TOTP.at(NOW), user), ("throttled", 30))
        self.bench.board.up += 29
        self.assertEqual(try_it(self.bench, TOTP.at(NOW), "user0"), ("throttled", 1))
        self.bench.board.up += 1
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "user0"), "accepted")
        guess(self.bench, 1, "user1")
        self.assertEqual(try_it(self.bench, TOTP.at(NOW), "user2"), ("throttled", 30))

    def test_whoever_gets_it_right_does_not_wait(self):
        """Nobody is kept out by others' guesses; one slip is forgiven, a second is suspect."""
        self.spend()
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "user7"), "accepted")
        guess(self.bench, 1, "user6")
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "user6"), "accepted")
        guess(self.bench, 2, "user6")
        self.assertEqual(try_it(self.bench, TOTP.at(NOW), "user6"), ("throttled", 30))

    def test_one_each_delay_and_no_more(self):
        self.spend()
        looked_at = 0
        for _ in range(600):
            self.bench.board.up += 1
            looked_at += verify(self.bench, WRONG, "stranger%d" % looked_at) != "throttled"
        self.assertEqual(looked_at, 20)

    def test_no_wait_grows_by_guesses_at_many(self):
        """Two at each of many users are looked at in any case; they don't make the others wait longer."""
        self.spend()
        for number in range(30):
            self.bench.enrol("more%d" % number)
            guess(self.bench, 2, "more%d" % number)
        for user in ("user0", "more0", "nobody"):
            self.assertEqual(try_it(self.bench, TOTP.at(NOW), user), ("throttled", 30))
        self.bench.board.time = NOW + 3600
        self.bench.restart()
        self.assertEqual(try_it(self.bench, WRONG, "nobody"), ("throttled", 30))
        self.bench.ask("settings_set", device_attempts=5)
        self.assertEqual(try_it(self.bench, WRONG, "nobody"), ("throttled", 30))
        self.bench.board.up += 30
        self.assertEqual(verify(self.bench, WRONG, "nobody"), "unknown-user")

    def test_users_that_are_not_there_count_against_it_alone(self):
        for number in range(20):
            self.assertEqual(verify(self.bench, WRONG, "nobody%d" % (number % 3)), "unknown-user")
        self.assertEqual(try_it(self.bench, WRONG, "nobody"), ("throttled", 30))
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "user0"), "accepted")
        self.bench.board.up += 30
        for _ in range(30):  # what costs no guess of one who is there costs none of one who is not
            self.assertEqual(verify(self.bench, "x", "nobody"), "unknown-user")
        self.assertEqual(verify(self.bench, WRONG, "nobody"), "unknown-user")
        fields = {"user": "nobody", "code1": WRONG, "code2": WRONG}
        self.assertEqual(self.bench.ask("resync", **fields)["status"], "throttled")

    def test_a_right_code_gives_nothing_back(self):
        """Whoever has a code of their own must not buy guesses at others with it."""
        self.spend()
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "user7"), "accepted")
        self.assertEqual(try_it(self.bench, WRONG, "nobody"), ("throttled", 30))

    def test_over_a_restart(self):
        self.spend()
        self.bench.board.up += 25
        self.bench.restart()
        self.assertEqual(try_it(self.bench, TOTP.at(NOW), "user4"), ("throttled", 30))
        self.bench.board.up += 30
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "user4"), "accepted")

    def test_the_longer_of_the_two_waits(self):
        self.bench.ask("settings_set", attempts=2)
        guess(self.bench, 2, "user7")
        self.bench.board.up += 30
        guess(self.bench, 1, "user7")  # a minute now
        for user in self.users[:6] * 3:
            verify(self.bench, WRONG, user)
        self.assertEqual(try_it(self.bench, WRONG, "user7"), ("throttled", 60))


class Thousand(unittest.TestCase):
    """1,000 wrong codes; what others make of them is in the peers' measurements."""

    def attack(self, user, rate):
        """(codes looked at, what the right code says after them, and after the wait that it names)."""
        bench = Bench()
        bench.enrol()
        looked_at = 0
        for number in range(1000):
            bench.board.up += number % rate == 0
            looked_at += verify(bench, "%06d" % number, user) not in ("throttled", "internal")
        verdict, seconds = try_it(bench, TOTP.at(NOW + bench.board.up))
        bench.board.up += seconds or 0
        return looked_at, verdict, verify(bench, TOTP.at(NOW + 30 + bench.board.up))

    def test_at_one_user(self):
        # 371 a second, as a peer was measured at: three seconds. And one a second: 1,000 of them.
        self.assertEqual(self.attack("alice", 371), (5, "throttled", "accepted"))
        self.assertEqual(self.attack("alice", 1), (10, "throttled", "accepted"))

    def test_at_names_that_are_not_there(self):
        looked_at, verdict, after = self.attack("nobody", 371)
        self.assertEqual((looked_at, verdict, after), (100, "accepted", "accepted"))


if __name__ == "__main__":
    unittest.main()
