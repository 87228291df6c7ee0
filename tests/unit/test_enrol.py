# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Enrolment at a login: who is asked to, what a verifier's host can do with it, and what it can't."""

import unittest

import pyotp
from asking import (
    ENTROPY,
    HOTP,
    OTHER_HEX,
    TOTP,
    WIDE,
    WRONG,
    bypass,
    enrol_hotp,
    events,
    recovery,
    second_host,
    second_session,
    status_of,
    verify,
    without_id,
)
from parts import NOW, Bench, BenchBoard, CutFlash
from understudy_device import protocol
from understudy_device.records import STATE
from understudy_device.throttle import Ration
from understudy_device.users import State


class AtALogin(unittest.TestCase):
    """A device with an invited user, alice, and a verifier's host."""

    def setUp(self):
        self.bench = Bench()
        self.host, self.session = second_host(self.bench)
        self.bench.ask("user_invite", user="alice")

    def restart(self):
        """Power off and on; both hosts are there again."""
        self.bench.restart()
        self.session = second_session(self.bench)
        self.host.unseal(self.session)

    def ask(self, cmd, user="alice", **fields):
        """The verifier asks."""
        if cmd != "user_state":
            fields.setdefault("entropy", ENTROPY)
        return self.host.ask(self.session, cmd, user=user, **fields)

    def enrol(self, user="alice", **fields):
        """The new secret, as the user's authenticator has it."""
        return pyotp.parse_uri(self.ask("enrol", user, **fields)["uri"])

    def confirm(self, code, user="alice"):
        """The verdict's name."""
        return status_of(self.ask("enrol_confirm", user, code=code))

    def enrolled(self, user="alice"):
        """(authenticator, recovery codes) of one who has enrolled."""
        phone = self.enrol(user)
        reply = self.ask("enrol_confirm", user, code=phone.at(NOW))
        self.assertEqual(reply["status"], "accepted")
        return phone, reply["codes"]

    def stands(self, user="alice"):
        """(state, usable)"""
        reply = self.ask("user_state", user)
        return reply["state"], reply["usable"]


