# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Base32 against RFC 4648, section 10, and what is refused."""

import binascii
import unittest

from pyotp import base32

RFC4648 = (
    (b"", ""),
    (b"f", "MY======"),
    (b"fo", "MZXQ===="),
    (b"foo", "MZXW6==="),
    (b"foob", "MZXW6YQ="),
    (b"fooba", "MZXW6YTB"),
    (b"foobar", "MZXW6YTBOI======"),
)
ERROR = getattr(binascii, "Error", ValueError)


class Base32Test(unittest.TestCase):
    def test_rfc4648(self):
        for data, text in RFC4648:
            bare = text.replace("=", "")
            self.assertEqual(base32.encode(data), bare)
            for form in (text, bare, text.lower(), bare.lower(), text.encode()):
                self.assertEqual(base32.decode(form), data)

    def test_round_trip(self):
        for length in range(70):
            data = bytes([(i * 37 + length) & 255 for i in range(length)])
            self.assertEqual(base32.decode(base32.encode(data)), data)
            self.assertEqual(base32.decode(base32.encode(bytes(length))), bytes(length))

    def test_left_over_bits_are_ignored(self):
        self.assertEqual(base32.decode("MZ"), b"f")

    def check_refused(self, text, error):
        with self.assertRaises(error) as caught:
            base32.decode(text)
        self.assertIs(type(caught.exception), error)
        self.assertEqual([part for part in str(caught.exception).split() if part == text], [])

    def test_wrong_symbols(self):
        for text in (
            "MZXW6YT1",
            "MZXW6YT0",
            "MZXW6YT8",
            "MZXW 6YT",
            "MZXW-6YT",
            "MZXW6YT\x00",
            "MY=A====",
            "=MZXW6YT",
        ):
            self.check_refused(text, ERROR)

    def test_impossible_lengths(self):
        for text in (
            "M",
            "MZX",
            "MZXW6Y",
            "========",
            "=",
            "MZXW6YTB========",
            "MZXW6YTBO",
            "MY=====",
            "MY=======",
        ):
            if text == "MY=====":  # completed to the right padding, as PyPI's pyotp does
                self.assertEqual(base32.decode(text), b"f")
            else:
                self.check_refused(text, ERROR)

    def test_other_than_ascii(self):
        self.check_refused("MZXW6YT\u0131", ValueError)
        self.check_refused("\uff2d" * 8, ValueError)

    def test_other_types(self):
        for value in (None, 5, ["M"] * 8, b"MY"):
            with self.assertRaises(TypeError):
                base32.decode(value)


if __name__ == "__main__":
    unittest.main()
