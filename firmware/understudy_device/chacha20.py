# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The ChaCha20 stream cipher (RFC 8439 section 2.4), portable back end."""

import struct

_CONSTANTS = b"expand 32-byte k"
_WORD = 0xFFFFFFFF
# The words of the four column and the four diagonal quarter rounds (RFC 8439 section 2.3).
_QUARTERS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


def _double_round(x: list) -> None:
    for a, b, c, d in _QUARTERS:
        xa, xb, xc, xd = x[a], x[b], x[c], x[d]
        xa = (xa + xb) & _WORD
        xd ^= xa
        xd = ((xd << 16) & _WORD) | (xd >> 16)
        xc = (xc + xd) & _WORD
        xb ^= xc
        xb = ((xb << 12) & _WORD) | (xb >> 20)
        xa = (xa + xb) & _WORD
        xd ^= xa
        xd = ((xd << 8) & _WORD) | (xd >> 24)
        xc = (xc + xd) & _WORD
        xb ^= xc
        x[a], x[b], x[c], x[d] = xa, ((xb << 7) & _WORD) | (xb >> 25), xc, xd


def _block(state: tuple) -> bytes:
    x = list(state)
    for _ in range(10):
        _double_round(x)
    return struct.pack("<16I", *[(x[i] + state[i]) & _WORD for i in range(16)])


def chacha20_xor(key: bytes, counter: int, nonce: bytes, data: bytes) -> bytes:
    """Return data XORed with the key stream: the same call encrypts and decrypts.

    key has 32 bytes, nonce 12; counter is the number of the first 64-byte block.
    """
    if len(key) != 32 or len(nonce) != 12:
        raise ValueError("a key has 32 bytes, a nonce 12")
    words = struct.unpack("<12I", _CONSTANTS + bytes(key))
    tail = struct.unpack("<3I", nonce)
    out = bytearray(data)
    for start in range(0, len(out), 64):
        stream = _block(words + ((counter + (start >> 6)) & _WORD,) + tail)
        for i in range(min(64, len(out) - start)):
            out[start + i] ^= stream[i]
    return bytes(out)