class TheWay(AtALogin):
    def test_from_the_invitation_to_the_next_login(self):
        self.assertEqual(self.stands(), ("pending", False))
        self.assertEqual(verify(self.bench, WRONG), "pending")
        phone = self.enrol()
        self.assertEqual(self.stands(), ("pending", False))
        self.assertEqual([verify(self.bench, phone.at(NOW)), self.confirm(WRONG)], ["pending", "rejected"])
        self.assertEqual(self.confirm("x"), "malformed")
        reply = self.ask("enrol_confirm", code=phone.at(NOW))
        codes = reply.pop("codes")
        wanted = {"status": "accepted", "user": "alice", "time": NOW, "credential": "phone"}
        self.assertEqual(without_id(reply), wanted)
        self.assertEqual(len(set(codes)), protocol.RECOVERY_CODES)
        self.assertEqual(self.stands(), ("active", True))
        for _ in range(2):
            self.assertEqual(verify(self.bench, phone.at(NOW)), "replayed")
            self.restart()
        said = [verify(self.bench, code) for code in (phone.at(NOW + 30), codes[0], codes[0], codes[9])]
        self.assertEqual(said, ["accepted", "accepted", "replayed", "accepted"])

    def test_after_a_reset(self):
        self.bench.enrol("bob")
        old = recovery(self.bench, "bob")
        self.bench.ask("group_add", user="bob", group="staff")
        verify(self.bench, old[3], "bob")
        self.bench.ask("user_reset", user="bob")
        phone, codes = self.enrolled("bob")
        self.assertEqual(set(codes) & set(old), set())
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 30), "bob"), "rejected")
        said = [verify(self.bench, code, "bob") for code in codes + [phone.at(NOW + 30)]]
        self.assertEqual(said, ["accepted"] * 11)
        self.assertEqual(self.bench.ask("user_show", user="bob")["groups"], ["staff"])

    def test_each_new_secret_takes_the_place_of_the_one_before(self):
        phones = [self.enrol() for _ in range(20)]
        self.assertEqual(len({phone.secret for phone in phones}), 20)
        for phone in phones[:-1]:
            self.assertEqual(self.confirm(phone.at(NOW)), "rejected")
        self.assertEqual(self.confirm(phones[-1].at(NOW)), "accepted")
        self.assertEqual(len(self.bench.device.directory.find("alice")[1].credentials), 2)

    def test_what_the_uri_says(self):
        self.assertTrue("/Understudy:alice?" in self.ask("enrol")["uri"])
        uri = self.ask("enrol", issuer="Our NAS", label="al")["uri"]
        self.assertTrue(uri.startswith("otpauth://totp/Our%20NAS:al?") and "issuer=Our%20NAS" in uri)
        self.bench.ask("settings_set", digits=8, algorithm="SHA256", interval=60)
        phone = self.enrol()
        self.assertEqual((phone.digits, phone.interval, len(phone.secret)), (8, 60, 52))
        self.assertEqual(self.confirm(phone.at(NOW)), "accepted")

    def test_the_longest_names(self):
        longest = WIDE * protocol.MAX_NAME
        self.bench.ask("user_invite", user=longest)
        self.bench.ask("settings_set", digits=10, algorithm="SHA512", interval=300)
        self.assertTrue("digits=10" in self.ask("enrol", longest, issuer=longest, label=longest)["uri"])
        self.bench.ask("settings_set", digits=8, interval=120)  # the most that pyotp takes
        uri = self.ask("enrol", longest, issuer=longest, label=longest)["uri"]
        reply = self.ask("enrol_confirm", longest, code=pyotp.parse_uri(uri).at(NOW))
        self.assertEqual((reply["status"], len(reply["codes"])), ("accepted", 10))

    def test_an_admin_may_finish_what_a_login_began(self):
        phone = self.enrol()
        self.assertEqual(
            self.bench.ask("user_confirm", user="alice", code=phone.at(NOW))["status"], "accepted"
        )
        self.assertEqual(self.confirm(phone.at(NOW + 30)), "exists")
        self.assertEqual(verify(self.bench, phone.at(NOW + 30)), "accepted")

    def test_the_display_shows_the_verdict(self):
        phone = self.enrol()
        self.confirm(WRONG)
        self.bench.session._service.tidy()
        self.assertEqual(self.bench.device.screen, ("verdict", ("rejected", "alice")))
        self.confirm(phone.at(NOW))
        self.bench.session._service.tidy()
        self.assertEqual(self.bench.device.screen, ("verdict", ("accepted", "alice")))

    def test_a_picture_on_the_display_that_is_void_goes(self):
        self.bench.ask("user_add", user="alice", entropy=ENTROPY, on_device=True)
        self.assertEqual(self.bench.device.screen[0], "enrolment")
        self.enrol()
        self.assertEqual(self.bench.device.screen[0], "ready")

    def test_who_asked_and_what_for_is_in_the_audit_log(self):
        first = self.bench.device.audit.next
        self.enrolled()
        found = [(e.name, e.actor, detail) for _, e, _, detail in events(self.bench, first)]
        self.assertEqual(found, [("enrolment-begun", 1, "alice\nphone"), ("user-enrolled", 1, None)])


class Invitations(AtALogin):
    def test_only_of_who_is_not_there(self):
        self.bench.enrol("bob")
        for user in ("alice", "bob"):
            reply = self.bench.ask("user_invite", user=user)
            self.assertEqual(reply["status"], "exists")
        self.assertEqual(verify(self.bench, TOTP.at(NOW), "bob"), "accepted")

    def test_of_an_old_number_start_from_nothing(self):
        self.bench.enrol("bob")
        enrol_hotp(self.bench, "bob")
        for _ in range(5):
            verify(self.bench, WRONG, "bob")
        number = self.bench.device.directory.find("bob")[0]
        self.bench.ask("user_remove", user="bob")
        self.bench.device.store.index._next = number
        # As a cut in the removal may leave it.
        self.bench.device.store.journal([(STATE, number, State(9, {1: b"\x09" * 5}).pack())])
        self.bench.device.throttle.failed(number, 9, protocol.DEFAULTS, self.bench.board.up)
        self.assertEqual(self.bench.ask("user_invite", user="carol")["status"], "ok")
        self.assertEqual(self.bench.device.directory.find("carol")[0], number)
        shown = self.bench.ask("user_show", user="carol")
        self.assertEqual((shown["state"], shown["failures"], shown["wait"]), ("pending", 0, 0))
        self.assertEqual(self.bench.device.directory.state(number).uses, {})
        self.assertEqual(number in self.bench.device.throttle._ends, False)
        phone, _ = self.enrolled("carol")
        self.assertEqual(verify(self.bench, phone.at(NOW + 30), "carol"), "accepted")

    def test_as_many_users_as_fit(self):
        bench = Bench(BenchBoard(CutFlash(sectors=6)))
        said = []
        while not said or said[-1] == "ok":
            said.append(bench.ask("user_invite", user="user%d" % len(said))["status"])
        self.assertEqual(said[-1], "full")
        self.assertEqual(bench.ask("status")["users"], len(said) - 1)


