# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# ruff: noqa: F821, PLR0915 -- the assembler's registers and instructions are no Python names
"""The Poly1305 authenticator (RFC 8439 section 2.5) in Thumb assembler; not re-entrant.

Numbers are ten limbs of 13 bits in halfwords, so that a column of ten products, up to nine of them times
five, stays below 2^32. The work area: the accumulator at byte 0, the next one at 20, and at 40 the
multipliers: from r's top limb down to its lowest, then five times its top limb down to five times its second
(2^130 is 5).
"""

import micropython
from micropython import const

TOP_BIT = const(1 << 11)  # 2^128 in the tenth limb

work = bytearray(80)

# Multiply two limbs and add to r2, as machine code, since it is needed ten times over:
#   ldrh r4, [r0, n]; ldrh r5, [r1, n]; mul r4, r5; add r2, r2, r4
_LD4 = const(0x8804)  # plus 64 for each halfword of offset
_LD5 = const(0x880D)
_MUL = const(0x436C)
_ADD = const(0x1912)


@micropython.asm_thumb
def start(r0, r1):
    """Zero the work area at r0, and make the 16 bytes at r1, clamped, the multiplier."""
    mov(r2, 0)
    mov(r3, 80)
    label(ZERO)
    str(r2, [r0, 0])
    add(r0, 4)
    sub(r3, 4)
    bne(ZERO)
    sub(r0, 60)
    mov(r3, 16)
    label(COPY)
    ldrb(r2, [r1, 0])
    strb(r2, [r0, 0])
    add(r0, 1)
    add(r1, 1)
    sub(r3, 1)
    bne(COPY)
    sub(r0, 16)

    # RFC 8439 section 2.5: four bits at the top of each word are clear, and two at the bottom of the last
    # three.
    mov(r2, 0)
    mvn(r2, r2)
    lsr(r2, r2, 4)
    ldr(r3, [r0, 0])
    and_(r3, r2)
    str(r3, [r0, 0])
    mov(r3, 3)
    bic(r2, r3)
    ldr(r3, [r0, 4])
    and_(r3, r2)
    str(r3, [r0, 4])
    ldr(r3, [r0, 8])
    and_(r3, r2)
    str(r3, [r0, 8])
    ldr(r3, [r0, 12])
    and_(r3, r2)
    str(r3, [r0, 12])

    # 13 bits at a time: r3 bits at hand, r4 their number, r1 where the multiplier goes.
    mov(r1, r0)
    add(r1, 38)
    mov(r2, 10)
    mov(r3, 0)
    mov(r4, 0)
    label(LIMB)
    cmp(r4, 13)
    bcs(ENOUGH)
    ldrh(r5, [r0, 0])
    add(r0, 2)
    lsl(r5, r4)
    orr(r3, r5)
    add(r4, 16)
    label(ENOUGH)
    lsl(r5, r3, 19)
    lsr(r5, r5, 19)
    strh(r5, [r1, 0])
    lsl(r6, r5, 2)
    add(r5, r5, r6)
    strh(r5, [r1, 20])
    sub(r1, 2)
    lsr(r3, r3, 13)
    sub(r4, 13)
    sub(r2, 1)
    bne(LIMB)


