# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""AEAD_CHACHA20_POLY1305 (RFC 8439 section 2.8) over a pair of primitives.

The primitives are passed in, so that the same few lines serve the portable and the assembler back end.
"""

import struct

from .errors import AuthenticationFailed

TAG_SIZE = 16
_ZEROS = bytes(64)


def equal_bytes(a: bytes, b: bytes) -> bool:
    """Compare two byte strings in a time that depends on their lengths only."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0


class ChaCha20Poly1305:
    """The AEAD over chacha20_xor(key, counter, nonce, data) and poly1305(key, message)."""

    def __init__(self, chacha20_xor, poly1305) -> None:
        self._xor = chacha20_xor
        self._poly1305 = poly1305

    def _tag(self, one_time_key: bytes, ad: bytes, ciphertext: bytes) -> bytes:
        message = b"".join(
            (
                ad,
                _ZEROS[: -len(ad) & 15],
                ciphertext,
                _ZEROS[: -len(ciphertext) & 15],
                struct.pack("<QQ", len(ad), len(ciphertext)),
            )
        )
        return self._poly1305(one_time_key, message)

    def seal(self, key: bytes, nonce: bytes, ad: bytes, plaintext: bytes) -> bytes:
        """Return ciphertext and 16-byte tag; key has 32 bytes, nonce 12, never twice the same pair."""
        # Block 0 of the key stream is the one-time key; the text starts at block 1 (RFC 8439 section 2.6).
        output = self._xor(key, 0, nonce, _ZEROS + plaintext)
        ciphertext = output[64:]
        return ciphertext + self._tag(output[:32], ad, ciphertext)

    def open(self, key: bytes, nonce: bytes, ad: bytes, data: bytes) -> bytes:
        """Return the plaintext of ciphertext and tag; raises AuthenticationFailed and gives nothing away."""
        size = len(data) - TAG_SIZE
        if size < 0:
            raise AuthenticationFailed("message too short")
        ciphertext = data[:size]
        output = self._xor(key, 0, nonce, _ZEROS + ciphertext)
        if not equal_bytes(self._tag(output[:32], ad, ciphertext), data[size:]):
            raise AuthenticationFailed("message not authentic")
        return output[64:]