class Standing(AtALogin):
    """`user_state`, and that `verify` and `enrol` see the user in the same way."""

    def check(self, state, usable, verdict, enrol, user="alice"):
        self.assertEqual((self.stands(user), verify(self.bench, "x", user)), ((state, usable), verdict))
        self.assertEqual(status_of(self.ask("enrol", user)), enrol)

    def test_of_each_kind(self):
        self.check("unknown", False, "unknown-user", "unknown-user", "nobody")
        self.check("unknown", False, "unknown-user", "unknown-user", "nobody....")
        self.check("pending", False, "pending", "ok")
        self.bench.ask("user_add", user="bob", entropy=ENTROPY)
        self.check("unconfirmed", False, "pending", "exists", "bob")
        self.bench.enrol("bob")
        self.check("active", True, "malformed", "exists", "bob")
        self.bench.ask("credential_set", user="bob", credential="phone", enabled=False)
        self.check("disabled", False, "disabled", "disabled", "bob")
        recovery(self.bench, "bob")
        self.check("active", True, "malformed", "exists", "bob")

    def test_switched_off_and_out_of_dates(self):
        self.bench.enrol("bob")
        for dates, state in (
            ({"valid_from": NOW + 1}, "expired"),
            ({"valid_from": 0, "valid_until": NOW}, "expired"),
            ({"valid_from": NOW, "valid_until": NOW + 1}, None),
            ({"enabled": False}, "disabled"),
            ({"enabled": True, "valid_until": 1, "valid_from": 0}, "expired"),
        ):
            for user in ("alice", "bob"):
                self.bench.ask("user_set", user=user, **dates)
            self.check(state or "active", True, state or "malformed", state or "exists", "bob")
            self.check(state or "pending", False, state if state == "disabled" else "pending", state or "ok")

    def test_the_confirmation_looks_again(self):
        phone = self.enrol()
        for changes, said in (
            ({"enabled": False}, "disabled"),
            ({"enabled": True, "valid_until": NOW}, "expired"),
            ({"valid_until": 0}, "accepted"),
        ):
            self.bench.ask("user_set", user="alice", **changes)
            self.assertEqual(self.confirm(phone.at(NOW)), said)

    def test_without_a_clock(self):
        self.bench.enrol("bob")
        self.bench.ask("user_set", user="bob", valid_from=1)
        phone = self.enrol()
        self.bench.board.time = None
        self.restart()
        self.check("pending", False, "pending", "clock-unset")
        self.assertEqual(self.confirm(phone.at(NOW)), "clock-unset")
        self.check("clock-unset", True, "clock-unset", "clock-unset", "bob")
        self.bench.ask("user_set", user="alice", valid_until=NOW + 99)
        self.check("clock-unset", False, "pending", "clock-unset")

    def test_a_code_from_an_admin_for_who_has_not_enrolled(self):
        code = bypass(self.bench, 60)
        self.check("pending", True, "malformed", "ok")
        self.assertEqual(verify(self.bench, code), "accepted")
        self.assertEqual(self.stands(), ("pending", False))  # it is used
        codes = recovery(self.bench)
        self.assertEqual([verify(self.bench, code) for code in codes[:9]], ["accepted"] * 9)
        self.assertEqual(self.stands(), ("pending", True))
        verify(self.bench, codes[9])
        self.assertEqual(self.stands(), ("pending", False))
        bypass(self.bench, 60)
        self.bench.board.up += 59
        self.assertEqual(self.stands(), ("pending", True))
        self.bench.board.up += 1
        self.assertEqual(self.stands(), ("pending", False))  # it is over

    def test_codes_that_are_used_up_do_not_make_an_active_user_a_new_one(self):
        self.bench.enrol("bob")
        for code in recovery(self.bench, "bob"):
            verify(self.bench, code, "bob")
        self.bench.ask("credential_set", user="bob", credential="phone", enabled=False)
        self.check("active", True, "malformed", "exists", "bob")

    def test_the_wait(self):
        self.bench.enrol("bob")
        for _ in range(5):
            self.assertEqual(self.ask("user_state", "bob")["wait"], 0)
            verify(self.bench, WRONG, "bob")
        self.bench.board.up += 10
        self.assertEqual(self.ask("user_state", "bob")["wait"], 20)
        self.assertEqual(self.ask("user_state")["wait"], 0)


