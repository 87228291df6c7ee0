# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Enrolment at a login whose answer is lost, or whose power: the same verdict again, and nobody is lost, no
first code works twice, no recovery code is good that nobody was told."""

import unittest

import pyotp
from asking import ENTROPY, WRONG, bypass, cuts, events, recovery, status_of, verify, without_id
from parts import NOW, TEARS, Bench

ID, OTHER_ID = "0123456789abcdef", "fedcba9876543210"
ALICE = {"user": "alice", "entropy": ENTROPY}


def invited():
    """A bench with an invited user, alice."""
    bench = Bench()
    bench.ask("user_invite", user="alice")
    return bench


def begun(bench):
    """What alice's authenticator has, once a login has begun to enrol her."""
    return pyotp.parse_uri(bench.ask("enrol", **ALICE)["uri"])


def confirm(bench, code, number=ID):
    """The whole reply."""
    return bench.admin.ask(bench.session, "enrol_confirm", number, code=code, **ALICE)


def credentials(bench):
    """{name: state}"""
    shown = bench.ask("user_show", user="alice")["credentials"]
    return {one["credential"]: one["state"] for one in shown}


class Retries(unittest.TestCase):
    def setUp(self):
        self.bench = invited()
        self.phone = begun(self.bench)

    def test_what_is_told_once(self):
        first, again = (self.bench.admin.ask(self.bench.session, "enrol", ID, **ALICE) for _ in range(2))
        self.assertTrue(first["uri"])
        self.assertEqual(again, dict(first, uri=None))
        code = pyotp.parse_uri(first["uri"]).at(NOW)
        first, again = (confirm(self.bench, code, OTHER_ID) for _ in range(2))
        self.assertEqual((first["status"], len(first["codes"])), ("accepted", 10))
        self.assertEqual(again, dict(first, codes=None))

    def test_asked_twice_it_is_done_once(self):
        code = self.phone.at(NOW)
        first = confirm(self.bench, code)
        writes = len(self.bench.board.flash.operations)
        self.assertEqual([confirm(self.bench, code)["status"] for _ in range(3)], ["accepted"] * 3)
        self.assertEqual(len(self.bench.board.flash.operations), writes)
        self.assertEqual(verify(self.bench, first["codes"][0]), "accepted")
        self.assertEqual(confirm(self.bench, code, OTHER_ID)["status"], "exists")

    def test_a_wrong_code(self):
        for code, said in ((WRONG, "rejected"), ("x", "malformed")):
            number = "%016x" % len(said)
            self.assertEqual([confirm(self.bench, code, number)["status"] for _ in range(3)], [said] * 3)
            self.bench.restart()
            self.assertEqual(without_id(confirm(self.bench, code, number)), {"status": said})
        self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], 0)
        self.assertEqual(confirm(self.bench, self.phone.at(NOW), OTHER_ID)["status"], "accepted")

    def test_over_a_restart_the_verdict_stands_and_the_codes_are_void(self):
        codes = confirm(self.bench, self.phone.at(NOW))["codes"]
        self.assertEqual(credentials(self.bench), {"phone": "active", "recovery": "active"})
        first = self.bench.device.audit.next
        for _ in range(3):
            self.bench.restart()
            again = without_id(confirm(self.bench, self.phone.at(NOW)))
            self.assertEqual(again, {"status": "accepted", "codes": None})
            self.assertEqual(credentials(self.bench), {"phone": "active"})
        found = [(e.name, detail) for _, e, _, detail in events(self.bench, first) if e.name != "unsealed"]
        self.assertEqual(found, [("credential-removed", "alice\nrecovery")])
        said = [verify(self.bench, code) for code in (codes[0], self.phone.at(NOW), self.phone.at(NOW + 30))]
        self.assertEqual(said, ["malformed", "replayed", "accepted"])
        self.assertEqual(verify(self.bench, recovery(self.bench)[0]), "accepted")

    def test_codes_of_which_one_was_used_were_told(self):
        codes = confirm(self.bench, self.phone.at(NOW))["codes"]
        self.assertEqual(verify(self.bench, codes[0]), "accepted")
        self.bench.restart()
        self.assertEqual(confirm(self.bench, self.phone.at(NOW))["status"], "accepted")
        self.assertEqual([verify(self.bench, code) for code in codes[:2]], ["replayed", "accepted"])

    def test_nobody_else_s_request_counts_as_the_same(self):
        confirm(self.bench, self.phone.at(NOW))
        self.bench.restart()
        for code, number in ((self.phone.at(NOW), OTHER_ID), (WRONG, ID)):
            self.assertEqual(confirm(self.bench, code, number)["status"], "exists")
        self.assertEqual(credentials(self.bench), {"phone": "active", "recovery": "active"})

    def test_who_was_reset_in_between_is_judged_anew(self):
        code = self.phone.at(NOW)
        confirm(self.bench, code)
        self.bench.ask("user_reset", user="alice")
        self.bench.restart()
        self.assertEqual(confirm(self.bench, code)["status"], "pending")
        other = begun(self.bench)
        self.bench.restart()
        self.assertEqual(confirm(self.bench, code)["status"], "rejected")
        self.assertEqual(confirm(self.bench, other.at(NOW), OTHER_ID)["status"], "accepted")

    def test_who_was_removed_in_between(self):
        code = self.phone.at(NOW)
        confirm(self.bench, code)
        self.bench.ask("user_remove", user="alice")
        self.bench.restart()
        self.assertEqual(confirm(self.bench, code)["status"], "unknown-user")


