# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the commands leave in the audit log: every verdict and every act its event, before the act."""

import unittest

import pyotp
from asking import (
    ENTROPY,
    HOTP,
    OTHER_HEX,
    TOTP,
    WRONG,
    cuts,
    enrol_hotp,
    events,
    recovery,
    second_host,
    status_of,
    verify,
    without_id,
)
from parts import NOW, Bench
from understudy_device import protocol
from understudy_device.pairing import key_id
from understudy_device.protocol import NO_SUBJECT

ADMIN = 0  # the number of the admin's host
DATES = "alice\nvalid_from=4 valid_until=0"
THE_FIRST = "the first code of the secret told last"
MADE = {"entropy": ENTROPY}
ALICE = {"user": "alice"}
PHONE = {"user": "alice", "credential": "phone"}

# (command, fields, what it leaves: event, whether the subject is alice, credential, detail).
ACTS = (
    ("user_add", dict(MADE, user="alice", secret="31" * 20), "user-added", True, 1, "alice\nphone"),
    ("verify", dict(ALICE, code=TOTP.at(NOW)), "pending", True, 0, None),
    ("user_confirm", dict(ALICE, code=WRONG), "rejected", True, 0, None),
    ("user_confirm", dict(ALICE, code="x"), "malformed", True, 0, None),
    ("user_confirm", dict(ALICE, code=TOTP.at(NOW)), "user-confirmed", True, 1, None),
    ("verify", dict(ALICE, code=TOTP.at(NOW)), "replayed", True, 1, None),
    ("burn", dict(ALICE, code=WRONG), None, True, 0, None),
    ("burn", dict(ALICE, code=TOTP.at(NOW)), None, True, 0, None),
    ("verify", dict(ALICE, code=TOTP.at(NOW + 30)), "accepted", True, 1, None),
    ("verify", dict(ALICE, code=WRONG), "rejected", True, 0, None),
    ("verify", dict(ALICE, code="x"), "malformed", True, 0, None),
    ("verify", {"user": "nobody", "code": WRONG}, "unknown-user", False, 0, None),
    ("verify", {"user": "nobody", "code": "x"}, "unknown-user", False, 0, None),
    ("user_add", dict(MADE, user="alice", credential="t", kind="hotp"), "user-added", True, 2, "alice\nt"),
    ("burn", dict(ALICE, code=TOTP.at(NOW + 30)), None, True, 0, None),  # it was used
    ("report", dict(ALICE, event="emergency", time=7), "emergency", True, 0, "alice\n7"),
    ("report", dict(ALICE, event="local-bypass", time=8), "local-bypass", True, 0, "alice\n8"),
    ("resync", dict(PHONE, code1=WRONG, code2=WRONG), "resync-refused", True, 0, None),
    ("resync", dict(PHONE, code1=TOTP.at(NOW + 60), code2=TOTP.at(NOW + 90)), "resynced", True, 1, None),
    (
        "credential_set",
        dict(PHONE, enabled=False),
        "credential-changed",
        True,
        0,
        "alice\nphone\nenabled=False",
    ),
    ("verify", dict(ALICE, code=WRONG), "disabled", True, 0, None),
    (
        "credential_set",
        dict(PHONE, enabled=True),
        "credential-changed",
        True,
        0,
        "alice\nphone\nenabled=True",
    ),
    ("user_set", dict(ALICE, enabled=False), "user-changed", True, 0, "alice\nenabled=False"),
    ("verify", dict(ALICE, code=WRONG), "disabled", True, 0, None),
    (
        "user_set",
        dict(ALICE, enabled=True, valid_from=5, valid_until=9),
        "user-changed",
        True,
        0,
        "alice\nenabled=True valid_from=5 valid_until=9",
    ),
    ("verify", dict(ALICE, code=WRONG), "expired", True, 0, None),
    ("group_add", dict(ALICE, group="wheel"), "user-changed", True, 0, "alice\ngroup +wheel"),
    ("group_remove", dict(ALICE, group="wheel"), "user-changed", True, 0, "alice\ngroup -wheel"),
    ("recovery_make", dict(MADE, user="alice"), "recovery-codes-made", True, 3, "alice\nrecovery"),
    ("bypass_make", dict(MADE, user="alice", seconds=5), "bypass-code-made", True, 4, "alice\nbypass"),
    ("credential_remove", PHONE, "credential-removed", True, 0, "alice\nphone"),
    ("settings_set", {"window": 2, "delay": 31}, "settings-changed", False, 0, "delay=31 window=2"),
    ("clock_set", {"time": NOW + 5}, "clock-set", False, 0, "%d -> %d" % (NOW, NOW + 5)),
    ("pair_open", {"role": "verifier", "seconds": 5}, "pairing-opened", False, 0, "verifier"),
    ("user_reset", ALICE, "user-reset", True, 0, "alice"),
    ("user_set", dict(ALICE, valid_from=4, valid_until=0), "user-changed", True, 0, DATES),
    ("enrol", dict(MADE, user="alice"), "enrolment-begun", True, 5, "alice\nphone"),
    ("enrol_confirm", dict(MADE, user="alice", code=""), "malformed", True, 0, None),
    ("enrol_confirm", dict(MADE, user="alice", code=THE_FIRST), "user-enrolled", True, 5, None),
    ("user_remove", ALICE, "user-removed", True, 0, "alice"),
    ("user_invite", ALICE, "user-invited", True, 0, "alice"),
    ("user_remove", ALICE, "user-removed", True, 0, "alice"),
)


