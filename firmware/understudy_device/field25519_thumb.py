# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# ruff: noqa: F821, PLR0915 -- the assembler's registers and instructions are no Python names
"""Arithmetic modulo 2^255 - 19 in Thumb assembler, for a Cortex-M0+ whose multiplier gives the low 32 bits.

An element is 32 bytes, little-endian, below 2^256 and not fully reduced: 8 words for additions, 16 halfwords
for products. `run` interprets a program of 4-byte steps over numbered elements of one work area, so that a
rung of a ladder is one call. Time and addresses depend on the program only, not on the elements or the
exchange flag.
"""

import micropython
from micropython import const

# Steps are bytes (operation, result, operand, operand); the operands may be the result. Sums and differences
# need operands below 2^255 + 2^24, which products are and sums are not.
END = const(0)
MUL = const(1)
ADD = const(2)
SUB = const(3)
SWAP = const(4)  # exchanges two elements from the result on with two from the operand on, if the flag is 1
MUL_A24 = const(5)  # times 121665

# The first four elements of the work area are scratch of the multiplication: the product at byte 0, the
# second factor with its halfwords reversed at 68, between two halfwords that must be zero. The others are the
# caller's.

# The multiplication's rung as machine code, since it is needed 17 times over:
#   ldrh r5, [r0, n]; mul r6, r5; add r2, r2, r6; adc r3, r1     first column
#   ldrh r6, [r1, n]; mul r5, r6; add r4, r4, r5; adc r7, r1     second column
_LD5 = const(0x8805)  # plus 64 for each halfword of offset
_MU6 = const(0x436E)
_AD2 = const(0x1992)
_AC3 = const(0x414B)
_LD6 = const(0x880E)
_MU5 = const(0x4375)
_AD4 = const(0x1964)
_AC7 = const(0x414F)


