# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A device whose flash was written by the firmware of schema 1: nothing is lost by the conversion, and
nothing can be used again, whenever the power is cut."""

import gc
import json
import struct
import sys
import unittest
from binascii import a2b_base64, crc32

import schema1_image
from parts import NOW, TEARS, Bench, BenchBoard, CutFlash, Host, torn
from understudy_device import records
from understudy_device.compat import sha256
from understudy_device.device import Device
from understudy_device.otp import codes
from understudy_device.pairing import key_id, wrap_secret
from understudy_device.sectors import FIRST, JOURNAL, SECTOR, THINGS, parse_sector_header
from understudy_device.service import Caller, Service

EVERY = 1 if sys.implementation.name == "cpython" else 23  # of the cuts
FRANK = "frank.with.a.long.name"
# user: (secret, digits, interval, algorithm, window)
USERS = {
    "alice": (b"1" * 20, 8, 30, "SHA1", 2),
    "bob": (b"2" * 32, 6, 60, "SHA256", 0),
    "carol": (b"4" * 64, 8, 30, "SHA512", 2),
    "dave": (b"5" * 20, 8, 30, "SHA1", 2),
    FRANK: (b"6" * 10, 7, 30, "SHA1", 2),
}
# What each one's code of the image's time is found to be.
VERDICTS = {"alice": "accepted", "bob": "replayed", "carol": "replayed", "dave": "pending", FRANK: "accepted"}
VERDICTS_AFTER = {
    "alice": "replayed",
    "bob": "replayed",
    "carol": "replayed",
    "dave": "pending",
    FRANK: "replayed",
}


def code(user, time):
    """What the user's authenticator shows."""
    secret, digits, interval, algorithm, _ = USERS[user]
    number = codes(secret, algorithm, digits, [time // interval])[0]
    return ("%0" + str(digits) + "d") % number


class Image:
    """One of the flashes in schema1_image."""

    def __init__(self, name):
        parts = getattr(schema1_image, name)
        self.now = getattr(schema1_image, name + "_NOW")
        self.last = getattr(schema1_image, name + "_LAST")
        self.device_id = key_id(bytes.fromhex(getattr(schema1_image, name + "_KEY")))
        out = b""
        for index in range(schema1_image.SECTORS):
            data = a2b_base64(parts.get(index, ""))
            out += data + b"\xff" * (SECTOR - len(data))
        self.data = out
        self.hosts = [Host(b"host"), Host(b"door")]
        self.wraps = [wrap_secret(host.keys.private, self.device_id).hex() for host in self.hosts]


YOUNG, OLD = Image("YOUNG"), Image("OLD")


class Powered:
    """A device on a flash, asked past the link's cryptography."""

    requests = 0  # of all of them: one that is asked again is answered as before

    def __init__(self, image, flash, time=None):
        self.image = image
        self.board = BenchBoard(flash, b"again", time or image.now)
        self.device = Device(self.board)
        self.service = Service(self.device)

    def ask(self, cmd, host=0, **fields):
        """The admin's request, or the second host's."""
        public = self.image.hosts[host].keys.public
        Powered.requests += 1
        fields.update(id="%016x" % Powered.requests, cmd=cmd)
        caller = Caller(public, self.device.vault.find_host(key_id(public))[1])
        return json.loads(self.service.call(caller, json.dumps(fields).encode()))

    def unseal(self, host=0):
        """Which converts."""
        return self.ask("unseal", host, wrap=self.image.wraps[host], entropy="00" * 32)["status"]

    def verdicts(self):
        """Of everybody's present code."""
        now = self.device.clock.now()
        return {user: self.ask("verify", user=user, code=code(user, now))["status"] for user in USERS}

    def streams(self):
        """What the sectors belong to."""
        data = self.board.flash.image()
        heads = [parse_sector_header(data[at : at + FIRST]) for at in range(0, len(data), SECTOR)]
        return {head[1] for head in heads if head is not None}


class Conversion(unittest.TestCase):
    def test_everything_is_kept(self):
        for image in (YOUNG, OLD):
            one = Powered(image, CutFlash(image.data, schema1_image.SECTORS))
            self.assertIsNone(one.device.damage)
            self.assertEqual((one.device.state, one.device.id()), ("sealed", image.device_id))
            self.assertEqual(one.unseal(), "ok")
            hosts = one.ask("host_list")["hosts"]
            self.assertEqual(
                [(h["name"], h["role"]) for h in hosts], [("admin", "admin"), ("door", "verifier")]
            )
            settings = one.ask("settings_show")
            self.assertEqual((settings["digits"], settings["window"], settings["interval"]), (8, 2, 30))
            self.assertEqual((settings["attempts"], settings["delay"]), (5, 30))
            self.assertEqual(one.ask("clock_show")["floor"], NOW - 10 * 86400)
            self.check_users(one)
            self.assertEqual(one.streams(), {THINGS, JOURNAL})
            self.assertEqual(one.ask("status")["flash"]["damaged"], 0)
            self.assertEqual(one.verdicts(), VERDICTS)
            names = [event.name for event in one.device.audit.last(50)]
            self.assertEqual(names.count("store-converted"), 1)
            self.check_restarted(one)

    def check_users(self, one):
        listed = one.ask("user_list")["users"]
        self.assertEqual(sorted(user["user"] for user in listed), sorted(USERS))
        for user, (_, digits, interval, algorithm, window) in USERS.items():
            shown = one.ask("credential_show", user=user, credential="phone")
            found = [shown[name] for name in ("digits", "interval", "algorithm", "window", "confirmed")]
            self.assertEqual(found, [digits, interval, algorithm, window, user != "dave"])
        self.assertEqual(one.ask("verify", user="eve", code="12345678")["status"], "unknown-user")

    def check_restarted(self, one):
        image, data = one.image, one.board.flash.image()
        one = Powered(image, CutFlash(data, schema1_image.SECTORS))
        self.assertEqual((one.device.id(), one.unseal(1)), (image.device_id, "ok"))
        self.assertEqual(one.verdicts(), VERDICTS_AFTER)
        self.assertEqual(one.unseal(), "ok")
        names = [event.name for event in one.device.audit.last(50)]
        self.assertEqual(names.count("store-converted"), 1)
        # The one who had not confirmed yet can, and has used the code by that.
        digits = code("dave", image.now)
        self.assertEqual(one.ask("user_confirm", user="dave", code=digits)["status"], "accepted")
        self.assertEqual(one.ask("verify", user="dave", code=digits)["status"], "replayed")

    def test_what_was_used_in_a_time_that_is_to_come_again_stays_used(self):
        for image in (YOUNG, OLD):
            one = Powered(image, CutFlash(image.data, schema1_image.SECTORS))
            one.unseal()
            one.ask("clock_set", time=image.last)
            for user in ("alice", FRANK):
                found = [
                    one.ask("verify", user=user, code=code(user, image.last + late))["status"]
                    for late in (-60, -30, 0, 30)
                ]
                self.assertEqual(found, ["replayed", "replayed", "replayed", "accepted"])
            self.assertEqual(one.ask("verify", user="bob", code=code("bob", NOW))["status"], "rejected")

    def test_by_the_other_host_and_after_rests_while_sealed(self):
        for image in (YOUNG, OLD):
            one = Powered(image, CutFlash(image.data, schema1_image.SECTORS))
            for _ in range(10):
                one.device.tidy()
            self.assertEqual(one.device.faults, 0)
            one = Powered(image, CutFlash(one.board.flash.image(), schema1_image.SECTORS))
            self.assertEqual((one.streams() - {THINGS, JOURNAL}, one.unseal(1)), (set(), "ok"))
            self.assertEqual(one.verdicts(), VERDICTS)

    def test_a_damaged_user_loses_himself_only(self):
        image = bytearray(YOUNG.data)
        for at in range(FIRST, SECTOR):  # the newest of bob's records
            if image[at] == records.OLD_CREDENTIAL and image[at + 1 : at + 4] == b"\xff\x00\x01":
                found = at
        image[found + 60] ^= 1
        one = Powered(YOUNG, CutFlash(bytes(image), schema1_image.SECTORS))
        self.assertEqual(one.unseal(), "ok")
        self.assertEqual(one.verdicts(), dict(VERDICTS, bob="unknown-user"))


class Cuts(unittest.TestCase):
    """At each operation of the conversion, torn in every way."""

    def each(self, image, act, check):
        flash = CutFlash(image.data, schema1_image.SECTORS)
        one = Powered(image, flash)
        act(one)
        before, count = image.data, 0
        for offset, data in flash.operations:
            for tear in TEARS:
                count += 1
                if count % EVERY == 0:
                    left = torn(tear, offset, before[offset : offset + len(data)], data)
                    check((count, tear), before[:offset] + left + before[offset + len(data) :])
            before = before[:offset] + data + before[offset + len(data) :]
        return count

    def check(self, where, data, image):
        one = Powered(image, CutFlash(data, schema1_image.SECTORS))
        self.assertEqual((where, one.device.damage, one.unseal()), (where, None, "ok"))
        self.assertEqual((where, one.streams()), (where, {THINGS, JOURNAL}))
        self.assertEqual((where, one.verdicts()), (where, VERDICTS))
        self.assertEqual(len(one.ask("user_list")["users"]), len(USERS))
        self.assertEqual(one.device.store.numbers(records.OLD_CREDENTIAL), [])
        self.assertEqual(one.device.store.numbers(records.OLD_USE), [])
        one = Powered(image, CutFlash(one.board.flash.image(), schema1_image.SECTORS))
        self.assertEqual((where, one.unseal(1), one.verdicts()), (where, "ok", VERDICTS_AFTER))

    def test_of_a_young_one(self):
        count = self.each(YOUNG, Powered.unseal, lambda where, data: self.check(where, data, YOUNG))
        self.assertTrue(count > 100)

    def test_of_an_old_one(self):
        count = self.each(OLD, Powered.unseal, lambda where, data: self.check(where, data, OLD))
        self.assertTrue(count > 150)


class Writer:
    """Writes a store of schema 1 into the flash of a device that was claimed just now."""

    def __init__(self, sectors):
        self.bench = Bench(BenchBoard(CutFlash(sectors=sectors)))
        self.sectors = sectors
        self.records = []
        store = self.bench.device.store
        for kind in (records.IDENTITY, records.SEED, records.HOST, records.CLOCK):
            self.add(kind, 0, store.get(kind))

    def add(self, kind, number, payload):
        """A record."""
        head = struct.pack(">BBHH", kind, 0xFF, number, len(payload))
        body = head + struct.pack(">H", crc32(head[:1] + head[2:]) & 0xFFFF) + payload
        self.records.append(body + struct.pack(">I", crc32(body)))

    def add_user(self, number):
        """Sealed, and the steps used."""
        name, vault = b"user%04d" % number, self.bench.device.vault
        data = struct.pack(">BBHBB", 1, 6, 30, 0xFF, 0)
        for text in (name, sha256(name)[:20], b"Understudy", name):
            data += bytes((len(text),)) + text
        tag = vault.tag(name.decode())
        self.add(records.OLD_CREDENTIAL, number, tag + vault.seal(b"credential%d" % number + tag, data))
        step = NOW // 30 + 1 + number % 2  # the present one is used, or the next as well
        self.add(records.OLD_USE, number, struct.pack(">QQI", step, step, 0))

    def restart(self):
        """The bench with the device on a flash full of these."""
        gc.collect()  # for MicroPython: of a heap in pieces
        out, start, sequence = bytearray(b"\xff" * (self.sectors * SECTOR)), 0, 0
        for body in self.records:
            if start % SECTOR == 0 or start % SECTOR + len(body) > SECTOR:
                start = sequence * SECTOR
                sequence += 1
                head = b"USLG" + struct.pack(">B3sI", 1, b"\xff\xff\xff", sequence)
                out[start : start + 16] = head + struct.pack(">I", crc32(head))
                start += FIRST
            out[start : start + len(body)] = body
            start += len(body)
        self.bench.board.flash = CutFlash(bytes(out), self.sectors)
        self.bench.restart()
        return sequence


# Users, and sectors; MicroPython's heap here has no 64 KiB in one piece.
COUNT, LARGE = (230, 16) if EVERY == 1 else (84, 9)


class Large(unittest.TestCase):
    def test_one_that_is_nearly_full_and_has_no_more_than_two_sectors_free(self):
        writer = Writer(LARGE)
        for number in range(COUNT):
            writer.add_user(number)
        size = sum(len(body) for body in writer.records)
        for _ in range(
            ((LARGE - 3) * (SECTOR - FIRST) + 2000 - size) // 32 - COUNT
        ):  # changed again and again
            writer.add(records.OLD_USE, len(writer.records) % COUNT, struct.pack(">QQI", 1, 1, 0))
        for number in range(COUNT):  # what counts is at the end
            writer.records.append(writer.records[5 + 2 * number])
        used = writer.restart()
        self.assertEqual(used, LARGE - 2)
        bench = writer.bench
        self.assertEqual(bench.device.state, "open")
        self.assertEqual(len(bench.device.directory), COUNT)
        for number in range(0, COUNT, 5):
            shown = codes(sha256(b"user%04d" % number)[:20], "SHA1", 6, [NOW // 30, NOW // 30 + 1])
            found = [
                bench.ask("verify", user="user%04d" % number, code="%06d" % one)["status"] for one in shown
            ]
            self.assertEqual(found, ["replayed", "replayed" if number % 2 else "accepted"])


if __name__ == "__main__":
    unittest.main()
