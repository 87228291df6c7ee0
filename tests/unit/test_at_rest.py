# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the flash gives away of users, groups, credentials, secrets and codes, in any spelling: nothing."""

import unittest
from binascii import b2a_base64, hexlify, unhexlify

import pyotp
from asking import ENTROPY, TOTP, bypass, recovery, verify
from parts import NOW, Bench, BenchBoard
from understudy_device.compat import sha256
from understudy_device.users import SALT, pack_codes

NAMES = [
    "alice.liddell",
    "carol-the-second",
    "bob",
    "wonderland",
    "hatters",
    "phone-of-alice",
    "old-token",
    "née",
]
SHORTEST = 3  # bytes: a shorter name would be found anywhere


def inner_base64(data):
    """Base64 of bytes among others, for each of the three positions: the characters that no neighbour
    changes."""
    found = []
    for before in range(3):
        text = b2a_base64(bytes(before) + data + bytes(3)).strip()
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        found.append(text[first:last])
    return found


def packed(number):
    """A number as an integer of 4, 5 and 8 bytes, if they hold it, either end first."""
    sizes = [size for size in (4, 5, 8) if number >> 8 * size == 0]
    return [number.to_bytes(size, end) for size in sizes for end in ("big", "little")]


def spellings(data):
    """Bytes in every encoding that somebody may have thought of."""
    hexed = hexlify(data)
    found = [
        data,
        hexed,
        hexed.upper(),
        bytes(reversed(data)),
        pyotp.base32.encode(data).rstrip("=").encode(),
    ]
    for text in inner_base64(data):
        found += [text, text.replace(b"+", b"-").replace(b"/", b"_")]
    utf16 = b"".join(bytes((byte, 0)) for byte in data)
    found += [utf16[:-1], b"\x00" + utf16[:-1]]
    found += [sha256(data), sha256(data)[:8], hexlify(sha256(data))[:16]]
    if all(char in b"0123456789" for char in data):
        found += packed(int(data))
        if len(data) % 2 == 0:
            found.append(unhexlify(data))  # two digits a byte
    return [form for form in found if len(form) >= SHORTEST]


class AtRest(unittest.TestCase):
    def setUp(self):
        self.secrets = {}  # what for: bytes that must not be found

    def keep(self, what, data):
        """Something that must not be found."""
        self.secrets["%s %d" % (what, len(self.secrets))] = data if isinstance(data, bytes) else data.encode()

    def add(self, bench, user, name, **fields):
        """A credential whose secret must not be found."""
        reply = bench.ask("user_add", user=user, credential=name, entropy=ENTROPY, confirmed=True, **fields)
        made = pyotp.parse_uri(reply["uri"])
        self.keep("secret", pyotp.base32.decode(made.secret))
        self.keep("spelt secret", made.secret)
        return made

    def enrol(self, bench, user):
        """Twice, for the first time is void; at a login. The recovery codes."""
        asked = {"user": user, "entropy": ENTROPY}
        for _ in range(2):
            made = pyotp.parse_uri(bench.ask("enrol", issuer="wonderland", **asked)["uri"])
            self.keep("secret", pyotp.base32.decode(made.secret))
            self.keep("spelt secret", made.secret)
        return bench.ask("enrol_confirm", code=made.at(NOW), **asked)["codes"]

    def use(self, bench):
        """Every command that gets to know a name, a secret or a code."""
        for name in NAMES:
            self.keep("name", name)
        phone = self.add(bench, "alice.liddell", "phone-of-alice")
        token = self.add(bench, "alice.liddell", "old-token", kind="hotp", algorithm="SHA256", digits=8)
        self.add(
            bench, "carol-the-second", "phone-of-alice", algorithm="SHA512", label="née", issuer="wonderland"
        )
        self.add(bench, "bob", "phone-of-alice", secret="0123456789abcdef" * 3)
        self.add(bench, "née", "old-token")
        codes = recovery(bench, "alice.liddell") + recovery(bench, "bob")
        codes += [bypass(bench, 60, "alice.liddell"), bypass(bench, 60, "carol-the-second")]
        typed = [phone.at(NOW), token.at(0), codes[0], codes[-2], "918273", "5647382910"]
        for code in typed:
            verify(bench, code, "alice.liddell")
        verify(bench, "4638291055", "somebody-who-is-not-there")
        self.keep("stranger", "somebody-who-is-not-there")
        for code in codes + ["4638291055", "5647382910", token.at(0)]:
            self.keep("code", code)
        ahead = [phone.at(NOW + 30 * step) for step in (20, 21)]
        fields = {"user": "alice.liddell", "code1": ahead[0], "code2": ahead[1]}
        bench.ask("resync", **fields)
        for group in ("wonderland", "hatters"):
            bench.ask("group_add", user="alice.liddell", group=group)
        bench.ask("group_remove", user="alice.liddell", group="hatters")
        bench.ask("user_set", user="bob", enabled=False, valid_until=NOW + 9)
        bench.ask("credential_set", user="bob", credential="phone-of-alice", enabled=False)
        bench.ask("credential_remove", user="alice.liddell", credential="old-token")
        bench.ask("user_reset", user="née")
        codes = self.enrol(bench, "née")
        verify(bench, codes[3], "née")
        for code in codes + recovery(bench, "bob"):
            self.keep("code", code)

    def check(self, bench):
        """Nothing of it is found."""
        image = bench.board.flash.image()
        for what, data in self.secrets.items():
            for number, form in enumerate(spellings(data)):
                self.assertFalse(form in image, (what, number, form))
        self.assertTrue(bench.admin.keys.public in image)

    def test_with_every_command_used_and_all_removed(self):
        bench = Bench()
        self.use(bench)
        self.assertEqual(verify(bench, TOTP.at(NOW), "bob"), "disabled")
        self.check(bench)
        bench.restart()
        self.check(bench)
        for user in ("alice.liddell", "carol-the-second", "bob", "née"):
            self.assertEqual(bench.ask("user_remove", user=user)["status"], "ok")
            self.check(bench)
        self.assertEqual(bench.ask("user_list")["users"], [])

    def test_over_and_over_until_sectors_are_cleaned(self):
        bench = Bench()
        self.use(bench)
        sequence = bench.device.store.log._sequence
        for _ in range(300):
            bench.board.up += 60
            verify(bench, "918273", "bob")
            bench.ask("group_add", user="carol-the-second", group="hatters")
            bench.ask("group_remove", user="carol-the-second", group="hatters")
            bench.device.tidy()
            bench.board.flash.operations.clear()  # they fill MicroPython's memory
        self.assertTrue(bench.device.store.log._sequence > sequence + 12)  # once around
        self.check(bench)

    def test_what_is_kept_of_a_code_is_sealed(self):
        """Not even the salted hashes, which would give ten digits away to whoever tries them all."""
        bench = Bench()
        bench.enrol()
        recovery(bench)
        _, user = bench.device.directory.find("alice")
        [kept] = [one for one in user.credentials if one.kind == "recovery"]
        image = bench.board.flash.image()
        self.assertEqual(len(kept.hashes), 10)
        for data in kept.hashes + [kept.salt, kept.secret]:
            self.assertFalse(data in image)

    def test_a_name_s_tag_says_nothing_without_the_key(self):
        tags = [Bench(BenchBoard(seed=seed)).device.vault.tag("alice") for seed in (b"one", b"two")]
        self.assertEqual(len(set(tags + [sha256(b"alice")[:8]])), 3)