@micropython.asm_thumb
def run(r0, r1, r2):
    """Run the program at r0 over the work area at r1, with exchange flag r2 (0 or 1)."""
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    push({r4, r5, r6, r7})
    neg(r2, r2)
    mov(r8, r0)  # r8 program, r9 work area, r10 mask for the exchange
    mov(r9, r1)
    mov(r10, r2)

    label(NEXT)
    mov(r7, r8)
    ldrb(r3, [r7, 0])
    ldrb(r0, [r7, 1])
    ldrb(r1, [r7, 2])
    ldrb(r2, [r7, 3])
    add(r7, 4)
    mov(r8, r7)
    mov(r7, r9)
    lsl(r0, r0, 5)
    add(r0, r0, r7)  # r0 address of the result, r1 and r2 of the operands
    lsl(r1, r1, 5)
    add(r1, r1, r7)
    lsl(r2, r2, 5)
    add(r2, r2, r7)
    mov(r7, 0)  # counts bytes in the loops below
    mov(r4, 0)
    cmp(r3, 1)
    bhi(NO_PRODUCT)
    beq(GO_PRODUCT)
    pop({r4, r5, r6, r7})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    b(FINISH)
    label(GO_PRODUCT)
    b(PRODUCT)
    label(NO_PRODUCT)
    cmp(r3, 4)
    beq(EXCHANGE)
    bhi(TIMES_A24)
    sub(r3, 2)
    mov(r4, r3)  # SUB: add the complement, with a carry to begin with
    neg(r3, r3)

    # r3 mask of the complement, r4 carry. A carry out of 2^256 counts 38, and SUB gave one too much.
    label(SUM)
    ldr(r5, [r1, 0])
    ldr(r6, [r2, 0])
    eor(r6, r3)
    lsr(r4, r4, 1)
    adc(r5, r6)
    adc(r4, r4)
    str(r5, [r0, 0])
    add(r0, 4)
    add(r1, 4)
    add(r2, 4)
    add(r7, 4)
    cmp(r7, 32)
    bne(SUM)
    sub(r0, 32)
    add(r4, r4, r3)
    mov(r5, 38)
    mul(r5, r4)

    # Add the small signed number in r5 to the element at r0.
    label(ADD_SMALL)
    asr(r3, r5, 31)
    mov(r4, 0)
    mov(r6, 8)
    label(ADD_SMALL_WORD)
    ldr(r7, [r0, 0])
    lsr(r4, r4, 1)
    adc(r7, r5)
    adc(r4, r4)
    str(r7, [r0, 0])
    mov(r5, r3)
    add(r0, 4)
    sub(r6, 1)
    bne(ADD_SMALL_WORD)
    b(NEXT)

    label(EXCHANGE)
    mov(r6, r10)
    label(EXCHANGE_WORD)
    ldr(r2, [r0, 0])
    ldr(r3, [r1, 0])
    mov(r4, r2)
    eor(r4, r3)
    and_(r4, r6)
    eor(r2, r4)
    eor(r3, r4)
    str(r2, [r0, 0])
    str(r3, [r1, 0])
    add(r0, 4)
    add(r1, 4)
    add(r7, 4)
    cmp(r7, 64)
    bne(EXCHANGE_WORD)
    b(NEXT)

    # 121665 = 2^16 + 56129: a halfword of the result takes two of the operand. r2 56129, r4 the halfword
    # before.
    label(TIMES_A24)
    mov(r2, 0xDB)
    lsl(r2, r2, 8)
    add(r2, 0x41)
    mov(r3, 0)
    label(TIMES_A24_HALFWORD)
    ldrh(r5, [r1, 0])
    mov(r6, r5)
    mul(r5, r2)
    add(r5, r5, r4)
    add(r5, r5, r3)
    strh(r5, [r0, 0])
    lsr(r3, r5, 16)
    mov(r4, r6)
    add(r0, 2)
    add(r1, 2)
    add(r7, 2)
    cmp(r7, 32)
    bne(TIMES_A24_HALFWORD)
    add(r3, r3, r4)
    b(FOLD_TOP)

    # The product, by columns, two at a time. The second factor is stored in reverse, so that within a column
    # both factors are read in the same direction, and n terms are the last n rungs of one unrolled chain.
    label(PRODUCT)
    mov(r11, r0)
    mov(r4, r9)
    add(r4, 68)
    mov(r7, r4)
    add(r4, 32)
    mov(r6, 16)
    label(REVERSE)
    ldr(r3, [r2, 0])
    ror(r3, r6)
    add(r2, 4)
    sub(r4, 4)
    str(r3, [r4, 0])
    cmp(r4, r7)
    bne(REVERSE)

    mov(r0, r1)
    mov(r1, r7)
    add(r1, 28)
    mov(r2, 0)
    mov(r14, r9)  # r14 where the next word of the product goes
    mov(r5, 228)
    mov(r12, r5)  # r12 where to enter the chain: 16 bytes of code a rung

    # r0, r1 the factors; r3:r2 the sum of the lower column, r7:r4 of the upper; r5, r6 halfwords. No register
    # is left for a zero, so carries are added together with r1, and what that comes to is taken off
    # beforehand.
    label(COLUMNS)
    lsr(r3, r5, 4)
    sub(r3, 16)
    mul(r3, r1)
    sub(r7, r3, r1)
    mov(r4, 0)
    mov(r6, r15)
    add(r6, r6, r5)
    mov(r5, 0)
    mov(r15, r6)
    data(2, _LD6 + 1024, _MU5, _AD4, _AC7)  # half a rung: its first column would only add zero
    data(2, _LD5 + 960, _MU6, _AD2, _AC3, _LD6 + 960, _MU5, _AD4, _AC7)
    data(2, _LD5 + 896, _MU6, _AD2, _AC3, _LD6 + 896, _MU5, _AD4, _AC7)
    data(2, _LD5 + 832, _MU6, _AD2, _AC3, _LD6 + 832, _MU5, _AD4, _AC7)
    data(2, _LD5 + 768, _MU6, _AD2, _AC3, _LD6 + 768, _MU5, _AD4, _AC7)
    data(2, _LD5 + 704, _MU6, _AD2, _AC3, _LD6 + 704, _MU5, _AD4, _AC7)
    data(2, _LD5 + 640, _MU6, _AD2, _AC3, _LD6 + 640, _MU5, _AD4, _AC7)
    data(2, _LD5 + 576, _MU6, _AD2, _AC3, _LD6 + 576, _MU5, _AD4, _AC7)
    data(2, _LD5 + 512, _MU6, _AD2, _AC3, _LD6 + 512, _MU5, _AD4, _AC7)
    data(2, _LD5 + 448, _MU6, _AD2, _AC3, _LD6 + 448, _MU5, _AD4, _AC7)
    data(2, _LD5 + 384, _MU6, _AD2, _AC3, _LD6 + 384, _MU5, _AD4, _AC7)
    data(2, _LD5 + 320, _MU6, _AD2, _AC3, _LD6 + 320, _MU5, _AD4, _AC7)
    data(2, _LD5 + 256, _MU6, _AD2, _AC3, _LD6 + 256, _MU5, _AD4, _AC7)
    data(2, _LD5 + 192, _MU6, _AD2, _AC3, _LD6 + 192, _MU5, _AD4, _AC7)
    data(2, _LD5 + 128, _MU6, _AD2, _AC3, _LD6 + 128, _MU5, _AD4, _AC7)
    data(2, _LD5 + 64, _MU6, _AD2, _AC3, _LD6 + 64, _MU5, _AD4, _AC7)
    data(2, _LD5, _MU6, _AD2, _AC3, _LD6, _MU5, _AD4, _AC7)
    # Join the two columns to a word of the product and a carry, which stays in r2.
    lsl(r5, r4, 16)
    lsr(r4, r4, 16)
    lsl(r7, r7, 16)
    orr(r4, r7)
    add(r2, r2, r5)
    adc(r3, r4)
    mov(r5, r14)
    str(r2, [r5, 0])
    add(r5, 4)
    mov(r14, r5)
    mov(r2, r3)

    # Lower half: entries 228, 196 .. 4, the second factor moves. Upper: 20, 52 .. 244, the first moves.
    mov(r5, r12)
    lsr(r6, r5, 5)
    bcs(UPPER)
    sub(r1, 4)
    sub(r5, 32)
    bcs(AGAIN)
    add(r1, 2)
    add(r0, 2)
    mov(r5, 20)
    b(AGAIN)
    label(UPPER)
    add(r0, 4)
    add(r5, 32)
    cmp(r5, 255)
    bhi(REDUCE)
    label(AGAIN)
    mov(r12, r5)
    b(COLUMNS)

    # 2^256 is 38: fold the upper half of the product onto the lower one.
    label(REDUCE)
    mov(r1, r9)
    mov(r0, r11)
    mov(r2, 38)
    mov(r3, 0)
    mov(r6, 16)
    label(FOLD)
    ldrh(r5, [r1, 32])
    mul(r5, r2)
    ldrh(r4, [r1, 0])
    add(r5, r5, r4)
    add(r5, r5, r3)
    strh(r5, [r0, 0])
    lsr(r3, r5, 16)
    add(r1, 2)
    add(r0, 2)
    sub(r6, 1)
    bne(FOLD)
    # 2^255 is 19: r3 times 2^256 and the top bit of the last halfword, r5.
    label(FOLD_TOP)
    lsl(r4, r5, 16)
    lsr(r4, r4, 31)
    lsl(r3, r3, 1)
    add(r3, r3, r4)
    lsl(r5, r5, 17)
    lsr(r5, r5, 17)
    sub(r0, 2)
    strh(r5, [r0, 0])
    mov(r5, 19)
    mul(r5, r3)
    sub(r0, 30)
    b(ADD_SMALL)
    label(FINISH)
