# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A lost reply asked for again: the same answer, and nothing is done twice, over power cuts as well."""

import unittest

from asking import (
    ENTROPY,
    HOTP,
    TOTP,
    WRONG,
    bypass,
    enrol_hotp,
    recovery,
    second_host,
    second_session,
    verify,
    without_id,
)
from parts import NOW, Bench
from understudy_device import protocol

ID, OTHER_ID = "0123456789abcdef", "fedcba9876543210"


class Retries(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def ask(self, number=ID, host=None, session=None, **fields):
        """One verify with a given id; the whole reply."""
        fields = dict({"user": "alice", "code": TOTP.at(NOW)}, **fields)
        return (host or self.bench.admin).ask(session or self.bench.session, "verify", number, **fields)

    def failures(self):
        return self.bench.ask("user_show", user="alice")["failures"]

    def test_the_same_request_again(self):
        first = self.ask()
        self.assertEqual(first["status"], "accepted")
        writes = len(self.bench.board.flash.operations)
        self.assertEqual([self.ask(), self.ask()], [first, first])
        self.assertEqual(len(self.bench.board.flash.operations), writes)
        self.assertEqual(self.ask(OTHER_ID)["status"], "replayed")

    def test_on_a_new_session_and_on_another_port(self):
        first = self.ask()
        self.bench.admin.open(self.bench.session)
        self.assertEqual(self.ask(), first)
        session = second_session(self.bench)
        self.bench.admin.open(session)
        self.assertEqual(self.ask(session=session), first)

    def test_a_wrong_code_asked_twice_is_one_guess(self):
        for _ in range(12):
            self.assertEqual(self.ask(code=WRONG)["status"], "rejected")
        self.assertEqual(self.failures(), 1)

    def test_an_id_is_good_for_one_request(self):
        first = self.ask()
        self.assertEqual(self.ask(code=WRONG)["status"], "bad-request")
        self.assertEqual(self.failures(), 0)
        self.assertEqual(self.bench.admin.ask(self.bench.session, "status", ID)["status"], "bad-request")
        self.assertEqual(self.ask(), first)

    def test_another_host_does_not_get_the_answer(self):
        self.ask()
        host, session = second_host(self.bench)
        self.assertEqual(self.ask(host=host, session=session)["status"], "replayed")

    def test_the_last_sixteen_are_kept(self):
        first = self.ask(code="1")
        for _ in range(protocol.REPLIES_KEPT - 1):
            self.bench.ask("clock_show")
        self.assertEqual(self.ask(code="1"), first)
        self.bench.ask("clock_show")
        self.bench.ask("user_set", user="alice", enabled=False)
        self.assertEqual(self.ask(code="1")["status"], "disabled")

    def bob_logs_in(self, times):
        enrol_hotp(self.bench, "bob")
        for number in range(times):
            self.assertEqual(
                self.ask("b%015x" % number, user="bob", code=HOTP.at(number))["status"], "accepted"
            )

    def test_of_the_last_256_that_changed_something_the_verdict_is_kept(self):
        self.assertEqual(self.ask(ID)["status"], "accepted")
        self.assertEqual(self.ask(OTHER_ID, code=WRONG)["status"], "rejected")
        self.bob_logs_in(254)
        self.assertEqual(self.ask(ID), {"id": ID, "status": "accepted"})
        self.assertEqual(self.ask(OTHER_ID, code=WRONG)["status"], "rejected")
        self.assertEqual(self.failures(), 1)
        host, session = second_host(self.bench)
        self.assertEqual(self.ask(ID, host, session)["status"], "replayed")

    def test_but_not_of_any_before(self):
        self.assertEqual(self.ask(ID)["status"], "accepted")
        self.bob_logs_in(256)
        self.assertEqual(self.ask(ID)["status"], "replayed")

    def test_what_is_told_once(self):
        requests = (
            ("user_add", {"user": "bob"}, "uri"),
            ("recovery_make", {"user": "alice"}, "codes"),
            ("bypass_make", {"user": "alice", "seconds": 60}, "code"),
        )
        self.assertEqual(set(name for _, _, name in requests), set(protocol.TOLD_ONCE))
        for number, (cmd, fields, name) in enumerate(requests):
            number = "%016x" % number
            first, second = (
                self.bench.admin.ask(self.bench.session, cmd, number, entropy=ENTROPY, **fields)
                for _ in range(2)
            )
            self.assertEqual(first["status"], "ok")
            self.assertTrue(first[name])
            self.assertIsNone(second[name])
            first[name] = None
            self.assertEqual(first, second)


class OverAPowerCut(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()
        enrol_hotp(self.bench, "bob")
        self.codes = recovery(self.bench)

    ask = Retries.ask
    failures = Retries.failures

    def test_the_verdict_is_still_known(self):
        made = bypass(self.bench)
        requests = [{"code": TOTP.at(NOW)}, {"code": TOTP.at(NOW)}, {"code": WRONG}, {"code": "x"}]
        requests += [{"code": self.codes[0]}, {"code": made}, {"user": "bob", "code": HOTP.at(3)}]
        requests += [{"user": "nobody"}]
        first = [self.ask("%016x" % number, **fields)["status"] for number, fields in enumerate(requests)]
        wanted = ["accepted", "replayed", "rejected", "malformed", "accepted", "accepted", "accepted"]
        self.assertEqual(first, wanted + ["unknown-user"])
        for _ in range(2):
            self.bench.restart()
            before = len(self.bench.board.flash.operations)
            again = [self.ask("%016x" % number, **fields)["status"] for number, fields in enumerate(requests)]
            self.assertEqual(again, first)
            self.assertEqual(len(self.bench.board.flash.operations), before)
        self.assertEqual(self.failures(), 0)

    def test_cut_before_the_answer_left(self):
        """Written whole, it is known again; cut before that, the code may be lost, but never works twice."""
        said = []
        for cut_at in range(3):
            bench = Bench()
            bench.enrol()
            flash = bench.board.flash
            flash.cut_at, flash.tear = len(flash.operations) + cut_at, "all"
            fields = {"user": "alice", "code": TOTP.at(NOW)}
            if bench.admin.ask(bench.session, "verify", ID, **fields) != "internal":
                break
            bench.restart()
            said.append(bench.admin.ask(bench.session, "verify", ID, **fields)["status"])
            self.assertEqual(verify(bench, TOTP.at(NOW)), "replayed")
        self.assertEqual(said.pop(), "accepted")
        self.assertIn(said, ([], ["replayed"]))

    def test_not_for_another_request_of_that_id(self):
        self.ask()
        self.bench.restart()
        self.assertEqual(self.ask(code=WRONG)["status"], "rejected")

    def test_not_for_another_host_nor_another_id(self):
        host, session = second_host(self.bench)
        self.ask()
        self.bench.restart()
        session = second_session(self.bench)
        host.open(session)
        self.assertEqual(self.ask(host=host, session=session)["status"], "replayed")
        self.assertEqual(self.ask(OTHER_ID)["status"], "replayed")
        self.assertEqual(self.ask()["status"], "accepted")

    def test_for_the_last_requests_only(self):
        """Within the last sixteen, as without a restart."""
        self.ask()
        self.bench.restart()
        for _ in range(protocol.REPLIES_KEPT):
            verify(self.bench, "x")
        self.assertEqual(self.ask()["status"], "replayed")

    def test_given_again_it_is_kept_as_any_other_reply(self):
        self.ask()
        self.bench.restart()
        first = self.ask()
        self.assertEqual((first["status"], self.ask()), ("accepted", first))
        for _ in range(protocol.REPLIES_KEPT):
            self.bench.ask("clock_show")
        self.assertEqual(self.ask()["status"], "replayed")

    def test_a_confirmation_that_failed(self):
        self.bench.ask("user_add", user="carol", secret="31" * 20, entropy=ENTROPY)
        fields = {"number": ID, "user": "carol", "code": WRONG}
        first = self.bench.admin.ask(self.bench.session, "user_confirm", **fields)
        self.bench.restart()
        again = self.bench.admin.ask(self.bench.session, "user_confirm", **fields)
        self.assertEqual((first["status"], without_id(again)), ("rejected", {"status": "rejected"}))


if __name__ == "__main__":
    unittest.main()
