# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""HKDF-SHA256 (RFC 5869)."""

from .compat import hmac_sha256

HASH_SIZE = 32


def hkdf_extract(salt: bytes, key_material: bytes) -> bytes:
    """Return a 32-byte pseudo-random key (RFC 5869 section 2.2); an empty salt counts as 32 zero bytes."""
    return hmac_sha256(salt, key_material)


def hkdf_expand(pseudo_random_key: bytes, info: bytes, length: int) -> bytes:
    """Return length bytes of output key material, 8160 at most (RFC 5869 section 2.3)."""
    if not 0 <= length <= 255 * HASH_SIZE:
        raise ValueError("hkdf length out of range")
    output = block = b""
    counter = 0
    while len(output) < length:
        counter += 1
        block = hmac_sha256(pseudo_random_key, block + info + bytes((counter,)))
        output += block
    return output[:length]


def hkdf(salt: bytes, key_material: bytes, info: bytes, length: int) -> bytes:
    """Extract, then expand: length bytes derived from key_material for the purpose named by info."""
    return hkdf_expand(hkdf_extract(salt, key_material), info, length)
