# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""HOTP and TOTP against the vectors of their RFCs, and the behaviour of the classes."""

import hashlib
import time
import unittest

import pyotp
from pyotp import base32
from pyotp.compare import same_code
from pyotp.digests import Hmac
from pyotp.otp import code_at, counter_bytes

KEY20 = b"12345678901234567890"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # KEY20

# RFC 4226, appendix D
HOTP_CODES = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split()

# RFC 6238, appendix B: time, SHA-1, SHA-256, SHA-512
TOTP_CODES = (
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
)
TOTP_KEYS = {"sha1": KEY20, "sha256": (KEY20 * 2)[:32], "sha512": (KEY20 * 4)[:64]}


class HotpTest(unittest.TestCase):
    def test_rfc4226_appendix_d(self):
        hotp = pyotp.HOTP(SECRET)
        for count, code in enumerate(HOTP_CODES):
            self.assertEqual(hotp.at(count), code)
            self.assertTrue(hotp.verify(code, count))
            self.assertFalse(hotp.verify(code, count + 1))

    def test_leading_zeros_are_kept(self):
        hotp = pyotp.HOTP(SECRET)
        self.assertEqual(hotp.at(30), "026920")
        for count in (36, 44, 62):
            self.assertEqual(hotp.at(count)[:2], "00")

    def test_initial_count_is_added(self):
        hotp = pyotp.HOTP(SECRET, initial_count=7)
        self.assertEqual(hotp.at(2), HOTP_CODES[9])
        self.assertEqual(hotp.at(-7), HOTP_CODES[0])
        with self.assertRaises(ValueError):
            hotp.at(-8)

    def test_counters_of_64_bits_and_beyond(self):
        self.assertEqual(counter_bytes(0), bytes(8))
        self.assertEqual(counter_bytes(258), bytes(6) + b"\x01\x02")
        self.assertEqual(counter_bytes(2**63), b"\x80" + bytes(7))
        self.assertEqual(counter_bytes(2**64 - 1), b"\xff" * 8)
        self.assertEqual(counter_bytes(2**64), b"\x01" + bytes(8))
        self.assertEqual(counter_bytes(2**80 + 5), b"\x01" + bytes(9) + b"\x05")
        with self.assertRaises(TypeError):
            counter_bytes(1.0)
        # From PyPI's pyotp.
        hotp = pyotp.HOTP(SECRET, digits=10)
        self.assertEqual(hotp.at(2**32), "0255999456")
        self.assertEqual(hotp.at(2**63), "0817959616")
        self.assertEqual(hotp.at(2**64 - 1), "1663094451")

    def test_numbers_are_codes_too(self):
        self.assertTrue(pyotp.HOTP(SECRET).verify(755224, 0))

    def test_the_secret_may_be_set(self):
        hotp = pyotp.HOTP(SECRET)
        first = hotp.at(0)
        hotp.secret = SECRET.lower()
        self.assertEqual(hotp.at(0), first)
        hotp.secret = "A" + SECRET[1:]
        self.assertNotEqual(hotp.at(0), first)
        hotp.secret = "AAAA"
        with self.assertRaises(ValueError):
            hotp.at(0)


