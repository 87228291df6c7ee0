# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# ruff: noqa: F821, PLR0915 -- the assembler's registers and instructions are no Python names
"""The ChaCha20 stream cipher (RFC 8439 section 2.4) in Thumb assembler; not re-entrant."""

import micropython
from micropython import const

# The work area: 16 words of state, 16 of the block in the making, then this table of byte offsets into the
# latter: the words of the four column and the four diagonal quarter rounds (RFC 8439 section 2.3).
_QUARTERS = bytes(
    4 * word
    for quarter in (
        (0, 4, 8, 12),
        (1, 5, 9, 13),
        (2, 6, 10, 14),
        (3, 7, 11, 15),
        (0, 5, 10, 15),
        (1, 6, 11, 12),
        (2, 7, 8, 13),
        (3, 4, 9, 14),
    )
    for word in quarter
)
_work = bytearray(b"expand 32-byte k" + bytes(112) + _QUARTERS)
_WORD = const(0xFFFFFFFF)


@micropython.asm_thumb
def _start(r0, r1, r2, r3):
    """Put the 32 bytes of key at r1, the 12 of nonce at r2 and block number r3 into the state at r0."""
    str(r3, [r0, 48])
    add(r0, 16)
    mov(r4, 32)
    label(KEY)
    ldrb(r3, [r1, 0])
    strb(r3, [r0, 0])
    add(r1, 1)
    add(r0, 1)
    sub(r4, 1)
    bne(KEY)
    add(r0, 4)
    mov(r4, 12)
    label(NONCE)
    ldrb(r3, [r2, 0])
    strb(r3, [r0, 0])
    add(r2, 1)
    add(r0, 1)
    sub(r4, 1)
    bne(NONCE)


@micropython.asm_thumb
def _xor(r0, r1, r2):
    """XOR the r2 bytes at r1 with the key stream of the state at r0, and count the state's blocks up."""
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    push({r4, r5, r6, r7})
    mov(r8, r0)  # r8 state, r9 data, r10 bytes to do
    mov(r9, r1)
    mov(r10, r2)

    label(BLOCK)
    mov(r4, r10)
    cmp(r4, 0)
    bne(MORE)
    pop({r4, r5, r6, r7})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    b(END)

    label(MORE)
    mov(r0, r8)
    mov(r2, 16)
    label(COPY)
    ldr(r1, [r0, 0])
    str(r1, [r0, 64])
    add(r0, 4)
    sub(r2, 1)
    bne(COPY)
    mov(r6, r0)  # r6 the block
    mov(r0, 10)
    mov(r11, r0)  # r11 double rounds to do

    label(DOUBLE_ROUND)
    mov(r7, r6)
    add(r7, 64)  # r7 the table
    mov(r0, 8)
    mov(r12, r0)  # r12 quarter rounds to do
    label(QUARTER_ROUND)
    ldrb(r4, [r7, 0])
    add(r4, r4, r6)
    ldr(r0, [r4, 0])
    ldrb(r4, [r7, 1])
    add(r4, r4, r6)
    ldr(r1, [r4, 0])
    ldrb(r4, [r7, 2])
    add(r4, r4, r6)
    ldr(r2, [r4, 0])
    ldrb(r4, [r7, 3])
    add(r4, r4, r6)
    ldr(r3, [r4, 0])
    add(r0, r0, r1)
    eor(r3, r0)
    mov(r5, 16)
    ror(r3, r5)
    add(r2, r2, r3)
    eor(r1, r2)
    mov(r5, 20)
    ror(r1, r5)
    add(r0, r0, r1)
    eor(r3, r0)
    mov(r5, 24)
    ror(r3, r5)
    str(r3, [r4, 0])
    add(r2, r2, r3)
    eor(r1, r2)
    mov(r5, 25)
    ror(r1, r5)
    ldrb(r4, [r7, 0])
    add(r4, r4, r6)
    str(r0, [r4, 0])
    ldrb(r4, [r7, 1])
    add(r4, r4, r6)
    str(r1, [r4, 0])
    ldrb(r4, [r7, 2])
    add(r4, r4, r6)
    str(r2, [r4, 0])
    add(r7, 4)
    mov(r0, r12)
    sub(r0, 1)
    mov(r12, r0)
    bne(QUARTER_ROUND)
    mov(r0, r11)
    sub(r0, 1)
    mov(r11, r0)
    bne(DOUBLE_ROUND)

    mov(r0, r8)
    mov(r3, 16)
    label(ADD_STATE)
    ldr(r1, [r0, 0])
    ldr(r2, [r0, 64])
    add(r1, r1, r2)
    str(r1, [r0, 64])
    add(r0, 4)
    sub(r3, 1)
    bne(ADD_STATE)
    mov(r0, r8)
    ldr(r1, [r0, 48])
    add(r1, 1)
    str(r1, [r0, 48])

    mov(r0, r6)
    mov(r1, r9)
    mov(r2, r10)
    mov(r3, 64)
    cmp(r2, 64)
    bcs(WHOLE)
    mov(r3, r2)
    label(WHOLE)
    sub(r2, r2, r3)
    mov(r10, r2)
    label(BYTE)
    ldrb(r4, [r0, 0])
    ldrb(r5, [r1, 0])
    eor(r4, r5)
    strb(r4, [r1, 0])
    add(r0, 1)
    add(r1, 1)
    sub(r3, 1)
    bne(BYTE)
    mov(r9, r1)
    b(BLOCK)
    label(END)


def chacha20_xor(key: bytes, counter: int, nonce: bytes, data: bytes) -> bytes:
    """Return data XORed with the key stream: the same call encrypts and decrypts.

    key has 32 bytes, nonce 12; counter is the number of the first 64-byte block.
    """
    if len(key) != 32 or len(nonce) != 12:
        raise ValueError("a key has 32 bytes, a nonce 12")
    out = bytearray(data)
    _start(_work, key, nonce, counter & _WORD)
    _xor(_work, out, len(out))
    return bytes(out)