@micropython.asm_thumb
def absorb(r0, r1, r2, r3):
    """Absorb r2 (not 0) 16-byte blocks at r1, an even address, into the area at r0; r3 is the top bit."""
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    push({r4, r5, r6})
    mov(r8, r0)  # r8 work area, r9 blocks to do, r10 top bit, r12 data
    mov(r9, r2)
    mov(r10, r3)
    mov(r12, r1)

    # Add the block, 13 bits at a time: r4 bits at hand, r5 their number, r3 carry.
    label(BLOCK)
    mov(r0, r8)
    mov(r1, r12)
    mov(r2, 9)
    mov(r3, 0)
    mov(r4, 0)
    mov(r5, 0)
    label(LIMB)
    cmp(r5, 13)
    bcs(ENOUGH)
    ldrh(r6, [r1, 0])
    add(r1, 2)
    lsl(r6, r5)
    orr(r4, r6)
    add(r5, 16)
    label(ENOUGH)
    lsl(r6, r4, 19)
    lsr(r6, r6, 19)
    lsr(r4, r4, 13)
    sub(r5, 13)
    ldrh(r7, [r0, 0])
    add(r6, r6, r7)
    add(r6, r6, r3)
    lsr(r3, r6, 13)
    lsl(r6, r6, 19)
    lsr(r6, r6, 19)
    strh(r6, [r0, 0])
    add(r0, 2)
    sub(r2, 1)
    bne(LIMB)
    mov(r12, r1)
    ldrh(r7, [r0, 0])
    add(r7, r7, r3)
    add(r7, r7, r4)
    mov(r6, r10)
    add(r7, r7, r6)
    strh(r7, [r0, 0])

    # Multiply: r2 sum of the column and carry, r3 where the next limb goes.
    mov(r0, r8)
    mov(r1, r8)
    add(r1, 58)
    mov(r2, 0)
    mov(r3, r8)
    add(r3, 20)
    mov(r6, 10)
    label(COLUMN)
    data(2, _LD4, _LD5, _MUL, _ADD)
    data(2, _LD4 + 64, _LD5 + 64, _MUL, _ADD)
    data(2, _LD4 + 128, _LD5 + 128, _MUL, _ADD)
    data(2, _LD4 + 192, _LD5 + 192, _MUL, _ADD)
    data(2, _LD4 + 256, _LD5 + 256, _MUL, _ADD)
    data(2, _LD4 + 320, _LD5 + 320, _MUL, _ADD)
    data(2, _LD4 + 384, _LD5 + 384, _MUL, _ADD)
    data(2, _LD4 + 448, _LD5 + 448, _MUL, _ADD)
    data(2, _LD4 + 512, _LD5 + 512, _MUL, _ADD)
    data(2, _LD4 + 576, _LD5 + 576, _MUL, _ADD)
    lsl(r4, r2, 19)
    lsr(r4, r4, 19)
    strh(r4, [r3, 0])
    lsr(r2, r2, 13)
    add(r3, 2)
    sub(r1, 2)
    sub(r6, 1)
    bne(COLUMN)

    # The carry out of 2^130 counts five; then the new limbs become the accumulator.
    lsl(r4, r2, 2)
    add(r2, r2, r4)
    ldrh(r4, [r0, 20])
    add(r4, r4, r2)
    lsl(r5, r4, 19)
    lsr(r5, r5, 19)
    strh(r5, [r0, 20])
    lsr(r4, r4, 13)
    ldrh(r5, [r0, 22])
    add(r5, r5, r4)
    strh(r5, [r0, 22])
    mov(r6, 5)
    label(MOVE)
    ldr(r4, [r0, 20])
    str(r4, [r0, 0])
    add(r0, 4)
    sub(r6, 1)
    bne(MOVE)
    mov(r6, r9)
    sub(r6, 1)
    mov(r9, r6)
    bne(BLOCK)
    pop({r4, r5, r6})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)


@micropython.asm_thumb
def finish(r0, r1):
    """Reduce the accumulator of the work area at r0, add the 16 bytes at r1, leave the tag at byte 20."""
    mov(r12, r1)
    # The accumulator is below 2^130 + 2^23, since only its second limb may have more than 13 bits. If five
    # more reach 2^130, then 2^130 - 5 has to go: r3, five or zero, is added and the rest dropped.
    mov(r3, 5)
    mov(r1, 10)
    label(TRY_LIMB)
    ldrh(r4, [r0, 0])
    add(r3, r3, r4)
    lsr(r3, r3, 13)
    add(r0, 2)
    sub(r1, 1)
    bne(TRY_LIMB)
    sub(r0, 20)
    lsl(r4, r3, 2)
    add(r3, r3, r4)

    # Bytes out of limbs, plus the key's other half: r3 bits at hand, r4 their number, r2 carry, r6 the tag.
    mov(r1, r12)
    mov(r2, 0)
    mov(r4, 0)
    mov(r6, r0)
    add(r6, 20)
    mov(r7, 16)
    label(BYTE)
    cmp(r4, 8)
    bcs(ENOUGH)
    ldrh(r5, [r0, 0])
    add(r0, 2)
    lsl(r5, r4)
    add(r3, r3, r5)
    add(r4, 13)
    label(ENOUGH)
    ldrb(r5, [r1, 0])
    add(r1, 1)
    add(r2, r2, r5)
    lsl(r5, r3, 24)
    lsr(r5, r5, 24)
    add(r2, r2, r5)
    strb(r2, [r6, 0])
    lsr(r2, r2, 8)
    lsr(r3, r3, 8)
    sub(r4, 8)
    add(r6, 1)
    sub(r7, 1)
    bne(BYTE)


def poly1305(key: bytes, message: bytes) -> bytes:
    """Return the 16-byte tag of a message under a 32-byte key that must be used once only."""
    if len(key) != 32:
        raise ValueError("a one-time key has 32 bytes")
    start(work, key)
    blocks = len(message) >> 4
    if blocks:
        # A copy is aligned; a part of something else need not be.
        absorb(work, bytearray(message), blocks, TOP_BIT)
    if len(message) & 15:
        # The last block has its set bit right after its last byte.
        rest = bytearray(16)
        rest[: len(message) & 15] = message[blocks << 4 :]
        rest[len(message) & 15] = 1
        absorb(work, rest, 1, 0)
    finish(work, key[16:])
    return bytes(work[20:36])
