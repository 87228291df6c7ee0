# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Random secrets, from the operating system's or the chip's source."""

import os

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_HEX = "ABCDEF0123456789"


def random_base32(length=32, chars=_BASE32):
    """Return `length` characters drawn from the sequence `chars`. Raises ValueError below 32: 160 bits of
    base32."""
    if length < 32:
        raise ValueError("a secret must be at least 160 bits long")
    return "".join([chars[_below(len(chars))] for _ in range(length)])


def random_hex(length=40, chars=_HEX):
    """Return `length` characters drawn from `chars`. Raises ValueError below 40: 160 bits of hexadecimal."""
    if length < 40:
        raise ValueError("a secret must be at least 160 bits long")
    return random_base32(length, chars)


def _below(limit):
    """Return a random integer from 0 to limit - 1, each equally likely. Raises IndexError if there is
    none."""
    if not limit:
        raise IndexError("no characters to choose from")
    size = 1
    while 256**size < limit:
        size += 1
    # Draws in the incomplete last round of `limit` values would favour the low ones: drawn again.
    fair = 256**size - 256**size % limit
    while True:
        value = int.from_bytes(os.urandom(size), "big")
        if value < fair:
            return value % limit