class TotpTest(unittest.TestCase):
    def test_rfc6238_appendix_b(self):
        for row in TOTP_CODES:
            for column, name in enumerate(("sha1", "sha256", "sha512")):
                with self.subTest(time=row[0], digest=name):
                    totp = pyotp.TOTP(base32.encode(TOTP_KEYS[name]), digits=8, digest=name)
                    self.assertEqual(totp.at(row[0]), row[1 + column])

    def test_code_at_is_the_same_without_the_classes(self):
        for row in TOTP_CODES:
            for column, name in enumerate(("sha1", "sha256", "sha512")):
                mac = Hmac(TOTP_KEYS[name], name)
                self.assertEqual(code_at(mac, row[0] // 30, 8), row[1 + column])

    def test_constructors_as_digest(self):
        totp = pyotp.TOTP(base32.encode(TOTP_KEYS["sha256"]), digits=8, digest=hashlib.sha256)
        self.assertEqual(totp.at(59), "46119246")

    def test_timecode_and_offset(self):
        totp = pyotp.TOTP(SECRET, digits=8)
        self.assertEqual(totp.timecode(59), 1)
        self.assertEqual(totp.timecode(60), 2)
        self.assertEqual(totp.timecode(20000000000), 666666666)
        self.assertEqual(totp.timecode(253402300799), 8446743359)
        self.assertEqual(totp.at(0, counter_offset=1), "94287082")
        self.assertEqual(pyotp.TOTP(SECRET, interval=120).timecode(239), 1)

    def test_times_out_of_range(self):
        totp = pyotp.TOTP(SECRET)
        for moment in (-1, 253402300800, 2**70):
            with self.assertRaises(ValueError):
                totp.at(moment)

    def test_window(self):
        totp = pyotp.TOTP(SECRET, digits=8)
        now = 1111111109
        before = totp.at(now - 30)
        self.assertFalse(totp.verify(before, for_time=now))
        self.assertTrue(totp.verify(before, for_time=now, valid_window=1))
        self.assertFalse(totp.verify(totp.at(now + 60), for_time=now, valid_window=1))
        self.assertTrue(totp.verify(totp.at(now + 60), for_time=now, valid_window=2))
        self.assertFalse(totp.verify(totp.at(now), for_time=now, valid_window=-1))
        with self.assertRaises(ValueError):
            totp.verify("94287082", for_time=0, valid_window=1)

    def test_timecode_of_a_match(self):
        totp = pyotp.TOTP(SECRET, digits=8)
        step = totp.verify_and_get_timecode("94287082", for_time=89, valid_window=1)
        self.assertEqual(step, 1)
        with self.assertRaises(pyotp.OTPVerificationError):
            totp.verify_and_get_timecode("94287083", for_time=89, valid_window=1)
        with self.assertRaises(ValueError):
            totp.verify_and_get_timecode("94287082", for_time=59, valid_window=-1)

    def test_every_code_of_the_window_is_computed(self):
        class Counting(pyotp.TOTP):
            made = 0

            def generate_otp(self, input):
                Counting.made += 1
                return super().generate_otp(input)

        totp = Counting(SECRET, digits=8)
        # The code is that of the first of the five steps.
        self.assertTrue(totp.verify("94287082", for_time=119, valid_window=2))
        self.assertEqual(Counting.made, 5)

    def test_of_two_matches_the_first_counts(self):
        class Constant(pyotp.TOTP):
            def generate_otp(self, input):
                return "000000"

        self.assertEqual(Constant(SECRET).verify_and_get_timecode("000000", for_time=300, valid_window=2), 8)

    def test_now_reads_the_clock(self):
        totp = pyotp.TOTP(SECRET)
        # The step may change between two readings; then it has changed by the second pair.
        codes = [totp.at(int(time.time())), totp.now(), totp.at(int(time.time()))]
        self.assertIn(codes[1], (codes[0], codes[2]))
        self.assertTrue(totp.verify(totp.now(), valid_window=1))


class RefusalTest(unittest.TestCase):
    def test_digits(self):
        for digits in (5, 11, 0, -6):
            for make in (pyotp.HOTP, pyotp.TOTP):
                with self.assertRaises(ValueError):
                    make(SECRET, digits=digits)
        self.assertEqual(len(pyotp.HOTP(SECRET, digits=10).at(0)), 10)

    def test_interval(self):
        for interval in (0, -1, 121):
            with self.assertRaises(ValueError):
                pyotp.TOTP(SECRET, interval=interval)

    def test_options_by_keyword_only(self):
        with self.assertRaises(TypeError):
            pyotp.HOTP(SECRET, 6)
        with self.assertRaises(TypeError):
            pyotp.TOTP(SECRET, period=30)

    def test_short_secrets(self):
        pyotp.HOTP(base32.encode(bytes(14)))
        with self.assertRaises(ValueError):
            pyotp.HOTP(base32.encode(bytes(13)))

    def test_digests(self):
        with self.assertRaises(ValueError):
            pyotp.HOTP(SECRET, digest="nonsense").at(0)
        with self.assertRaises(TypeError):
            pyotp.HOTP(SECRET, digest="").at(0)
        if hasattr(hashlib, "md5"):
            with self.assertRaises(ValueError):
                pyotp.HOTP(SECRET, digest=hashlib.md5)


class CompareTest(unittest.TestCase):
    def test_ascii(self):
        self.assertTrue(same_code("755224", "755224"))
        for typed in (
            "",
            "75522",
            "7552244",
            "755225",
            "855224",
            " 755224",
            "755224\n",
            "abcdef",
            "x" * 1025,
        ):
            self.assertFalse(same_code(typed, "755224"))

    def test_compatibility_digits(self):
        self.assertTrue(same_code("\uff17\uff15\uff15\uff12\uff12\uff14", "755224"))
        self.assertTrue(same_code("\u246967\u20748", "106748"))
        self.assertFalse(same_code("\u0667\u0665\u0665\u0662\u0662\u0664", "755224"))  # Arabic-Indic digits

    def test_length_limit(self):
        self.assertTrue(same_code("1" * 1024, "1" * 1024))
        self.assertFalse(same_code("1" * 1025, "1" * 1025))


class RandomSecretTest(unittest.TestCase):
    def test_lengths_and_characters(self):
        self.assertEqual(len(pyotp.random_base32()), 32)
        self.assertEqual(len(pyotp.random_hex()), 40)
        self.assertEqual(len(pyotp.random_base32(length=64)), 64)
        for character in pyotp.random_base32(length=500):
            self.assertIn(character, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        for character in pyotp.random_hex(length=500):
            self.assertIn(character, "ABCDEF0123456789")
        self.assertNotEqual(pyotp.random_base32(), pyotp.random_base32())
        pyotp.TOTP(pyotp.random_base32()).now()

    def test_every_character_comes_up(self):
        # Of 3 characters in 2,000 draws, none comes up fewer than 500 times but once in 10^13 runs.
        drawn = pyotp.random_base32(length=2000, chars="abc")
        for character in "abc":
            self.assertTrue(drawn.count(character) > 500)

    def test_more_than_256_characters(self):
        chars = [chr(0x100 + i) for i in range(300)]
        for character in pyotp.random_base32(length=100, chars=chars):
            self.assertIn(character, chars)

    def test_refusals(self):
        with self.assertRaises(ValueError):
            pyotp.random_base32(length=31)
        with self.assertRaises(ValueError):
            pyotp.random_hex(length=39)
        with self.assertRaises(IndexError):
            pyotp.random_base32(chars="")


if __name__ == "__main__":
    unittest.main()
