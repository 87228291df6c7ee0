# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A user's credentials over the session: enrolment of each kind, several at once, off and on, removal,
resync."""

import unittest

import pyotp
from asking import (
    ENTROPY,
    HOTP,
    OTHER,
    OTHER_HEX,
    SECRET,
    TOTP,
    WRONG,
    WRONG_LONG,
    bypass,
    cuts,
    enrol_hotp,
    recovery,
    second_host,
    verify,
)
from parts import NOW, Bench
from understudy_device import protocol

SECOND = pyotp.TOTP(OTHER)


class Enrolment(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()

    def add(self, **fields):
        return self.bench.ask("user_add", **dict({"user": "bob", "entropy": ENTROPY}, **fields))

    def confirm(self, code, **fields):
        return self.bench.ask("user_confirm", user="bob", code=code, **fields)["status"]

    def test_unconfirmed_until_its_first_code(self):
        self.assertEqual(self.add(secret="31" * 20)["status"], "ok")
        self.assertEqual([verify(self.bench, code, "bob") for code in (TOTP.at(NOW), "x")], ["pending"] * 2)
        self.assertEqual(self.confirm(WRONG), "rejected")
        self.assertEqual(self.confirm("x"), "malformed")
        self.assertEqual(self.add(secret="31" * 20)["status"], "ok")  # an unfinished one gives way
        self.assertEqual(self.confirm(TOTP.at(NOW)), "accepted")
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "bob"), "replayed")
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 30), "bob"), "accepted")
        self.assertEqual(self.add()["status"], "exists")
        self.assertEqual(self.confirm(TOTP.at(NOW)), "exists")

    def test_a_wrong_first_code_is_no_guess(self):
        self.add(secret="31" * 20)
        self.assertEqual([self.confirm(WRONG) for _ in range(20)], ["rejected"] * 20)
        self.assertEqual(self.bench.ask("user_show", user="bob")["failures"], 0)
        self.assertEqual(self.confirm(TOTP.at(NOW)), "accepted")

    def test_a_made_secret_confirms_and_works(self):
        for kind in ("totp", "hotp"):
            for algorithm in protocol.ALGORITHMS:
                name = kind + algorithm
                reply = self.add(credential=name, kind=kind, algorithm=algorithm, digits=8)
                made = pyotp.parse_uri(reply["uri"])
                self.assertEqual(self.confirm(made.at(NOW if kind == "totp" else 0)), "accepted")
                code = made.at(NOW + 30 if kind == "totp" else 1)
                reply = self.bench.ask("verify", user="bob", code=code)
                self.assertEqual((reply["status"], reply["credential"]), ("accepted", name))

    def test_made_secrets_differ_and_are_as_long_as_the_hash(self):
        seen = set()
        for algorithm, length in (("SHA1", 32), ("SHA256", 52), ("SHA512", 103)):
            for user in "ab":
                uri = self.add(user=user + algorithm, algorithm=algorithm)["uri"]
                secret = uri.split("secret=")[1].split("&")[0]
                self.assertEqual(len(secret), length)
                seen.add(secret)
        self.assertEqual(len(seen), 6)

    def test_hotp_begins_where_it_is_told_to(self):
        reply = self.add(kind="hotp", counter=7, secret="31" * 20)
        self.assertTrue("counter=7" in reply["uri"] and "otpauth://hotp/" in reply["uri"])
        self.assertEqual([self.confirm(HOTP.at(k)) for k in (5, 6, 7)], ["rejected", "replayed", "accepted"])
        self.assertEqual([verify(self.bench, HOTP.at(k), "bob") for k in (7, 8)], ["replayed", "accepted"])

    def test_a_counter_is_hotp_s_alone(self):
        self.assertEqual(self.add(counter=0)["status"], "bad-request")
        self.assertEqual(self.add(counter=0, kind="totp")["status"], "bad-request")

    def test_names_of_made_codes_are_taken(self):
        for name in ("recovery", "bypass"):
            self.assertEqual(self.add(credential=name)["status"], "bad-request")
        self.assertEqual(self.bench.ask("user_list")["users"], [])

    def test_which_one_is_confirmed(self):
        self.add(credential="one", secret="31" * 20)
        self.add(credential="two", secret=OTHER_HEX)
        self.assertEqual(self.confirm(SECOND.at(NOW)), "rejected")  # the first that waits is meant
        self.assertEqual(self.confirm(SECOND.at(NOW), credential="two"), "accepted")
        self.assertEqual(self.confirm(SECOND.at(NOW), credential="two"), "exists")
        self.assertEqual(self.confirm(SECOND.at(NOW), credential="three"), "not-found")
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "bob"), "rejected")
        self.assertEqual(self.confirm(TOTP.at(NOW)), "accepted")
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 30), "bob"), "accepted")

    def test_every_setting_is_shown_and_counts(self):
        rows = (("SHA1", 8, 60, 0), ("SHA256", 7, 5, 10), ("SHA512", 10, 300, 2))
        for number, (algorithm, digits, interval, window) in enumerate(rows):
            fields = {"digits": digits, "interval": interval, "window": window, "algorithm": algorithm}
            user = "user%d" % number
            self.bench.enrol(user, **fields)
            shown = self.bench.ask("credential_show", user=user, credential="phone")
            self.assertEqual({name: shown[name] for name in fields}, fields)
            hotp = pyotp.HOTP(SECRET, digits=digits, digest=algorithm.lower())
            step = NOW // interval
            said = [verify(self.bench, hotp.at(step + k), user) for k in (-window - 1, 0, window)]
            self.assertEqual(said[:2], ["rejected", "accepted"])
            self.assertEqual(said[2], "accepted" if window else "replayed")

    def test_new_ones_take_the_device_s_settings_of_their_day(self):
        self.bench.ask("settings_set", digits=8, interval=60, algorithm="SHA256")
        self.add(secret="31" * 20)
        self.bench.ask("settings_set", digits=6, interval=30, algorithm="SHA1")
        code = pyotp.HOTP(SECRET, digits=8, digest="sha256").at(NOW // 60)
        self.assertEqual(self.confirm(code), "accepted")


class Several(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()
        enrol_hotp(self.bench, secret=OTHER_HEX, digits=8)
        self.hotp = pyotp.HOTP(OTHER, digits=8)

    def states(self):
        shown = self.bench.ask("user_show", user="alice")["credentials"]
        return {entry["credential"]: (entry["kind"], entry["state"]) for entry in shown}

    def test_each_lets_in_and_is_named(self):
        codes = (("phone", TOTP.at(NOW)), ("token", self.hotp.at(0)))
        codes += (("recovery", recovery(self.bench)[7]), ("bypass", bypass(self.bench)))
        for name, code in codes:
            reply = self.bench.ask("verify", user="alice", code=code)
            self.assertEqual((reply["status"], reply["credential"]), ("accepted", name))
        for _, code in codes:
            self.assertEqual(verify(self.bench, code), "replayed")
        kinds = {name: kind for name, (kind, _) in self.states().items()}
        wanted = {"phone": "totp", "token": "hotp", "recovery": "recovery", "bypass": "bypass"}
        self.assertEqual(kinds, wanted)

    def test_off_and_on(self):
        for name, code in (("phone", TOTP.at(NOW)), ("token", self.hotp.at(0))):
            fields = {"user": "alice", "credential": name}
            self.assertEqual(self.bench.ask("credential_set", enabled=False, **fields)["status"], "ok")
            self.assertEqual(self.states()[name][1], "disabled")
            self.assertEqual(verify(self.bench, code), "malformed")  # the other one has another length
            self.assertEqual(self.bench.ask("credential_set", enabled=True, **fields)["status"], "ok")
            self.assertEqual(verify(self.bench, code), "accepted")
            for enabled in (False, True):
                self.bench.ask("credential_set", enabled=enabled, **fields)
            self.assertEqual(verify(self.bench, code), "replayed")
        for name in ("phone", "token"):
            self.bench.ask("credential_set", user="alice", credential=name, enabled=False)
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 30)), "disabled")

    def test_removed(self):
        self.assertEqual(verify(self.bench, self.hotp.at(0)), "accepted")
        codes = recovery(self.bench)
        remove = {"user": "alice", "credential": "recovery"}
        self.assertEqual(self.bench.ask("credential_remove", **remove)["status"], "ok")
        self.assertEqual(self.bench.ask("credential_remove", **remove)["status"], "not-found")
        self.assertEqual([verify(self.bench, code) for code in codes], ["malformed"] * 10)
        self.bench.ask("credential_remove", user="alice", credential="phone")
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "malformed")
        self.assertEqual([verify(self.bench, self.hotp.at(k)) for k in (0, 1)], ["replayed", "accepted"])
        self.bench.ask("credential_remove", user="alice", credential="token")
        self.assertEqual(verify(self.bench, self.hotp.at(2)), "pending")

    def test_one_of_an_old_number_starts_from_nothing(self):
        """The numbers of a user's credentials come round: no earlier use counts for a later one."""
        for number in range(40):
            name = "n%d" % number
            enrol_hotp(self.bench, credential=name, digits=7)
            shown = self.bench.ask("credential_show", user="alice", credential=name)
            self.assertEqual((number, shown["counter"]), (number, 0))
            code = pyotp.HOTP(SECRET, digits=7).at(number % 5)
            self.assertEqual(verify(self.bench, code), "accepted")
            self.bench.ask("credential_remove", user="alice", credential=name)
        self.assertEqual(verify(self.bench, self.hotp.at(0)), "accepted")

    def test_as_many_as_fit(self):
        names = ["c" * 23 + str(number) for number in range(4)]
        for name in names:
            reply = self.bench.enrol(credential=name, secret="5a" * 64, algorithm="SHA512")
            self.assertEqual(reply["status"], "ok")
        self.assertEqual(self.bench.enrol(credential="more")["status"], "full")
        for cmd, fields in (("recovery_make", {}), ("bypass_make", {"seconds": 5})):
            reply = self.bench.ask(cmd, user="alice", entropy=ENTROPY, **fields)
            self.assertEqual(reply["status"], "full")
        self.bench.ask("credential_remove", user="alice", credential=names[0])
        codes = recovery(self.bench)
        self.assertEqual(len(recovery(self.bench)), 10)  # in the place of the first ones
        self.assertEqual(verify(self.bench, codes[0]), "rejected")
        self.assertEqual(len(self.states()), protocol.MAX_CREDENTIALS)


