# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The SHA-512 compression function on Python integers (FIPS 180-4, section 6.4.2).

Runs on every interpreter. `sha512_viper` does the same thirty times faster where MicroPython can make machine
code.
"""

import struct

from .sha512_tables import ROUND_CONSTANTS

_MASK = 0xFFFFFFFFFFFFFFFF
_K = struct.unpack(">80Q", ROUND_CONSTANTS)


def compress(state, data, offset):
    """Mix the 128 bytes of `data` at `offset` into `state` (bytearray of 64: eight big-endian words)."""
    w = _schedule(data, offset)
    start = struct.unpack_from(">8Q", state, 0)
    a, b, c, d, e, f, g, h = start
    for t in range(80):
        # x | x << 64 turns a rotation into one shift; bits above 64 are dropped by the masks below.
        e2 = e | e << 64
        a2 = a | a << 64
        t1 = h + (((e2 >> 14) ^ (e2 >> 18) ^ (e2 >> 41)) & _MASK) + (g ^ (e & (f ^ g))) + _K[t] + w[t]
        t2 = (((a2 >> 28) ^ (a2 >> 34) ^ (a2 >> 39)) & _MASK) + ((a & b) | (c & (a | b)))
        h, g, f, e = g, f, e, (d + t1) & _MASK
        d, c, b, a = c, b, a, (t1 + t2) & _MASK
    end = (a, b, c, d, e, f, g, h)
    for i in range(8):
        struct.pack_into(">Q", state, 8 * i, (start[i] + end[i]) & _MASK)


def _schedule(data, offset):
    """Return the 80 words of the message schedule of one block."""
    w = list(struct.unpack_from(">16Q", data, offset))
    for t in range(16, 80):
        x = w[t - 15]
        y = w[t - 2]
        x2 = x | x << 64
        y2 = y | y << 64
        s0 = (((x2 >> 1) ^ (x2 >> 8)) & _MASK) ^ (x >> 7)
        s1 = (((y2 >> 19) ^ (y2 >> 61)) & _MASK) ^ (y >> 6)
        w.append((w[t - 16] + s0 + w[t - 7] + s1) & _MASK)
    return w