class Cuts(unittest.TestCase):
    """At each flash operation, each torn in one of the ways; `cuts` turns them."""

    def setUp(self):
        self.bench = invited()

    def gets_in(self, bench, later):
        """Whatever was cut, alice can enrol, and what she is told then works. `later`: seconds."""
        bench.board.up += later
        phone = begun(bench)
        reply = confirm(bench, phone.at(NOW + later), OTHER_ID)
        self.assertEqual(reply["status"], "accepted")
        said = [verify(bench, code) for code in (phone.at(NOW + later), phone.at(NOW + later + 30))]
        self.assertEqual(said, ["replayed", "accepted"])
        self.assertEqual([verify(bench, code) for code in reply["codes"]], ["accepted"] * 10)

    def test_an_invitation(self):
        done = set()
        for after, was_cut in cuts(self.bench, lambda cut: cut.ask("user_invite", user="bob")):
            state = after.ask("user_state", user="bob")["state"]
            done.add(state)
            self.assertTrue(was_cut or state == "pending")
            self.assertEqual(after.ask("user_state", user="alice")["state"], "pending")
            if state == "unknown":
                self.assertEqual(after.ask("user_invite", user="bob")["status"], "ok")
            self.gets_in(after, 0)
        self.assertEqual(done, {"unknown", "pending"})

    def test_a_new_secret(self):
        first = begun(self.bench)
        code = bypass(self.bench)
        self.assertEqual(verify(self.bench, code), "accepted")
        told = []

        def enrol(cut):
            reply = cut.ask("enrol", **ALICE)
            told.append(None if status_of(reply) == "internal" else pyotp.parse_uri(reply["uri"]))

        for after, was_cut in cuts(self.bench, enrol):
            self.assertEqual(told[-1] is None, was_cut)
            self.assertEqual(verify(after, code), "replayed")
            phones = [first] + told[-1:] if told[-1] is not None else [first]
            said = [confirm(after, one.at(NOW), "%016x" % at)["status"] for at, one in enumerate(phones)]
            self.assertIn(said, (["accepted"], ["rejected"]) if was_cut else (["rejected", "accepted"],))
            if said == ["rejected"]:
                self.gets_in(after, 0)

    def cut_confirmations(self, tear=None):
        """(bench after the cut, whether there was one, reply) for each operation; in the way of `tear`."""
        self.phone, said = begun(self.bench), []

        def ask(cut):
            if tear is not None:
                cut.board.flash.tear = tear
            said.append(confirm(cut, self.phone.at(NOW)))

        for after, was_cut in cuts(self.bench, ask):
            yield after, was_cut, said[-1]

    def test_a_confirmation(self):
        """Enrolled as a whole, or still to enrol: with the code used up, or not looked at yet."""
        every = set()
        for tear in TEARS:
            self.bench, seen = invited(), []
            for after, was_cut, reply in self.cut_confirmations(tear):
                self.assertEqual(status_of(reply), "internal" if was_cut else "accepted")
                state, found = after.ask("user_state", user="alice")["state"], credentials(after)
                again = confirm(after, self.phone.at(NOW))
                seen.append((state, again["status"]))
                if state == "active":
                    self.assertEqual(found, {"phone": "active", "recovery": "active"})
                    self.assertEqual(without_id(again), {"status": "accepted", "codes": None})
                    self.assertEqual(credentials(after), {"phone": "active"})
                    said = [verify(after, self.phone.at(at)) for at in (NOW, NOW + 30)]
                    self.assertEqual(said, ["replayed", "accepted"])
                    continue
                self.assertEqual((state, found), ("pending", {"phone": "unconfirmed"}))
                if again["status"] == "replayed":
                    self.gets_in(after, 30)
                else:
                    self.assertEqual((again["status"], len(again["codes"])), ("accepted", 10))
                    self.assertEqual(verify(after, again["codes"][9]), "accepted")
            self.assertEqual(seen[-1], ("active", "accepted"))
            self.assertEqual(seen, sorted(seen, key=ORDER.index))  # never back
            self.assertTrue(("pending", "replayed") in seen, (tear, seen))
            every.update(seen)
        self.assertEqual(every, set(ORDER))

    def test_the_next_code_after_a_cut_between_the_two_writes(self):
        found = 0
        for after, _, _ in self.cut_confirmations():
            if after.ask("user_state", user="alice")["state"] == "pending":
                after.board.up += 30
                reply = confirm(after, self.phone.at(NOW + 30), OTHER_ID)
                self.assertEqual((reply["status"], len(reply["codes"])), ("accepted", 10))
                self.assertEqual([verify(after, code) for code in reply["codes"]], ["accepted"] * 10)
                found += 1
        self.assertTrue(found >= 2, found)

    def test_a_code_asked_for_again_by_nobody_is_used_up_all_the_same(self):
        for after, _, _ in self.cut_confirmations("all"):
            if after.ask("user_state", user="alice")["state"] == "active":
                self.assertEqual(verify(after, self.phone.at(NOW)), "replayed")

    def test_taking_the_lost_codes_away(self):
        code = begun(self.bench)
        codes = confirm(self.bench, code.at(NOW))["codes"]
        found = set()
        for after, was_cut in cuts(self.bench, lambda cut: confirm(cut, code.at(NOW))):
            now = credentials(after)
            found.add(len(now))
            self.assertTrue(was_cut or now == {"phone": "active"})
            self.assertEqual(confirm(after, code.at(NOW))["status"], "accepted")
            self.assertEqual(credentials(after), {"phone": "active"})
            self.assertEqual(verify(after, codes[0]), "malformed")
            self.assertEqual(verify(after, code.at(NOW + 30)), "accepted")
        self.assertEqual(found, {1, 2})


ORDER = [("pending", "accepted"), ("pending", "replayed"), ("active", "accepted")]


class Refused(unittest.TestCase):
    def test_by_the_flash_nothing_has_changed(self):
        bench = invited()
        phone = begun(bench)

        def fails(offset, data):
            raise OSError(28)

        program, bench.board.flash.program = bench.board.flash.program, fails
        self.assertEqual(bench.ask("enrol", **ALICE)["status"], "flash-failed")
        self.assertEqual(confirm(bench, phone.at(NOW))["status"], "flash-failed")
        bench.board.flash.program = program
        self.assertEqual(credentials(bench), {"phone": "unconfirmed"})
        self.assertEqual(confirm(bench, phone.at(NOW), OTHER_ID)["status"], "accepted")


if __name__ == "__main__":
    unittest.main()