class WhatAVerifierCannot(AtALogin):
    def untouched(self, user, *asked):
        """Each request is refused and leaves the user as it was; the statuses."""
        before = self.bench.device.directory.find(user)[1].pack()
        said = [status_of(self.ask(cmd, user, **fields)) for cmd, fields in asked]
        self.assertEqual(self.bench.device.directory.find(user)[1].pack(), before)
        return said

    def test_nothing_where_the_admin_says_so(self):
        phone = self.enrol()
        self.bench.ask("settings_set", enrol_at_login=False)
        asked = (("enrol", {}), ("enrol_confirm", {"code": phone.at(NOW)}))
        self.assertEqual(self.untouched("alice", *asked), ["denied"] * 2)
        self.assertEqual(
            [status_of(self.ask(cmd, "nobody", **fields)) for cmd, fields in asked], ["denied"] * 2
        )
        self.restart()
        self.assertEqual(self.untouched("alice", *asked), ["denied"] * 2)
        self.bench.ask("settings_set", enrol_at_login=True)
        self.assertEqual(self.confirm(phone.at(NOW)), "accepted")

    def test_ask_a_sealed_device(self):
        self.bench.restart(unseal=False)
        self.session = second_session(self.bench)
        self.host.open(self.session)
        said = [status_of(self.ask("user_state")), status_of(self.ask("enrol")), self.confirm(WRONG)]
        self.assertEqual(said, ["sealed"] * 3)

    def test_invite(self):
        self.assertEqual(self.host.ask(self.session, "user_invite", user="eve")["status"], "denied")

    def test_a_second_credential_of_who_has_enrolled(self):
        phone, codes = self.enrolled()
        asked = (("enrol", {}), ("enrol_confirm", {"code": phone.at(NOW + 30)}))
        self.assertEqual(self.untouched("alice", *asked), ["exists"] * 2)
        said = [verify(self.bench, code) for code in (phone.at(NOW), phone.at(NOW + 30), codes[0])]
        self.assertEqual(said, ["replayed", "accepted", "accepted"])

    def test_bring_a_secret_or_choose_what_it_is_like(self):
        for name, value in (("secret", OTHER_HEX), ("digits", 6), ("counter", 0), ("confirmed", True)):
            self.assertEqual(self.ask("enrol", **{name: value})["status"], "bad-request")
        self.assertEqual(self.ask("enrol_confirm", code=WRONG, credential="phone")["status"], "bad-request")
        self.assertNotEqual(self.enrol().secret, self.enrol().secret)  # of the same entropy

    def test_confirm_or_guess_at_what_an_admin_is_enrolling(self):
        for credential in ("phone", "tablet"):
            self.bench.ask("user_add", user="alice", secret="31" * 20, credential=credential, entropy=ENTROPY)
        asked = [("enrol_confirm", {"code": code}) for code in (TOTP.at(NOW), WRONG, "x")]
        self.assertEqual(self.untouched("alice", *asked), ["pending"] * 3)
        phone = self.enrol()  # takes the place of the admin's phone, and leaves the tablet
        self.assertEqual(self.confirm(TOTP.at(NOW)), "rejected")
        self.assertEqual(self.confirm(phone.at(NOW)), "accepted")
        self.assertEqual(verify(self.bench, TOTP.at(NOW + 30)), "rejected")
        shown = self.bench.ask("user_show", user="alice")["credentials"]
        states = [(one["credential"], one["state"]) for one in shown]
        self.assertEqual(states, [("tablet", "unconfirmed"), ("phone", "active"), ("recovery", "active")])

    def test_an_admin_s_secret_in_its_place_is_the_admin_s_to_confirm(self):
        self.enrol()
        self.bench.ask("user_add", user="alice", secret="31" * 20, entropy=ENTROPY)
        self.assertEqual(self.confirm(TOTP.at(NOW)), "pending")
        self.assertEqual(
            self.bench.ask("user_confirm", user="alice", code=TOTP.at(NOW))["status"], "accepted"
        )

    def test_end_a_wait(self):
        phone, code = self.enrol(), bypass(self.bench, 6000)
        for _ in range(5):
            verify(self.bench, "0000000000")
        asked = (("enrol", {}), ("enrol_confirm", {"code": phone.at(NOW)}))
        self.assertEqual(self.untouched("alice", *asked), ["throttled"] * 2)
        self.assertEqual(self.ask("enrol")["seconds"], 30)
        self.bench.board.up += 30
        self.enrol()
        self.assertEqual(self.bench.ask("user_show", user="alice")["failures"], 5)
        verify(self.bench, "0000000000")
        self.assertEqual(self.ask("enrol")["seconds"], 60)
        self.bench.board.up += 60
        self.assertEqual(verify(self.bench, code), "accepted")

    def test_have_a_used_code_count_again(self):
        code, codes = bypass(self.bench, 6000), recovery(self.bench)
        used = [code, codes[4]]
        self.assertEqual([verify(self.bench, one) for one in used], ["accepted"] * 2)
        for _ in range(33):  # the numbers of credentials come round twice
            phone = self.enrol()
            self.assertEqual([verify(self.bench, one) for one in used], ["replayed"] * 2)
        self.assertEqual(self.confirm(phone.at(NOW)), "accepted")
        for one in (phone.at(NOW), code):
            self.assertEqual(verify(self.bench, one), "replayed")
        self.assertEqual(verify(self.bench, codes[5]), "rejected")  # others are in their place

    def test_wear_the_flash_out_or_flood_the_log(self):
        said = [status_of(self.ask("enrol")) for _ in range(104)]
        self.assertEqual(said, ["ok"] * 100 + ["throttled"] * 4)
        self.assertEqual(self.ask("enrol")["seconds"], 10)
        self.bench.board.up += 25
        self.assertEqual([status_of(self.ask("enrol")) for _ in range(3)], ["ok", "ok", "throttled"])

    def test_more_credentials_than_fit(self):
        for number in range(protocol.MAX_CREDENTIALS - 1):
            self.bench.ask("user_add", user="alice", credential="c%d" % number, entropy=ENTROPY)
        self.assertEqual(self.untouched("alice", ("enrol", {})), ["full"])
        self.bench.ask("credential_remove", user="alice", credential="c0")
        self.enrolled()

    def test_more_credentials_than_fit_before_the_confirmation(self):
        phone = self.enrol()
        for number in range(protocol.MAX_CREDENTIALS - 1):
            self.bench.ask("user_add", user="alice", credential="c%d" % number, entropy=ENTROPY)
        asked = ("enrol_confirm", {"code": phone.at(NOW)})
        self.assertEqual(self.untouched("alice", asked), ["full"])
        self.bench.ask("credential_remove", user="alice", credential="c0")
        self.assertEqual(self.confirm(phone.at(NOW)), "accepted")  # the step was not burnt


class Rations(unittest.TestCase):
    def test_so_many_in_a_row_and_then_one_by_one(self):
        ration = Ration(3, 10)
        self.assertEqual([ration.take(5) for _ in range(5)], [0, 0, 0, 5, 5])
        self.assertEqual([ration.take(at) for at in (9, 10, 10, 19)], [1, 0, 10, 1])
        self.assertEqual([ration.take(1000) for _ in range(4)], [0, 0, 0, 10])


class Settings(AtALogin):
    def test_hotp_users_and_others_are_not_concerned(self):
        self.bench.ask("settings_set", enrol_at_login=False)
        enrol_hotp(self.bench, "bob")
        self.assertEqual(verify(self.bench, HOTP.at(0), "bob"), "accepted")
        self.assertEqual(self.stands("bob"), ("active", True))


if __name__ == "__main__":
    unittest.main()
