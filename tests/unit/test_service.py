# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Requests and replies over a real session: verdicts, roles, limits of every field, retries, restarts."""

import json
import unittest

import pyotp
from parts import NOW, Bench, BenchBoard, CutFlash, Host
from understudy_device import protocol
from understudy_device.protocol import COMMANDS, Field

SECRET = "GEYTCMJRGEYTCMJRGEYTCMJRGEYTCMJR"  # 20 times 0x31, as Bench.enrol imports it
TOTP = pyotp.TOTP(SECRET)
ENTROPY = "00" * 32


class Verdicts(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def verify(self, code, user="alice"):
        return self.bench.ask("verify", user=user, code=code)["status"]

    def test_right_code_once(self):
        code = TOTP.at(NOW)
        self.assertEqual([self.verify(code) for _ in range(3)], ["accepted", "replayed", "replayed"])

    def test_window_is_one_step_either_side(self):
        steps = [self.verify(TOTP.at(NOW + 30 * i)) for i in (-2, -1, 0, 1, 2)]
        self.assertEqual(steps, ["rejected", "accepted", "accepted", "accepted", "rejected"])

    def test_an_earlier_code_of_the_window_is_used_up_with_a_later_one(self):
        self.assertEqual(self.verify(TOTP.at(NOW + 30)), "accepted")
        self.assertEqual(self.verify(TOTP.at(NOW)), "replayed")

    def test_what_people_type(self):
        code = TOTP.at(NOW)
        self.assertEqual(self.verify(" %s-%s " % (code[:3], code[3:])), "accepted")

    def test_what_can_not_be_a_code(self):
        for text in ("", "12345", "1234567", "12345a", "-", "١٢٣٤٥٦", "+12345", "1_2345"):
            self.assertEqual(self.verify(text), "malformed")

    def test_a_step_is_burnt_before_the_answer(self):
        flash = self.bench.board.flash
        before = flash.image()
        self.verify(TOTP.at(NOW))
        self.assertNotEqual(flash.image(), before)
        self.bench.restart()
        self.assertEqual(self.verify(TOTP.at(NOW)), "replayed")

    def test_a_refusal_writes_nothing(self):
        self.verify(TOTP.at(NOW))
        before = self.bench.board.flash.image()
        for code in (TOTP.at(NOW), "000000", "", TOTP.at(NOW - 600)):
            self.assertTrue(self.verify(code) != "accepted")
        self.assertEqual(self.verify("000000", "nobody"), "unknown-user")
        self.assertEqual(self.bench.board.flash.image(), before)

    def test_clock_unset(self):
        self.bench.board.time = None
        self.bench.restart()
        self.assertEqual(self.verify(TOTP.at(NOW)), "clock-unset")
        self.assertEqual(self.bench.ask("clock_set", time=NOW)["state"], "synced")
        self.assertEqual(self.verify(TOTP.at(NOW)), "accepted")

    def test_unconfirmed_until_its_first_code(self):
        add = {"user": "bob", "secret": "31" * 20, "entropy": ENTROPY}
        self.assertEqual(self.bench.ask("user_add", **add)["status"], "ok")
        self.assertEqual(self.verify(TOTP.at(NOW), "bob"), "disabled")
        self.assertEqual(self.bench.ask("user_confirm", user="bob", code="000000")["status"], "rejected")
        self.assertEqual(self.bench.ask("user_add", **add)["status"], "ok")  # an unfinished one gives way
        self.assertEqual(self.bench.ask("user_confirm", user="bob", code=TOTP.at(NOW))["status"], "accepted")
        self.assertEqual(self.verify(TOTP.at(NOW), "bob"), "replayed")
        self.assertEqual(self.verify(TOTP.at(NOW + 30), "bob"), "accepted")
        self.assertEqual(self.bench.ask("user_add", **add)["status"], "exists")
        self.assertEqual(self.bench.ask("user_confirm", user="bob", code=TOTP.at(NOW))["status"], "exists")

    def test_every_setting_of_a_credential(self):
        for number, (algorithm, digits, interval, window) in enumerate(
            (("SHA1", 8, 60, 0), ("SHA256", 7, 5, 10), ("SHA512", 10, 300, 2))
        ):
            user = "user%d" % number
            fields = {"digits": digits, "interval": interval, "window": window, "algorithm": algorithm}
            self.bench.enrol(user, **fields)
            hotp = pyotp.HOTP(
                SECRET, digits=digits, digest=algorithm.lower()
            )  # TOTP's interval ends at 120 there
            step = NOW // interval
            outside = [self.verify(hotp.at(step + k), user) for k in (-window - 1, window + 1)]
            self.assertEqual(outside, ["rejected", "rejected"])
            inside = [self.verify(hotp.at(step + k), user) for k in sorted({-window, 0, window})]
            self.assertEqual(set(inside), {"accepted"})
            shown = self.bench.ask("user_show", user=user)
            self.assertEqual({name: shown[name] for name in fields}, fields)

    def test_the_device_window_counts_where_a_credential_has_none(self):
        self.bench.ask("settings_set", window=3)
        self.assertEqual(self.verify(TOTP.at(NOW - 90)), "accepted")
        self.bench.ask("settings_set", window=0)
        self.assertEqual(self.verify(TOTP.at(NOW - 30)), "rejected")

    def test_made_secrets_differ_and_are_as_long_as_the_hash(self):
        seen = set()
        for algorithm, length in (("SHA1", 32), ("SHA256", 52), ("SHA512", 103)):
            for user in "ab":
                uri = self.bench.ask("user_add", user=user + algorithm, algorithm=algorithm, entropy=ENTROPY)[
                    "uri"
                ]
                secret = uri.split("secret=")[1].split("&")[0]
                self.assertEqual(len(secret), length)
                seen.add(secret)
        self.assertEqual(len(seen), 6)


class Trouble(unittest.TestCase):
    """What goes wrong elsewhere does not change a verdict."""

    def test_a_broken_screen(self):
        def broken(_lines):
            raise OSError(32)

        bench = Bench()
        bench.enrol()
        bench.board.show = broken
        self.assertEqual(bench.ask("verify", user="alice", code=TOTP.at(NOW))["status"], "accepted")

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
            reply = bench.ask(
                "verify", user="a-user-with-a-rather-long-name-%04d" % number, code=TOTP.at(NOW + 7200)
            )
            self.assertEqual((number, reply["status"]), (number, "accepted"))
        self.assertEqual(bench.ask("clock_set", time=NOW + 9000)["floor"], NOW + 9000)
        self.assertEqual(bench.ask("user_remove", user="a-user-with-a-rather-long-name-0003")["status"], "ok")
        bench.restart()
        self.assertEqual(bench.ask("status")["users"], count - 1)


class Retries(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    def ask(self, number, host=None, **fields):
        fields = dict({"user": "alice", "code": TOTP.at(NOW)}, **fields)
        return (host or self.bench.admin).ask(self.bench.session, "verify", number, **fields)

    def test_the_same_request_gets_the_same_answer(self):
        first = self.ask("0123456789abcdef")
        self.assertEqual(first["status"], "accepted")
        self.assertEqual(self.ask("0123456789abcdef"), first)
        self.bench.admin.open(self.bench.session)  # the session was lost, and another one opened
        self.assertEqual(self.ask("0123456789abcdef"), first)
        self.assertEqual(self.ask("0123456789abcde0")["status"], "replayed")

    def test_an_id_is_good_for_one_request(self):
        self.ask("0123456789abcdef")
        self.assertEqual(self.ask("0123456789abcdef", code="000000")["status"], "bad-request")

    def test_another_host_does_not_get_the_answer(self):
        self.ask("0123456789abcdef")
        other = Host(b"other")
        self.bench.ask("pair_open", role="verifier", seconds=60)
        other.join(self.bench.session, "pair")
        other.open(self.bench.session)
        self.assertEqual(self.ask("0123456789abcdef", other)["status"], "replayed")

    def test_the_last_sixteen_are_kept(self):
        self.ask("0123456789abcdef")
        for _ in range(protocol.REPLIES_KEPT - 1):
            self.bench.ask("clock_show")
        self.assertEqual(self.ask("0123456789abcdef")["status"], "accepted")
        self.bench.ask("clock_show")
        self.assertEqual(self.ask("0123456789abcdef")["status"], "replayed")

    def test_a_secret_is_told_once(self):
        for expected in (str, type(None)):
            reply = self.bench.admin.ask(
                self.bench.session, "user_add", "0123456789abcdef", user="bob", entropy=ENTROPY
            )
            self.assertEqual((reply["status"], type(reply["uri"])), ("ok", expected))


class Roles(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()
        self.other = Host(b"other")

    def pair(self, role="verifier"):
        self.bench.admin.open(self.bench.session)
        self.bench.ask("pair_open", role=role, seconds=60)
        reply = self.other.join(self.bench.session, "pair", "other")
        self.other.open(self.bench.session)
        return reply

    def test_a_verifier_may_verify_and_look_and_nothing_else(self):
        self.assertEqual(self.pair()["role"], "verifier")
        allowed = set()
        before = self.bench.board.flash.image()
        for cmd in COMMANDS:
            reply = self.other.ask(self.bench.session, cmd)
            if reply["status"] != "denied":
                allowed.add(cmd)
        self.assertEqual(allowed, {"verify", "status", "unseal", "settings_show", "clock_show"})
        self.assertEqual(self.bench.board.flash.image(), before)
        self.assertEqual(
            self.other.ask(self.bench.session, "verify", user="alice", code=TOTP.at(NOW))["status"],
            "accepted",
        )

    def test_a_second_admin_may_all(self):
        self.assertEqual(self.pair("admin")["role"], "admin")
        self.assertEqual(self.other.ask(self.bench.session, "user_remove", user="alice")["status"], "ok")

    def test_either_host_unseals(self):
        self.pair()
        self.bench.restart(unseal=False)
        self.other.open(self.bench.session)
        verify = {"user": "alice", "code": TOTP.at(NOW)}
        self.assertEqual(self.other.ask(self.bench.session, "verify", **verify)["status"], "sealed")
        self.other.unseal(self.bench.session)
        self.assertEqual(self.other.ask(self.bench.session, "verify", **verify)["status"], "accepted")

    def test_a_wrong_wrap_secret_unseals_nothing(self):
        self.bench.restart(unseal=False)
        self.bench.admin.open(self.bench.session)
        reply = self.bench.ask("unseal", wrap="00" * 32, entropy=ENTROPY)
        self.assertEqual(reply["status"], "handshake-failed")
        self.assertEqual(self.bench.ask("user_list")["status"], "sealed")

    def test_pairing_needs_an_open_window_and_uses_it_up(self):
        self.assertEqual(self.other.join(self.bench.session, "pair")["status"], "pairing-closed")
        self.assertEqual(self.other.join(self.bench.session, "claim")["status"], "claimed")
        self.pair()
        third = Host(b"third")
        self.assertEqual(third.join(self.bench.session, "pair")["status"], "pairing-closed")
        self.bench.admin.open(self.bench.session)
        self.bench.ask("pair_open", role="verifier", seconds=60)
        self.bench.board.up += 60
        self.assertEqual(third.join(self.bench.session, "pair")["status"], "pairing-closed")

    def test_a_pairing_session_may_nothing_else(self):
        self.other.start_pairing(self.bench.session)
        for cmd in COMMANDS:
            if cmd not in ("claim", "pair"):
                self.assertEqual(self.other.ask(self.bench.session, cmd)["status"], "denied")

    def test_an_unpaired_host_is_out_at_once(self):
        self.pair()
        number = self.bench.ask  # the admin needs the session back first
        self.bench.admin.open(self.bench.session)
        host = [h for h in number("host_list")["hosts"] if h["role"] == "verifier"][0]["host"]
        self.assertEqual(number("unpair", host=host)["status"], "ok")
        self.assertEqual(self.other.open(self.bench.session), (protocol.FAULT, b"not-paired"))
        self.bench.admin.open(self.bench.session)
        self.assertEqual(number("unpair", host=host)["status"], "not-found")

    def test_a_host_that_removes_itself_loses_its_session(self):
        self.pair("admin")
        host = [h for h in self.other.ask(self.bench.session, "host_list")["hosts"] if h["name"] == "other"][
            0
        ]["host"]
        self.assertEqual(self.other.ask(self.bench.session, "unpair", host=host)["status"], "ok")
        self.assertEqual(self.other.ask(self.bench.session, "status"), "no-session")

    def test_unpairing_closes_the_window_and_leaves_no_wrap(self):
        self.pair("admin")
        wrap = self.bench.device.vault.hosts()[1][1].wrapped
        self.assertTrue(wrap in self.bench.board.flash.image())
        self.other.ask(self.bench.session, "pair_open", role="admin", seconds=300)
        self.bench.admin.open(self.bench.session)
        host = [h for h in self.bench.ask("host_list")["hosts"] if h["name"] == "other"][0]["host"]
        self.assertEqual(self.bench.ask("unpair", host=host)["status"], "ok")
        self.assertFalse(wrap in self.bench.board.flash.image())
        self.assertEqual(self.other.join(self.bench.session, "pair")["status"], "pairing-closed")

    def test_the_last_admin_stays(self):
        self.pair()
        self.bench.admin.open(self.bench.session)
        host = [h for h in self.bench.ask("host_list")["hosts"] if h["role"] == "admin"][0]["host"]
        self.assertEqual(self.bench.ask("unpair", host=host)["status"], "last-admin")

    def test_a_role_can_not_be_raised_on_flash(self):
        self.pair()
        image = bytearray(self.bench.board.flash.image())
        from binascii import crc32

        at = bytes(image).index(self.other.keys.public) + 32
        self.assertEqual(image[at], 0)
        image[at] = 1
        start = at - 40
        end = start + 12 + (image[start + 4] << 8 | image[start + 5])
        image[end - 4 : end] = crc32(bytes(image[start : end - 4])).to_bytes(4, "big")
        self.bench.board.flash = CutFlash(bytes(image))
        self.bench.restart(unseal=False)
        self.assertEqual(self.other.unseal(self.bench.session)["status"], "handshake-failed")
        self.assertEqual(self.other.ask(self.bench.session, "user_list")["status"], "sealed")
        # Nor once another host has unsealed the device.
        self.bench.admin.unseal(self.bench.session)
        self.other.open(self.bench.session)
        for cmd in ("user_list", "host_list"):
            self.assertEqual(self.other.ask(self.bench.session, cmd)["status"], "sealed")

    def test_as_many_hosts_as_fit(self):
        for number in range(protocol.MAX_HOSTS):
            self.bench.admin.open(self.bench.session)
            self.bench.ask("pair_open", role="verifier", seconds=60)
            reply = Host(b"host%d" % number).join(self.bench.session, "pair", '"' * protocol.MAX_HOST_NAME)
        self.assertEqual(reply["status"], "full")
        self.bench.admin.open(self.bench.session)
        self.assertEqual(len(self.bench.ask("host_list")["hosts"]), protocol.MAX_HOSTS)


def beyond(field):
    """Values that must not pass."""
    wrong = [None, [], {}, 1.5, True if field.kind != "bool" else 1, "x" * 200]
    if field.kind == "int":
        wrong += [field.low - 1, field.high + 1, "5", 10**30]
    elif field.kind == "text":
        wrong += [
            "x" * (field.high + 1),
            "é" * (field.high // 2 + 1),
            5,
            "a\nb",
            "a\x7fb",
            "a\x9bb",
            " a",
            "a ",
        ]
        wrong += [""] if field.low else []
    elif field.kind == "hex":
        wrong += ["00" * (field.high + 1), "0" * (2 * field.low - 1), "G0" * field.low, "AB" * field.low, 5]
    return wrong


class Fields(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()

    good = {
        "user": "alice",
        "code": "123456",
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
        "after": 0,
        "digits": 6,
        "interval": 30,
        "window": 1,
        "algorithm": "SHA1",
        "back": False,
    }

    def test_one_past_every_limit_wrong_types_missing_and_extra(self):
        before = self.bench.board.flash.image()
        count = 0
        for cmd, (role, _, fields) in COMMANDS.items():
            if role == protocol.PAIRING:
                continue
            whole = {name: self.good[name] for name in fields}
            bad = [dict(whole, extra=1)]
            for name, field in fields.items():
                bad += [dict(whole, **{name: value}) for value in beyond(field)]
                if field.required:
                    bad.append({k: v for k, v in whole.items() if k != name})
            for request in bad:
                reply = self.bench.ask(cmd, **request)
                self.assertEqual((cmd, request, reply["status"]), (cmd, request, "bad-request"))
                self.assertTrue(reply["message"])
                count += 1
        self.assertTrue(count > 200)
        self.assertEqual(self.bench.board.flash.image(), before)

    def test_at_every_limit(self):
        for field in (Field("int", 5, 300), Field("text", 1, 64), Field("hex", 10, 64)):
            values = {"int": (5, 300), "text": ("a", "a" * 64, "é" * 32), "hex": ("00" * 10, "ff" * 64)}[
                field.kind
            ]
            for value in values:
                self.assertIsNotNone(field.check("x", value))

    def test_names_of_any_script_and_of_full_length(self):
        for user in (
            "é" * 32,
            "漢" * 21,
            "a" * 64,
            'quote"\\back',
            "DOMAIN\\user",
            "user@domain",
            "-x",
            "../..",
        ):
            self.assertEqual(self.bench.enrol(user)["status"], "ok")
            self.assertEqual(self.bench.ask("verify", user=user, code=TOTP.at(NOW))["user"], user)
        seen, after = [], -1
        while after is not None:
            page = self.bench.ask("user_list", after=after)
            seen += [entry["user"] for entry in page["users"]]
            after = page["next"]
        self.assertEqual(len(seen), 9)

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
        self.assertEqual(self.bench.ask("no_such_command")["status"], "unknown-command")
        self.assertEqual(self.bench.ask("__class__")["status"], "unknown-command")
        self.assertEqual(self.bench.board.flash.image(), before)

    def test_a_stranger_s_long_field_names_get_an_answer_that_fits(self):
        stranger = Host(b"stranger")
        stranger.start_pairing(self.bench.session)
        for name in ("x" * 960, "\\u0001" * 150, "\\ud800", '\\"' * 400):
            data = '{"id":"0123456789abcdef","cmd":"claim","%s":1}' % name
            reply = stranger.ask_raw(self.bench.session, data.encode())
            self.assertIn(reply["status"], ("bad-request", "internal"))
            self.assertTrue(len(json.dumps(reply)) <= protocol.MAX_JSON)

    def test_half_of_a_surrogate_pair_is_no_name(self):
        for user in ('"\\ud800"', '"a\\udfff"'):
            data = '{"id":"0123456789abcdef","cmd":"user_add","user":%s,"entropy":"%s"}' % (user, ENTROPY)
            self.assertEqual(
                self.bench.admin.ask_raw(self.bench.session, data.encode())["status"], "bad-request"
            )

    def test_replies_fit(self):
        longest = '"' * 64
        for number in range(12):
            self.bench.enrol('"' * 60 + "%04d" % number, label=longest, issuer=longest)
        for cmd, fields in (
            ("status", {}),
            ("user_list", {}),
            ("user_show", {"user": '"' * 60 + "0001"}),
            ("host_list", {}),
            (
                "user_add",
                {
                    "user": longest,
                    "label": longest,
                    "issuer": longest,
                    "secret": "00" * 64,
                    "entropy": ENTROPY,
                },
            ),
        ):
            reply = self.bench.ask(cmd, **fields)
            self.assertEqual(reply["status"], "ok")
            self.assertTrue(len(json.dumps(reply)) <= protocol.MAX_JSON)


class AtRest(unittest.TestCase):
    def test_no_name_and_no_secret_can_be_found_on_the_flash(self):
        from binascii import b2a_base64, hexlify

        bench = Bench()
        secrets = [b"1" * 20, b"alice", b"carol-the-second", b"Understudy"]
        bench.enrol("alice")
        bench.enrol("carol-the-second")
        uri = bench.ask("user_add", user="bob", entropy=ENTROPY)["uri"]
        base32 = uri.split("secret=")[1].split("&")[0]
        from pyotp.base32 import decode

        secrets += [decode(base32), base32.encode(), SECRET.encode()]
        bench.ask("verify", user="alice", code=TOTP.at(NOW))
        bench.ask("user_remove", user="carol-the-second")
        image = bench.board.flash.image()
        for secret in secrets:
            for form in (
                secret,
                hexlify(secret),
                b2a_base64(secret)[:-3],
                hexlify(secret).upper(),
                bytes(reversed(secret)),
            ):
                self.assertFalse(form in image)
        self.assertTrue(bench.admin.keys.public in image)  # the search does find what is there

    def test_everything_survives_a_restart(self):
        bench = Bench()
        bench.enrol("alice", digits=8)
        bench.enrol("bob")
        bench.ask("settings_set", window=2, interval=60)
        bench.ask("clock_set", time=NOW + 500)
        before = [
            bench.ask(cmd)["status"] and bench.ask(cmd) for cmd in ("user_list", "settings_show", "host_list")
        ]
        bench.restart()
        after = [bench.ask(cmd) for cmd in ("user_list", "settings_show", "host_list")]
        for old, new in zip(before, after):
            old.pop("id"), new.pop("id")
            self.assertEqual(old, new)
        self.assertEqual(bench.ask("clock_show")["state"], "unset")  # the bench's time lies before the floor
        self.assertEqual(bench.ask("clock_show")["floor"], NOW + 500)

    def test_a_store_that_has_lost_its_hosts_is_not_a_new_device(self):
        bench = Bench()
        bench.enrol()
        image = bench.board.flash.image()
        for lost in (bench.admin.keys.public, bench.device.vault.identity().private):
            at = image.index(lost)
            bench.board.flash = CutFlash(image[:at] + bytes(4) + image[at + 4 :])
            bench.start()
            self.assertEqual(bench.admin.hello(bench.session)["state"], "damaged")
            self.assertEqual(bench.session.handle(protocol.PAIR_1, bytes(48)), (protocol.FAULT, b"damaged"))

    def test_a_foreign_region_is_left_alone_and_said_so(self):
        image = b"littlefs" * 512 * 12
        bench = Bench(BenchBoard(CutFlash(image)), claimed=False)
        self.assertEqual(bench.admin.hello(bench.session)["state"], "damaged")
        self.assertEqual(bench.session.handle(protocol.PAIR_1, bytes(48)), (protocol.FAULT, b"damaged"))
        self.assertEqual(bench.session.handle(protocol.OPEN_1, bytes(56)), (protocol.FAULT, b"damaged"))
        self.assertEqual(bench.board.flash.image(), image)


if __name__ == "__main__":
    unittest.main()
