# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""X25519 (RFC 7748 section 5) on the interpreter's big integers.

The portable back end: right on every interpreter, slow on a microcontroller, and only roughly constant in
time, because big integers are. Boards with a Thumb processor use `x25519_thumb` instead, hosts use a library.
"""

from .errors import AuthenticationFailed

P = (1 << 255) - 19
_A24 = 121665
BASE_POINT = b"\x09" + bytes(31)


def clamp(private: bytes) -> bytearray:
    """Return a 32-byte private key with the five fixed bits set (RFC 7748 section 5, decodeScalar25519)."""
    if len(private) != 32:
        raise ValueError("a private key has 32 bytes")
    scalar = bytearray(private)
    scalar[0] &= 248
    scalar[31] = (scalar[31] & 127) | 64
    return scalar


def _step(u: int, x2: int, z2: int, x3: int, z3: int) -> tuple:
    """One rung: double (x2 : z2), and add it to (x3 : z3), which differs from it by u."""
    a = x2 + z2
    b = x2 - z2
    da = (x3 - z3) * a % P
    cb = (x3 + z3) * b % P
    aa = a * a % P
    bb = b * b % P
    e = aa - bb
    plus = da + cb
    minus = da - cb
    return aa * bb % P, e * (aa + _A24 * e) % P, plus * plus % P, minus * minus % P * u % P


def _ladder(scalar: bytearray, u: int) -> int:
    """Return the u coordinate of scalar times the point at u."""
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for index in range(254, -1, -1):
        bit = (scalar[index >> 3] >> (index & 7)) & 1
        mask = -(swap ^ bit)
        swap = bit
        # Exchange under a mask instead of a branch: no choice depends on the key.
        dx = mask & (x2 ^ x3)
        dz = mask & (z2 ^ z3)
        x2, z2, x3, z3 = _step(u, x2 ^ dx, z2 ^ dz, x3 ^ dx, z3 ^ dz)
    dx = -swap & (x2 ^ x3)
    dz = -swap & (z2 ^ z3)
    return (x2 ^ dx) * pow(z2 ^ dz, P - 2, P) % P


def x25519(private: bytes, public: bytes) -> bytes:
    """Return the 32-byte shared secret of a 32-byte private and a 32-byte public key.

    Raises AuthenticationFailed for a public key of small order: the secret would be zero (RFC 7748, 6.1).
    """
    if len(public) != 32:
        raise ValueError("a public key has 32 bytes")
    # The top bit of a public key is ignored (RFC 7748 section 5).
    u = int.from_bytes(public, "little") & ((1 << 255) - 1)
    shared = _ladder(clamp(private), u % P)
    if not shared:
        raise AuthenticationFailed("the public key has small order")
    return shared.to_bytes(32, "little")


def x25519_base(private: bytes) -> bytes:
    """Return the 32-byte public key of a 32-byte private key."""
    return x25519(private, BASE_POINT)