class Made(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def left(self):
        return self.bench.ask("credential_show", user="alice", credential="recovery")["left"]

    def test_ten_of_ten_digits_each_once(self):
        codes = recovery(self.bench)
        self.assertEqual((len(codes), len(set(codes)), set(len(code) for code in codes)), (10, 10, {10}))
        self.assertEqual(set("".join(codes)) - set("0123456789"), set())
        for number, code in enumerate(codes):
            self.assertEqual(self.left(), 10 - number)
            typed = (code, " " + code[:5] + " " + code[5:], "-".join(code))[number % 3]
            self.assertEqual([verify(self.bench, text) for text in (typed, code)], ["accepted", "replayed"])
        self.assertEqual(self.left(), 0)
        self.bench.restart()
        self.assertEqual([verify(self.bench, code) for code in codes], ["replayed"] * 10)

    def test_a_refill_voids_the_old_ones(self):
        old = recovery(self.bench)
        verify(self.bench, old[0])
        new = recovery(self.bench)
        self.assertEqual((set(old) & set(new), self.left()), (set(), 10))
        self.assertEqual([verify(self.bench, code) for code in old[:3]], ["rejected"] * 3)
        self.assertEqual([verify(self.bench, code) for code in new], ["accepted"] * 10)

    def test_many_refills(self):
        """Their numbers come round, too."""
        for _ in range(40):
            codes = recovery(self.bench)
            self.assertEqual(self.left(), 10)
            self.assertEqual(verify(self.bench, codes[0]), "accepted")

    def test_a_refill_cut_anywhere_leaves_the_old_ones_or_the_new(self):
        old = recovery(self.bench)
        verify(self.bench, old[0])
        for after, was_cut in cuts(
            self.bench, lambda cut: cut.ask("recovery_make", user="alice", entropy=ENTROPY)
        ):
            said = [verify(after, code) for code in old[:2]]
            self.assertIn(said, (["replayed", "accepted"], ["rejected"] * 2))
            if not was_cut:
                self.assertEqual(said, ["rejected"] * 2)
            self.assertEqual([verify(after, code) for code in recovery(after)], ["accepted"] * 10)

    def test_codes_of_two_users_are_their_own(self):
        self.bench.enrol("bob")
        codes = {user: recovery(self.bench, user) for user in ("alice", "bob")}
        self.assertEqual(set(codes["alice"]) & set(codes["bob"]), set())
        self.assertEqual(verify(self.bench, codes["alice"][0], "bob"), "rejected")
        self.assertEqual(verify(self.bench, codes["alice"][0], "alice"), "accepted")

    def test_a_bypass_code_lasts_and_ends(self):
        for seconds, wait, expected in (
            (60, 59, "accepted"),
            (60, 60, "rejected"),
            (604800, 604799, "accepted"),
        ):
            bench = Bench()
            bench.enrol()
            reply = bench.ask("bypass_make", user="alice", seconds=seconds, entropy=ENTROPY)
            self.assertEqual((len(reply["code"]), reply["until"]), (10, NOW + seconds))
            bench.board.up += wait
            self.assertEqual((seconds, wait, verify(bench, reply["code"])), (seconds, wait, expected))
            self.assertEqual(
                verify(bench, reply["code"]), "replayed" if expected == "accepted" else "rejected"
            )

    def test_a_new_bypass_code_voids_the_last(self):
        codes = [bypass(self.bench) for _ in range(2)]
        self.assertEqual([verify(self.bench, code) for code in codes], ["rejected", "accepted"])

    def test_only_an_admin_makes_them(self):
        host, session = second_host(self.bench)
        for cmd, fields in (("recovery_make", {}), ("bypass_make", {"seconds": 5})):
            reply = host.ask(session, cmd, user="alice", entropy=ENTROPY, **fields)
            self.assertEqual(reply["status"], "denied")

    def test_at_the_end_of_time(self):
        self.bench.ask("clock_set", time=protocol.MAX_TIME - 5)
        reply = self.bench.ask("bypass_make", user="alice", seconds=600, entropy=ENTROPY)
        self.assertEqual((reply["status"], reply["until"]), ("ok", protocol.MAX_TIME))
        self.assertEqual(verify(self.bench, reply["code"]), "accepted")
        self.bench.board.up += 60
        self.assertEqual(self.bench.ask("clock_show")["time"], protocol.MAX_TIME + 55)
        self.assertEqual(verify(self.bench, TOTP.at(protocol.MAX_TIME + 55)), "accepted")
        self.assertEqual(verify(self.bench, WRONG_LONG), "rejected")
        reply = self.bench.ask("bypass_make", user="alice", seconds=1, entropy=ENTROPY)
        self.assertEqual((reply["status"], verify(self.bench, reply["code"])), ("ok", "rejected"))


class Resync(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()
        enrol_hotp(self.bench, secret=OTHER_HEX, digits=8)
        self.hotp = pyotp.HOTP(OTHER, digits=8)

    def resync(self, first, second, **fields):
        return self.bench.ask("resync", **dict({"user": "alice", "code1": first, "code2": second}, **fields))

    def test_totp(self):
        ahead = NOW + 20 * 30
        self.assertEqual(verify(self.bench, TOTP.at(ahead)), "rejected")
        reply = self.resync(TOTP.at(ahead), TOTP.at(ahead + 30))
        self.assertEqual((reply["status"], reply["drift"], reply["counter"]), ("ok", 21, None))
        self.assertEqual(verify(self.bench, TOTP.at(ahead + 30)), "replayed")
        self.assertEqual(verify(self.bench, TOTP.at(ahead + 60)), "accepted")
        self.bench.restart()
        self.assertEqual(verify(self.bench, TOTP.at(ahead + 60)), "replayed")
        shown = self.bench.ask("credential_show", user="alice", credential="phone")
        self.assertEqual((shown["drift"], shown["last_used"]), (21, (ahead + 60) // 30 * 30))

    def test_hotp(self):
        self.assertEqual(verify(self.bench, self.hotp.at(60)), "rejected")
        reply = self.resync(self.hotp.at(60), self.hotp.at(61), credential="token")
        self.assertEqual((reply["status"], reply["drift"], reply["counter"]), ("ok", None, 62))
        self.assertEqual([verify(self.bench, self.hotp.at(k)) for k in (61, 62)], ["replayed", "accepted"])

    def test_wrong_ones_are_guesses_and_wait(self):
        for number in range(5):
            self.assertEqual(self.resync(WRONG, WRONG)["status"], "rejected")
            self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], number + 1)
        reply = self.resync(TOTP.at(NOW), TOTP.at(NOW + 30))
        self.assertEqual((reply["status"], reply["seconds"]), ("throttled", 30))
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "throttled")
        self.bench.board.up += 30
        self.assertEqual(self.resync(TOTP.at(NOW), TOTP.at(NOW + 30))["status"], "ok")
        self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], 0)

    def test_whose(self):
        recovery(self.bench)
        self.assertEqual(self.resync(WRONG, WRONG, user="nobody")["status"], "unknown-user")
        self.assertEqual(self.resync(WRONG, WRONG, user="nobody", credential="x")["status"], "unknown-user")
        for name in ("recovery", "nothing"):
            self.assertEqual(self.resync("1", "2", credential=name)["status"], "not-found")
        self.bench.ask("user_set", user="alice", enabled=False)
        self.assertEqual(self.resync(TOTP.at(NOW), TOTP.at(NOW + 30))["status"], "disabled")


if __name__ == "__main__":
    unittest.main()
