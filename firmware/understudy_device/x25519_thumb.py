# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""X25519 (RFC 7748 section 5) on the assembler's field arithmetic.

Constant in time; the ladder allocates nothing. Not re-entrant: there is one work area, wiped after every use.
"""

from micropython import const

from .errors import AuthenticationFailed
from .field25519_thumb import ADD, END, MUL, MUL_A24, SUB, SWAP, run
from .x25519 import BASE_POINT, P, clamp

# Elements of the work area. x2, z2 and x3, z3 are neighbours, for the exchange.
_X1 = const(4)
_X2 = const(5)
_Z2 = const(6)
_X3 = const(7)
_Z3 = const(8)
_A = const(9)
_B = const(10)
_C = const(11)
_SIZE = const(12 * 32)

# RFC 7748's ladder step, in an order that needs three temporary elements.
_RUNG = bytes(
    byte
    for step in (
        (SWAP, _X2, _X3, 0),
        (ADD, _A, _X2, _Z2),
        (SUB, _B, _X2, _Z2),
        (ADD, _C, _X3, _Z3),
        (SUB, _Z3, _X3, _Z3),
        (MUL, _Z3, _Z3, _A),
        (MUL, _C, _C, _B),
        (MUL, _X2, _A, _A),
        (MUL, _Z2, _B, _B),
        (ADD, _X3, _Z3, _C),
        (MUL, _X3, _X3, _X3),
        (SUB, _Z3, _Z3, _C),
        (MUL, _Z3, _Z3, _Z3),
        (MUL, _Z3, _Z3, _X1),
        (SUB, _A, _X2, _Z2),
        (MUL_A24, _B, _A, 0),
        (ADD, _B, _B, _X2),
        (MUL, _X2, _X2, _Z2),
        (MUL, _Z2, _A, _B),
        (END, 0, 0, 0),
    )
    for byte in step
)
_LAST_SWAP = bytes((SWAP, _X2, _X3, 0, END, 0, 0, 0))

# x2 / z2 by Fermat, z2 to the power of 2^255 - 21: (result, operand, squarings of it, then times).
_INVERSION = (
    (_A, _Z2, 1, 0),
    (_B, _A, 2, _Z2),  # 9
    (_A, _A, 0, _B),  # 11
    (_C, _A, 1, _B),  # 2^5 - 1
    (_B, _C, 5, _C),  # 2^10 - 1
    (_C, _B, 10, _B),
    (_X3, _C, 20, _C),
    (_X3, _X3, 10, _B),  # 2^50 - 1
    (_B, _X3, 50, _X3),
    (_C, _B, 100, _B),
    (_C, _C, 50, _X3),  # 2^250 - 1
    (_C, _C, 5, _A),
    (_X2, _C, 0, _X2),
)

_ZEROS = bytes(_SIZE)
_work = bytearray(_SIZE)


def _put(element: int, value: bytes) -> None:
    _work[element * 32 : element * 32 + 32] = value


def _divide() -> None:
    """Leave x2 / z2 in x2."""
    for result, operand, squarings, factor in _INVERSION:
        program = b""
        if squarings:
            program = bytes((MUL, result, operand, operand))
            program += bytes((MUL, result, result, result)) * (squarings - 1)
        if factor:
            program += bytes((MUL, result, result if squarings else operand, factor))
        run(program + bytes(4), _work, 0)


def x25519(private: bytes, public: bytes) -> bytes:
    """Return the 32-byte shared secret of a 32-byte private and a 32-byte public key.

    Raises AuthenticationFailed for a public key of small order: the secret would be zero (RFC 7748, 6.1).
    """
    if len(public) != 32:
        raise ValueError("a public key has 32 bytes")
    scalar = clamp(private)
    u = bytearray(public)
    u[31] &= 127  # the top bit of a public key is ignored (RFC 7748 section 5)
    _work[:] = _ZEROS
    _put(_X1, u)
    _put(_X3, u)
    _work[_X2 * 32] = _work[_Z3 * 32] = 1
    swap = 0
    for index in range(254, -1, -1):
        bit = (scalar[index >> 3] >> (index & 7)) & 1
        run(_RUNG, _work, swap ^ bit)
        swap = bit
    run(_LAST_SWAP, _work, swap)
    _divide()
    shared = int.from_bytes(_work[_X2 * 32 : _X2 * 32 + 32], "little") % P
    _work[:] = _ZEROS
    if not shared:
        raise AuthenticationFailed("the public key has small order")
    return shared.to_bytes(32, "little")


def x25519_base(private: bytes) -> bytes:
    """Return the 32-byte public key of a 32-byte private key."""
    return x25519(private, BASE_POINT)
