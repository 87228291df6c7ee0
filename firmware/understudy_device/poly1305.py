# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Poly1305 authenticator (RFC 8439 section 2.5) on big integers, portable back end."""

_P = (1 << 130) - 5
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
_MASK = (1 << 128) - 1


def poly1305(key: bytes, message: bytes) -> bytes:
    """Return the 16-byte tag of a message under a 32-byte key that must be used once only."""
    if len(key) != 32:
        raise ValueError("a one-time key has 32 bytes")
    r = int.from_bytes(key[:16], "little") & _CLAMP
    s = int.from_bytes(key[16:], "little")
    accumulator = 0
    for start in range(0, len(message), 16):
        block = message[start : start + 16]
        # A set bit just above the block's last byte keeps trailing zero bytes from vanishing.
        accumulator += int.from_bytes(block, "little") + (1 << (8 * len(block)))
        accumulator = accumulator * r % _P
    return ((accumulator + s) & _MASK).to_bytes(16, "little")