class TheSearch(unittest.TestCase):
    """Finds what is planted, in each spelling."""

    def test_each_spelling(self):
        data = b"alice.liddell"
        hidden = (
            data,
            b"616c6963652e6c696464656c6c",
            b"616C6963652E6C696464656C6C",
            b"lleddil.ecila",
            b"MFWGSY3FFZWGSZDEMVWGY",
            b"a\x00l\x00i\x00c\x00e\x00.\x00l\x00i\x00d\x00d\x00e\x00l\x00l\x00",
            b"\x00a\x00l\x00i\x00c\x00e\x00.\x00l\x00i\x00d\x00d\x00e\x00l\x00l",
            sha256(data),
        )
        for form in hidden + tuple(b2a_base64(b"xy"[:n] + data + b"zzz") for n in range(3)):
            image = b"\xff" * 500 + form + b"\xff" * 500
            found = [spelling for spelling in spellings(data) if spelling in image]
            self.assertTrue(found, form)
        self.assertEqual([form for form in spellings(data) if form in b"\xff" * 500], [])

    def test_digits_as_numbers(self):
        for form in (b"\x01\x12\x50\x4c\x24", b"\x24\x4c\x50\x12\x01", b"\x00\x00\x00\x01\x12\x50\x4c\x24"):
            number = 0x0112504C24
            self.assertTrue(
                [s for s in spellings(b"%d" % number) if s in b"\xff" * 9 + form + b"\xff" * 9], form
            )

    def test_on_a_device_s_flash(self):
        for planted in (b"carol-the-second", hexlify(b"carol-the-second"), sha256(b"carol-the-second")[:8]):
            case = AtRest()
            case.setUp()
            bench = Bench()
            case.use(bench)
            case.check(bench)
            bench.board.flash.program(bench.board.flash.size - 256, planted)
            with self.assertRaises(AssertionError):
                case.check(bench)

    def test_a_kept_secret_looks_like_this(self):
        self.assertEqual(pack_codes(5, bytes(SALT), [b"h" * 8]), b"\x00\x00\x00\x05" + bytes(8) + b"h" * 8)


if __name__ == "__main__":
    unittest.main()
