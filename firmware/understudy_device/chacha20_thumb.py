# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# ruff: noqa: F821, PLR0915 -- the assembler's registers and instructions are no Python names
"""The ChaCha20 stream cipher (RFC 8439 section 2.4) in Thumb assembler; not re-entrant.

The work area: 16 words of state, then 16 of the block in the making.
"""

import micropython
from micropython import const

work = bytearray(b"expand 32-byte k" + bytes(112))
BLOCK_SIZE = const(64)
_WORD = const(0xFFFFFFFF)


@micropython.asm_thumb
def start(r0, r1, r2, r3):
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
def block(r0):
    """Leave the next 64 bytes of key stream behind the state at r0, and count its blocks up."""
    mov(r6, r0)
    add(r6, 64)  # r6 the block
    mov(r2, 16)
    label(COPY)
    ldr(r1, [r0, 0])
    str(r1, [r0, 64])
    add(r0, 4)
    sub(r2, 1)
    bne(COPY)

    mov(r7, 10)  # r7 double rounds to do
    label(DOUBLE_ROUND)
    # The words of the four column and the four diagonal quarter rounds (RFC 8439 section 2.3).
    ldr(r0, [r6, 0])
    ldr(r1, [r6, 16])
    ldr(r2, [r6, 32])
    ldr(r3, [r6, 48])
    bl(QUARTER)
    str(r0, [r6, 0])
    str(r1, [r6, 16])
    str(r2, [r6, 32])
    str(r3, [r6, 48])
    ldr(r0, [r6, 4])
    ldr(r1, [r6, 20])
    ldr(r2, [r6, 36])
    ldr(r3, [r6, 52])
    bl(QUARTER)
    str(r0, [r6, 4])
    str(r1, [r6, 20])
    str(r2, [r6, 36])
    str(r3, [r6, 52])
    ldr(r0, [r6, 8])
    ldr(r1, [r6, 24])
    ldr(r2, [r6, 40])
    ldr(r3, [r6, 56])
    bl(QUARTER)
    str(r0, [r6, 8])
    str(r1, [r6, 24])
    str(r2, [r6, 40])
    str(r3, [r6, 56])
    ldr(r0, [r6, 12])
    ldr(r1, [r6, 28])
    ldr(r2, [r6, 44])
    ldr(r3, [r6, 60])
    bl(QUARTER)
    str(r0, [r6, 12])
    str(r1, [r6, 28])
    str(r2, [r6, 44])
    str(r3, [r6, 60])
    ldr(r0, [r6, 0])
    ldr(r1, [r6, 20])
    ldr(r2, [r6, 40])
    ldr(r3, [r6, 60])
    bl(QUARTER)
    str(r0, [r6, 0])
    str(r1, [r6, 20])
    str(r2, [r6, 40])
    str(r3, [r6, 60])
    ldr(r0, [r6, 4])
    ldr(r1, [r6, 24])
    ldr(r2, [r6, 44])
    ldr(r3, [r6, 48])
    bl(QUARTER)
    str(r0, [r6, 4])
    str(r1, [r6, 24])
    str(r2, [r6, 44])
    str(r3, [r6, 48])
    ldr(r0, [r6, 8])
    ldr(r1, [r6, 28])
    ldr(r2, [r6, 32])
    ldr(r3, [r6, 52])
    bl(QUARTER)
    str(r0, [r6, 8])
    str(r1, [r6, 28])
    str(r2, [r6, 32])
    str(r3, [r6, 52])
    ldr(r0, [r6, 12])
    ldr(r1, [r6, 16])
    ldr(r2, [r6, 36])
    ldr(r3, [r6, 56])
    bl(QUARTER)
    str(r0, [r6, 12])
    str(r1, [r6, 16])
    str(r2, [r6, 36])
    str(r3, [r6, 56])
    sub(r7, 1)
    bne(DOUBLE_ROUND)
    b(ROUNDED)

    # Quarter round of r0 to r3; r5 is free.
    label(QUARTER)
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
    add(r2, r2, r3)
    eor(r1, r2)
    mov(r5, 25)
    ror(r1, r5)
    bx(lr)

    label(ROUNDED)
    mov(r0, r6)
    sub(r0, 64)
    mov(r3, 16)
    label(ADD_STATE)
    ldr(r1, [r0, 0])
    ldr(r2, [r0, 64])
    add(r1, r1, r2)
    str(r1, [r0, 64])
    add(r0, 4)
    sub(r3, 1)
    bne(ADD_STATE)
    sub(r0, 64)
    ldr(r1, [r0, 48])
    add(r1, 1)
    str(r1, [r0, 48])


@micropython.asm_thumb
def _add(r0, r1):
    """XOR the 64 bytes at r1, a multiple of four, with the block behind the state at r0."""
    mov(r2, 16)
    label(WORD)
    ldr(r3, [r0, 64])
    ldr(r4, [r1, 0])
    eor(r3, r4)
    str(r3, [r1, 0])
    add(r0, 4)
    add(r1, 4)
    sub(r2, 1)
    bne(WORD)


@micropython.viper
def xor(text, size: int):
    """XOR `size` bytes of a bytearray, made up to whole blocks, with the key stream of the state started."""
    state = work
    data = int(ptr8(text))
    done = 0
    while done < size:
        block(state)
        _add(state, data + done)
        done += BLOCK_SIZE


def chacha20_xor(key: bytes, counter: int, nonce: bytes, data: bytes) -> bytes:
    """Return data XORed with the key stream: the same call encrypts and decrypts.

    key has 32 bytes, nonce 12; counter is the number of the first 64-byte block.
    """
    if len(key) != 32 or len(nonce) != 12:
        raise ValueError("a key has 32 bytes, a nonce 12")
    size = len(data)
    out = bytearray(data) + bytes(-size & 63)
    start(work, key, nonce, counter & _WORD)
    xor(out, size)
    return bytes(out[:size])
