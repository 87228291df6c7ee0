# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Frames: round trips, junk before, between and inside them, and the bounds."""

import unittest

from understudy_device import wire
from understudy_device.compat import sha256
from understudy_device.protocol import MAX_PAYLOAD


def noise(count):
    """`count` bytes of anything, the same in each run."""
    out = b""
    while len(out) < count:
        out += sha256(b"noise%d" % len(out))
    return out[:count]


def frames(chunks):
    """All good frames that a reader finds in the chunks."""
    reader = wire.LineReader()
    return [frame for chunk in chunks for frame in map(wire.decode, reader.feed(chunk)) if frame is not None]


class RoundTrip(unittest.TestCase):
    def test_every_byte_value_survives(self):
        payload = bytes(range(256))
        self.assertEqual(wire.decode(wire.encode(0x31, payload)), (0x31, payload))

    def test_sequences_around_the_escapes_survive(self):
        special = [
            b"\x1b",
            b"\x1b\x01",
            b"\x1b\x02",
            b"\x1b\x03",
            b"\n",
            b"\x16",
            b"\x01",
            b"\x02",
            b"\x03",
            b"\x1b\x1b\x01",
        ]
        for a in special:
            for b in special:
                self.assertEqual(wire.decode(wire.encode(0x1B, a + b + a)), (0x1B, a + b + a))

    def test_delimiters_stand_only_at_the_ends(self):
        line = wire.encode(0x16, b"\n\x16" * 20)
        self.assertEqual((line.count(b"\n"), line.count(b"\x16")), (1, 1))

    def test_empty_and_largest(self):
        for payload in (b"", b"\n" * MAX_PAYLOAD):
            line = wire.encode(10, payload)
            self.assertTrue(len(line) <= wire.MAX_LINE)
            self.assertEqual(wire.decode(line), (10, payload))

    def test_over_the_largest_is_refused(self):
        with self.assertRaises(ValueError):
            wire.encode(1, bytes(MAX_PAYLOAD + 1))


class Junk(unittest.TestCase):
    good = wire.encode(1, b"hello")

    def found(self, *chunks):
        self.assertEqual(frames(chunks + (self.good,))[-1], (1, b"hello"))

    def test_nothing_is_no_line(self):
        self.assertEqual(wire.LineReader().feed(b""), [])

    def test_modem_commands(self):
        self.found(b"AT\r\nATZ\r\nAT+GCAP\r", b"~\x00x\xf0~")

    def test_ten_thousand_random_bytes(self):
        self.found(noise(10000))
        self.found(*[noise(10000)[i : i + 7] for i in range(0, 10000, 7)])

    def test_ten_thousand_bytes_without_a_line_end(self):
        self.found(b"A" * 10000)
        self.found(b"\x16" + b"A" * 10000)
        self.found(*[b"\x16A" * 25] * 200)

    def test_half_a_frame_and_then_a_whole_one(self):
        for cut in range(len(self.good)):
            self.assertEqual(frames([self.good[:cut], self.good]), [(1, b"hello")])

    def test_byte_by_byte(self):
        self.assertEqual(frames([bytes((b,)) for b in self.good * 3]), [(1, b"hello")] * 3)

    def test_any_changed_byte_is_noticed(self):
        for i in range(1, len(self.good) - 1):
            for bit in range(8):
                bad = bytearray(self.good)
                bad[i] ^= 1 << bit
                self.assertFalse((1, b"hello") in frames([bytes(bad)]))

    def test_wrong_length_with_a_right_checksum(self):
        from binascii import crc32

        for claimed in (0, 4, 6, 0xFFFF):
            body = bytes((1, claimed >> 8, claimed & 0xFF)) + b"hello"
            line = b"\x16" + body + crc32(body).to_bytes(4, "big") + b"\n"
            self.assertIsNone(wire.decode(line))

    def test_memory_is_bounded(self):
        reader = wire.LineReader()
        for _ in range(100):
            reader.feed(b"\x16" + b"B" * 1000)
            self.assertTrue(len(reader._pending) <= wire.MAX_LINE + 1001)


if __name__ == "__main__":
    unittest.main()