class EveryAct(unittest.TestCase):
    def test_leaves_its_event_and_no_other(self):
        bench, seen, uri = Bench(), set(), None
        for cmd, fields, name, is_alice, credential, detail in ACTS:
            before, found = bench.device.audit.next, None
            if is_alice:
                found = bench.device.directory.look_up("alice")[0]
                if found == bench.device.directory.nobody:
                    found = 1 if "user_invite" in seen | {cmd} else 0  # numbers are taken in turn
            if fields.get("code") == THE_FIRST:
                fields = dict(fields, code=pyotp.parse_uri(uri).at(NOW + 5))
            uri = bench.ask(cmd, **fields).get("uri", uri)
            seen.add(cmd)
            self.assertEqual((cmd, name, bench.device.audit.next), (cmd, name, before + (name is not None)))
            if name is None:
                continue
            _, event, name_now, said = events(bench, before)[0]
            wanted = (name, found if is_alice else NO_SUBJECT, ADMIN, credential, detail)
            self.assertEqual((event.name, event.subject, event.actor, event.credential, said), wanted)
            self.assertEqual(name_now, "alice" if is_alice and cmd != "user_remove" else None)
            self.assertIn(event.time, (NOW, NOW + 5))
            answered = event.code >= protocol.VERDICT_EVENT or name == "user-enrolled"
            self.assertEqual(event.request != 0, answered)
            self.assertEqual(event.sealed, bool(detail) and is_alice)
            seen.add(cmd)
        looks = {"status", "host_list", "user_list", "user_show", "credential_show", "settings_show"}
        looks |= {"clock_show", "audit_read", "screen", "user_state"}
        others = {"claim", "pair", "unpair", "unseal"}  # below
        others.add("factory_reset")  # see test_reset
        others |= {"clock_tell", "clock_regain"}  # test_clock_commands
        self.assertEqual(seen, set(protocol.COMMANDS) - looks - others)
        before = bench.device.audit.next
        bench.enrol()
        for cmd in looks:
            fields = (
                PHONE if cmd == "credential_show" else ALICE if cmd in ("user_show", "user_state") else {}
            )
            fields = {"first": 0} if cmd == "audit_read" else fields
            self.assertEqual((cmd, bench.ask(cmd, **fields)["status"]), (cmd, "ok"))
        self.assertEqual(bench.device.audit.next, before + 1)  # the user added

    def test_hosts(self):
        bench = Bench()
        admin = "%s\nadmin\nadmin" % key_id(bench.admin.keys.public).hex()
        host, _ = second_host(bench)
        other = "%s\nother\nverifier" % key_id(host.keys.public).hex()
        bench.ask("unpair", host=key_id(host.keys.public).hex())
        bench.admin.open(bench.session)
        bench.restart()
        found = [(e.name, e.subject, e.actor, name, detail) for _, e, name, detail in events(bench)]
        self.assertEqual(
            found,
            [
                ("claimed", 0, protocol.NO_ACTOR, "admin", admin),
                ("pairing-opened", NO_SUBJECT, ADMIN, None, "verifier"),
                ("paired", 1, protocol.NO_ACTOR, None, other),
                ("unpaired", 1, ADMIN, None, other),
                ("unsealed", NO_SUBJECT, ADMIN, None, None),
            ],
        )

    def test_names_are_those_of_now(self):
        bench = Bench()
        bench.enrol()
        enrol_hotp(bench)
        verify(bench, HOTP.at(0))
        first = bench.device.audit.next - 1

        def named():
            entry = bench.ask("audit_read", first=first)["events"][0]
            return entry[2], entry[4]

        self.assertEqual(named(), ("alice", "token"))
        bench.ask("credential_remove", user="alice", credential="token")
        self.assertEqual(named(), ("alice", None))
        bench.ask("user_remove", user="alice")
        self.assertEqual(named(), (None, None))

    def test_who_asked(self):
        bench = Bench()
        bench.enrol()
        host, session = second_host(bench)
        host.ask(session, "verify", user="alice", code=WRONG)
        self.assertEqual([e.actor for _, e, _, _ in events(bench)][-1], 1)

    def test_throttled_and_clock_unset(self):
        bench = Bench()
        bench.enrol()
        for _ in range(6):
            verify(bench, WRONG)
        self.assertEqual([e.name for _, e, _, _ in events(bench)][-2:], ["rejected", "throttled"])
        bench.board.time = None
        bench.restart()
        bench.board.up += 30
        verify(bench, TOTP.at(NOW))
        event = events(bench)[-1][1]
        self.assertEqual((event.name, event.time), ("clock-unset", 0))

    def test_what_is_refused_leaves_nothing(self):
        bench = Bench()
        bench.enrol()
        bench.ask("clock_set", time=NOW)
        before = bench.board.flash.image()
        for cmd, fields in (
            ("user_add", dict(MADE, user="alice")),
            ("user_set", {"user": "alice"}),
            ("user_set", {"user": "nobody", "enabled": False}),
            ("user_remove", {"user": "nobody"}),
            ("user_reset", {"user": "nobody"}),
            ("user_invite", {"user": "alice"}),
            ("enrol", dict(MADE, user="alice")),
            ("enrol", dict(MADE, user="nobody")),
            ("enrol_confirm", dict(MADE, user="alice", code=WRONG)),
            ("group_remove", {"user": "alice", "group": "g"}),
            ("credential_set", {"user": "alice", "credential": "c", "enabled": True}),
            ("credential_remove", {"user": "alice", "credential": "c"}),
            ("settings_set", {}),
            ("settings_set", {"max_delay": 1}),
            ("clock_set", {"time": 1}),
            ("unpair", {"host": "00" * 8}),
            ("user_confirm", {"user": "alice", "code": WRONG}),
            ("resync", {"user": "alice", "credential": "c", "code1": WRONG, "code2": WRONG}),
        ):
            self.assertFalse(bench.ask(cmd, **fields)["status"] in ("ok", "accepted"), (cmd, fields))
            self.assertEqual((cmd, bench.board.flash.image() == before), (cmd, True))


