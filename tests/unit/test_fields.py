# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Every field of every request: taken at its limits, refused one past them; and replies that fit whatever the
names."""

import json
import unittest

from asking import ENTROPY, TOTP, WIDE, second_session, status_of, verify
from parts import NOW, Bench, BenchBoard, CutFlash, Host
from understudy_device import otp, protocol
from understudy_device.protocol import COMMANDS
from understudy_device.records import STATE
from understudy_device.users import State

# A value for each field that its command takes, for the user below.
GOOD = {
    "user": "alice",
    "code": "123456",
    "code1": "123456",
    "code2": "123457",
    "credential": "phone",
    "group": "wheel",
    "kind": "totp",
    "counter": 0,
    "role": "verifier",
    "seconds": 5,
    "host": "00" * 8,
    "entropy": ENTROPY,
    "wrap": ENTROPY,
    "time": NOW,
    "name": "n",
    "issuer": "i",
    "label": "l",
    "secret": "00" * 20,
    "confirmed": True,
    "enabled": True,
    "valid_from": 0,
    "valid_until": 0,
    "after": 0,
    "first": 0,
    "digits": 6,
    "interval": 30,
    "window": 1,
    "algorithm": "SHA1",
    "look_ahead": 10,
    "attempts": 5,
    "delay": 30,
    "max_delay": 3600,
    "device_attempts": 100,
    "presence": False,
    "enrol_at_login": True,
    "device": "00" * 8,
    "back": False,
    "on_device": False,
    "event": "emergency",
    "low": NOW,
    "high": NOW + 60,
    "widest_window": 2,
}
NO_TEXTS = [" a", "a ", "\u00a0a", "a\u3000", "\u2009a"] + ["a%sb" % c for c in "\n\t\x00\x1f\x7f\x9b"]


def beyond(field):
    """Values that must not pass."""
    wrong = [None, [], {}, 1.5, -1.0, [5], {"a": 1}, "x" * 200]
    wrong += [1, 0, "true"] if field.kind == "bool" else [True, False]
    if field.kind == "int":
        wrong += [field.low - 1, field.high + 1, str(field.low), "", 10**30, -(10**30), float(field.low)]
    elif field.kind in ("text", "plain", "typed"):
        wrong += ["x" * (field.high + 1), "é" * (field.high // 2 + 1), "x" * (field.high - 1) + "é", 5]
        wrong += NO_TEXTS if field.kind != "typed" else []
        wrong += ['a"b', "a\\b"] if field.kind == "plain" else []
        wrong += [""] if field.low else []
    elif field.kind == "hex":
        low = field.low
        wrong += ["00" * (field.high + 1), "0" * (2 * low - 1), "00" * (low - 1), "G0" * low, "AB" * low, 5]
        wrong += [" " + "0" * (2 * low - 1), "0x" + "00" * (low - 1), "é" * low, ""]
    elif field.kind == "choice":
        wrong += ["", str(field.low[0]) + " ", 99, -1]
        wrong += [str(choice) for choice in field.low if type(choice) is int]
        names = [choice for choice in field.low if type(choice) is str]
        wrong += [name.lower() if name.lower() != name else name.upper() for name in names]
    return wrong


def limits(field):
    """Values at the edges of what must pass."""
    if field.kind == "int":
        return [field.low, field.high]
    if field.kind == "choice":
        return list(field.low)
    if field.kind == "bool":
        return [True, False]
    if field.kind == "hex":
        return ["00" * field.low, "ff" * field.high]
    edge = ["a" * field.high, "é" * (field.high // 2), "a" + "漢" * ((field.high - 1) // 3)]
    edge += ["a"] if field.low else ["", " ", "\n\x00\x7f"]
    return edge if field.kind == "plain" else edge + [WIDE * field.high]


class Fields(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def asker(self, cmd):
        """(host, session) that may ask for a command."""
        if COMMANDS[cmd][0] != protocol.PAIRING:
            return self.bench.admin, self.bench.session
        self.bench.board.up += 60
        stranger, session = Host(b"stranger"), second_session(self.bench)
        stranger.start_pairing(session)
        return stranger, session

    def test_one_past_every_limit_wrong_types_missing_and_extra(self):
        count = 0
        for cmd, (_, _, fields) in COMMANDS.items():
            host, session = self.asker(cmd)
            before = self.bench.board.flash.image()
            whole = {name: GOOD[name] for name in fields}
            bad = [("extra", dict(whole, extra=1)), ("", dict(whole, **{"": 1})), ("ID", dict(whole, ID="x"))]
            for name, field in fields.items():
                bad += [(name, dict(whole, **{name: value})) for value in beyond(field)]
                if field.required:
                    bad.append((name, {key: value for key, value in whole.items() if key != name}))
            for name, request in bad:
                reply = host.ask(session, cmd, **request)
                self.assertEqual((cmd, request, status_of(reply)), (cmd, request, "bad-request"))
                self.assertEqual(reply["message"].split(":")[0], name)
                count += 1
            self.assertEqual((cmd, self.bench.board.flash.image() == before), (cmd, True))
        self.assertTrue(count > 1500, count)

    def test_at_every_limit(self):
        """Really asked, one field at a time: whatever the answer, the field is not what is wrong with it."""
        for cmd, (_, _, fields) in COMMANDS.items():
            for name, field in fields.items():
                for value in limits(field):
                    self.bench = Bench()
                    self.bench.enrol()
                    host, session = self.asker(cmd)
                    required = {key: GOOD[key] for key, other in fields.items() if other.required}
                    if name == "counter":
                        required.update(kind="hotp", credential="token")
                    if cmd == "user_set":
                        required["valid_until"] = protocol.MAX_TIME
                    if name == "max_delay":
                        required["delay"] = 1
                    reply = host.ask(session, cmd, **dict(required, **{name: value}))
                    told = (cmd, name, value, reply)
                    self.assertFalse(status_of(reply) in ("internal", "unknown-command", "no-session"), told)
                    if status_of(reply) == "bad-request":
                        # Sound, but for the other one; no id of this device.
                        useless = [("user_set", "valid_from", protocol.MAX_TIME)]
                        useless += [("factory_reset", "device", value) for value in limits(field)]
                        self.assertIn((cmd, name, value), useless, told)

    def test_every_field_is_tried(self):
        names = set()
        for _, _, fields in COMMANDS.values():
            names |= set(fields)
            for field in fields.values():
                for value in limits(field):
                    self.assertIsNotNone(field.check("x", value))
        self.assertEqual(names, set(GOOD))

    def test_names_of_any_script_and_of_full_length(self):
        names = ["é" * 32, "漢" * 21, "a" * 64, 'quote"\\back', "DOMAIN\\user", "user@domain", "-x", "../.."]
        names += ["𝟙" * 16, "' OR 1=1 --", "nobody....", "%s%n", "null", "a b"]
        for user in names:
            self.assertEqual(self.bench.enrol(user)["status"], "ok")
            self.assertEqual(self.bench.ask("verify", user=user, code=TOTP.at(NOW))["user"], user)
        seen, after = [], -1
        while after is not None:
            page = self.bench.ask("user_list", after=after)
            seen += [entry["user"] for entry in page["users"]]
            after = page["next"]
        self.assertEqual(seen, ["alice"] + names)

    def test_credentials_and_groups_of_any_name(self):
        for name in ("é" * 12, "漢" * 8, "a" * 24, "'%s'", "/", "-"):
            self.assertEqual(self.bench.enrol(credential=name, secret="32" * 20)["status"], "ok")
            self.assertEqual(self.bench.ask("group_add", user="alice", group=name)["status"], "ok")
            self.assertEqual(self.bench.ask("user_show", user="alice")["groups"], [name])
            for cmd, fields in (
                ("credential_show", {"credential": name}),
                ("credential_set", {"credential": name, "enabled": False}),
                ("credential_remove", {"credential": name}),
                ("group_remove", {"group": name}),
            ):
                self.assertEqual(self.bench.ask(cmd, user="alice", **fields)["status"], "ok")

    def test_names_of_which_a_reply_holds_many_take_no_more_room_in_json(self):
        for name in ('a"b', "a\\b"):
            self.assertEqual(self.bench.enrol("bob", credential=name)["status"], "bad-request")
            for cmd in ("credential_show", "credential_remove"):
                reply = self.bench.ask(cmd, user="alice", credential=name)
                self.assertEqual(reply["status"], "bad-request")

    def test_secrets_of_every_length(self):
        for length in range(protocol.MIN_SECRET, protocol.MAX_SECRET + 1, 9):
            user, secret = "user%d" % length, b"s" * length
            self.assertEqual(self.bench.enrol(user, secret=secret.hex())["status"], "ok")
            [code] = otp.codes(secret, "SHA1", 6, [NOW // 30])  # pyotp takes no shorter ones than 14 bytes
            self.assertEqual(verify(self.bench, "%06d" % code, user), "accepted")

    def test_what_is_not_a_request(self):
        before = self.bench.board.flash.image()
        number = '"id":"0123456789abcdef"'
        for data in (
            b"",
            b"{",
            b"[]",
            b"5",
            b"null",
            b"\xff\xfe",
            b"{}",
            b'{"id":5,"cmd":"status"}',
            b'{"id":"","cmd":"status"}',
            b'{"id":"0123456789ABCDEF","cmd":"status"}',
            ("{%s}" % number).encode(),
            ('{%s,"cmd":5}' % number).encode(),
            b"[" * 1000,
            b'{"a":' * 170,
            b" " * 1024,
            b'{"id":"' + b"0" * 900 + b'","cmd":"status"}',
        ):
            reply = self.bench.admin.ask_raw(self.bench.session, data)
            self.assertEqual((data[:40], reply["status"]), (data[:40], "bad-request"))
        for cmd in ("no_such_command", "__class__", "", "_enrol", "VERIFY"):
            self.assertEqual(self.bench.ask(cmd)["status"], "unknown-command")
        self.assertEqual(self.bench.board.flash.image(), before)

    def test_a_stranger_s_long_field_names_get_an_answer_that_fits(self):
        stranger = Host(b"stranger")
        stranger.start_pairing(self.bench.session)
        for name in ("x" * 960, "\\u0001" * 150, "\\ud800", '\\"' * 400):
            data = '{"id":"0123456789abcdef","cmd":"claim","%s":1}' % name
            reply = stranger.ask_raw(self.bench.session, data.encode())
            self.assertIn(reply["status"], ("bad-request", "internal"))
            self.assertTrue(len(json.dumps(reply)) <= protocol.MAX_JSON)

    def test_half_of_a_surrogate_pair_is_no_text(self):
        for text in ('"\\ud800"', '"a\\udfff"'):
            for cmd, fields in (
                ("user_add", '"user":%s,"entropy":"%s"' % (text, ENTROPY)),
                ("verify", '"user":"alice","code":%s' % text),
                ("group_add", '"user":"alice","group":%s' % text),
            ):
                data = '{"id":"0123456789abcdef","cmd":"%s",%s}' % (cmd, fields)
                reply = self.bench.admin.ask_raw(self.bench.session, data.encode())
                self.assertEqual(reply["status"], "bad-request")


class RepliesFit(unittest.TestCase):
    """1 KiB whatever the names: those here take twice their bytes in JSON, three times in a URI."""

    USER = WIDE * 60 + "%04d"

    def setUp(self):
        self.bench = Bench(BenchBoard(CutFlash(sectors=16), time=protocol.MAX_TIME - 10))
        for number in range(12):
            self.bench.enrol(self.USER % number)

    def fits(self, cmd, **fields):
        reply = self.bench.ask(cmd, **fields)
        self.assertEqual((cmd, status_of(reply)), (cmd, "ok"))  # internal, were it too long
        return reply

    def test_a_user_with_everything(self):
        user = {"user": WIDE * 64}
        made = {"kind": "hotp", "digits": 10, "algorithm": "SHA512", "interval": 300, "window": 10}
        for number in range(6):  # hotp and unconfirmed are the longest words
            name = "c" * 23 + str(number)
            self.fits("user_add", credential=name, entropy=ENTROPY, secret="00" * 64, **dict(user, **made))
        groups = [WIDE * 23 + str(number) for number in range(4)]
        for group in groups:
            self.fits("group_add", group=group, **user)
        dates = {"valid_from": protocol.MAX_TIME - 1, "valid_until": protocol.MAX_TIME, "enabled": False}
        self.fits("user_set", **dict(user, **dates))
        self.fits("user_set", enabled=True, **user)
        number, _ = self.bench.device.directory.find(WIDE * 64)
        self.bench.device.store.journal([(STATE, number, State(255).pack())])
        self.fits("settings_set", max_delay=86400)
        shown = self.fits("user_show", **user)
        self.assertEqual((len(shown["credentials"]), shown["groups"]), (6, groups))
        self.assertEqual((shown["failures"], shown["wait"], shown["state"]), (255, 86400, "unconfirmed"))
        for entry in shown["credentials"]:
            self.fits("credential_show", credential=entry["credential"], **user)

    def test_a_uri_with_everything(self):
        for kind in ("totp", "hotp"):
            fields = {"label": WIDE * 64, "issuer": WIDE * 64, "secret": "00" * 64, "kind": kind}
            fields.update(credential="c" * 24, digits=10, interval=300, algorithm="SHA512")
            if kind == "hotp":
                fields["counter"] = protocol.MAX_COUNTER
            self.fits("user_add", user=WIDE * 64, entropy=ENTROPY, **fields)

    def test_lists(self):
        for cmd in ("status", "host_list", "settings_show", "clock_show", "user_list"):
            self.fits(cmd)
        seen, after = 0, -1
        while after is not None:
            page = self.fits("user_list", after=after)
            seen, after = seen + len(page["users"]), page["next"]
        self.assertEqual(seen, 12)

    def test_verdicts(self):
        code = TOTP.at(protocol.MAX_TIME - 10)
        reply = self.bench.ask("verify", user=self.USER % 3, code=code)
        self.assertEqual((reply["status"], reply["user"]), ("accepted", self.USER % 3))

    def test_messages(self):
        for cmd, fields, status in (
            ("user_show", {"user": WIDE * 64}, "not-found"),
            ("credential_show", {"user": self.USER % 1, "credential": "c" * 24}, "not-found"),
            ("group_remove", {"user": self.USER % 1, "group": WIDE * 24}, "not-found"),
            ("user_add", {"user": self.USER % 1, "entropy": ENTROPY}, "exists"),
        ):
            self.assertEqual((cmd, status_of(self.bench.ask(cmd, **fields))), (cmd, status))


if __name__ == "__main__":
    unittest.main()