def picture(bench):
    """All that an act can change, but for what codes have used and the clock's floor."""
    seen = [without_id(bench.ask(cmd)) for cmd in ("settings_show", "host_list", "user_list")]
    for entry in seen[2]["users"]:
        user = without_id(bench.ask("user_show", user=entry["user"]))
        del user["failures"], user["wait"]
        seen.append(user)
        found = [status_of(bench.ask("user_show", user=entry["user"]))]
        found += [one.secret for one in bench.device.directory.find(entry["user"])[1].credentials]
        seen.append(found)
    return seen


class BeforeTheAct(unittest.TestCase):
    """Cut at each operation of an act: if it is done, its event is there."""

    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()
        enrol_hotp(self.bench, credential="token", secret=OTHER_HEX)
        self.bench.ask("user_add", user="bob", secret="31" * 20, **MADE)
        self.bench.ask("user_invite", user="dave")
        self.bench.ask("group_add", user="alice", group="old")
        recovery(self.bench)
        self.host, _ = second_host(self.bench)

    def check(self, name, act):
        before, last = picture(self.bench), self.bench.device.audit.next
        done = undone = 0
        for after, was_cut in cuts(self.bench, act):
            logged = [e.name for _, e, _, _ in events(after, last)]
            if picture(after) != before:
                self.assertTrue(name in logged, (name, logged))
                done += 1
            else:
                undone += 1
            if not was_cut:
                self.assertEqual(logged, ["unsealed", name, "unsealed"])
        self.assertTrue(done >= 1 and undone >= 1, (name, done, undone))

    def test_each(self):
        for name, cmd, fields in (
            ("user-added", "user_add", {"user": "carol", "entropy": ENTROPY}),
            ("user-added", "user_add", {"user": "alice", "credential": "new", "entropy": ENTROPY}),
            ("user-confirmed", "user_confirm", {"user": "bob", "code": TOTP.at(NOW)}),
            ("user-changed", "user_set", {"user": "alice", "enabled": False}),
            ("user-changed", "group_add", {"user": "alice", "group": "new"}),
            ("user-changed", "group_remove", {"user": "alice", "group": "old"}),
            ("user-reset", "user_reset", {"user": "alice"}),
            ("user-invited", "user_invite", {"user": "carol"}),
            ("enrolment-begun", "enrol", {"user": "dave", "entropy": ENTROPY}),
            ("user-removed", "user_remove", {"user": "alice"}),
            (
                "credential-changed",
                "credential_set",
                {"user": "alice", "credential": "token", "enabled": False},
            ),
            ("credential-removed", "credential_remove", {"user": "alice", "credential": "token"}),
            ("recovery-codes-made", "recovery_make", {"user": "alice", "entropy": ENTROPY}),
            ("bypass-code-made", "bypass_make", {"user": "alice", "seconds": 60, "entropy": ENTROPY}),
            ("settings-changed", "settings_set", {"window": 3}),
            ("unpaired", "unpair", {"host": key_id(self.host.keys.public).hex()}),
        ):
            self.check(name, lambda bench, cmd=cmd, fields=fields: bench.ask(cmd, **fields))

    def test_enrolled_at_a_login(self):
        code = pyotp.parse_uri(self.bench.ask("enrol", user="dave", **MADE)["uri"]).at(NOW)
        self.check("user-enrolled", lambda bench: bench.ask("enrol_confirm", user="dave", code=code, **MADE))

    def test_no_verdict_without_its_event(self):
        last, said = self.bench.device.audit.next, []
        for code, name in ((TOTP.at(NOW), "accepted"), (HOTP.at(0), "rejected"), ("x", "malformed")):
            for after, _ in cuts(self.bench, lambda cut, code=code: said.append(verify(cut, code))):
                logged = [e.name for _, e, _, _ in events(after, last)]
                if said[-1] != "internal":
                    self.assertEqual((said[-1], logged), (name, ["unsealed", name, "unsealed"]))
            self.assertEqual(said[-1], name)


if __name__ == "__main__":
    unittest.main()
