# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# ruff: noqa: F821
"""The SHA-512 compression function as machine code for MicroPython on 32-bit cores (FIPS 180-4, 6.4.2).

A 64-bit word is a pair of 32-bit words, high half first. Only `sha512` imports this: the decorator exists on
MicroPython alone, and on a 64-bit core viper's integers would not wrap at 32 bits.

The variables a..h are never moved. Round t writes one record (A high, A low, E high, E low) after the last: A
and E of the four rounds before are then a, b, c, d and e, f, g, h. Viper puts a constant index below 32 into
the load instruction and the first two variables of a function into registers; hence the moving pointers, and
the hottest variables as leading arguments. One call at a time: the buffers below are shared.
"""

import struct
from array import array

import micropython

from .sha512_tables import ROUND_CONSTANTS

_CONSTANTS = array("I", struct.unpack(">160I", ROUND_CONSTANTS))
_SCHEDULE = array("I", bytes(2 * 32 * 4))  # 16 words in use, 16 being made from them
_RECORDS = array("I", bytes(20 * 16))  # 4 rounds before, and 16 rounds


def compress(state, data, offset):
    """Mix the 128 bytes of `data` at `offset` into `state` (bytearray of 64: eight big-endian words)."""
    _load_schedule(_SCHEDULE, data, offset)
    _load_state(_RECORDS, state)
    _rounds(0, 0, _RECORDS, _SCHEDULE, _CONSTANTS, 0)
    for first in range(16, 80, 16):
        _expand(0, 0, _SCHEDULE)
        _rounds(0, 0, _RECORDS, _SCHEDULE, _CONSTANTS, first)
    _add_state(_RECORDS, state)


@micropython.viper
def _load_schedule(words: ptr32, data: ptr8, offset: int):
    """Read the 32 big-endian half words of one block."""
    p = ptr8(int(data) + offset)
    i = 0
    while i < 32:
        words[i] = p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]
        p = ptr8(int(p) + 4)
        i += 1


@micropython.viper
def _load_state(records: ptr32, state: ptr8):
    """Write the records of the four rounds before the first: (d, h), (c, g), (b, f), (a, e)."""
    p = state
    i = 0
    while i < 16:
        # Half word i of the state: variable i // 2, whose record is 3 - variable % 4.
        records[(3 - (i >> 1 & 3)) * 4 + (i >> 3) * 2 + (i & 1)] = p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]
        p = ptr8(int(p) + 4)
        i += 1


@micropython.viper
def _rounds(high: uint, low: uint, records: ptr32, w: ptr32, constants: ptr32, first: int):  # noqa: PLR0915 (calls cost)
    """Run 16 rounds from round `first` on; `w` is their part of the schedule. `high` and `low` come as 0."""
    k = ptr32(int(constants) + 8 * first)
    p = records
    i = 0
    while i < 16:
        # T1 = h + Sigma1(e) + Ch(e, f, g) + K + W; `sum_high` and `sum_low` gather it, a sum below its addend
        # made a carry.
        high = uint(p[14])
        low = uint(p[15])
        sum_high = p[2] + k[0] + w[0]
        sum_high += high >> 14 ^ low << 18 ^ high >> 18 ^ low << 14 ^ low >> 9 ^ high << 23
        sum_high += p[6] ^ (high & (p[10] ^ p[6]))
        x = low >> 14 ^ high << 18 ^ low >> 18 ^ high << 14 ^ high >> 9 ^ low << 23
        y = uint(p[7]) ^ (low & (p[11] ^ p[7]))
        sum_low = x + y
        if sum_low < x:
            sum_high += 1
        y = uint(p[3])
        sum_low += y
        if sum_low < y:
            sum_high += 1
        y = uint(k[1])
        sum_low += y
        if sum_low < y:
            sum_high += 1
        y = uint(w[1])
        sum_low += y
        if sum_low < y:
            sum_high += 1
        # The new e = d + T1.
        y = uint(p[1])
        low = sum_low + y
        high = uint(p[0]) + sum_high
        if low < y:
            high += 1
        p[18] = high
        p[19] = low
        # The new a = T1 + Sigma0(a) + Maj(a, b, c).
        high = uint(p[12])
        low = uint(p[13])
        sum_high += high >> 28 ^ low << 4 ^ low >> 2 ^ high << 30 ^ low >> 7 ^ high << 25
        sum_high += (high & p[8]) | (p[4] & (high | p[8]))
        x = low >> 28 ^ high << 4 ^ high >> 2 ^ low << 30 ^ high >> 7 ^ low << 25
        sum_low += x
        if sum_low < x:
            sum_high += 1
        y = (low & p[9]) | (p[5] & (low | p[9]))
        sum_low += y
        if sum_low < y:
            sum_high += 1
        p[16] = sum_high
        p[17] = sum_low
        p = ptr32(int(p) + 16)
        w = ptr32(int(w) + 8)
        k = ptr32(int(k) + 8)
        i += 1
    i = 0
    while i < 16:
        records[i] = p[i]
        i += 1


@micropython.viper
def _expand(high: uint, low: uint, schedule: ptr32):
    """Replace 16 words of the message schedule by the next 16. `high` and `low` come as 0."""
    p = schedule
    i = 0
    while i < 16:
        # W[t] = sigma1(W[t-2]) + W[t-7] + sigma0(W[t-15]) + W[t-16]
        high = uint(p[28])
        low = uint(p[29])
        sum_high = high >> 19 ^ low << 13 ^ low >> 29 ^ high << 3 ^ high >> 6
        sum_low = low >> 19 ^ high << 13 ^ high >> 29 ^ low << 3 ^ low >> 6 ^ high << 26
        high = uint(p[2])
        low = uint(p[3])
        sum_high += high >> 1 ^ low << 31 ^ high >> 8 ^ low << 24 ^ high >> 7
        x = low >> 1 ^ high << 31 ^ low >> 8 ^ high << 24 ^ low >> 7 ^ high << 25
        sum_low += x
        if sum_low < x:
            sum_high += 1
        x = uint(p[19])
        sum_low += x
        if sum_low < x:
            sum_high += 1
        x = uint(p[1])
        sum_low += x
        if sum_low < x:
            sum_high += 1
        p[32] = sum_high + p[18] + p[0]
        p[33] = sum_low
        p = ptr32(int(p) + 8)
        i += 1
    i = 0
    while i < 32:
        schedule[i] = p[i]
        i += 1


@micropython.viper
def _add_state(records: ptr32, state: ptr8):
    """Add the last four records to the state, back in the order a..high."""
    i = 0
    while i < 8:
        p = ptr8(int(state) + 8 * i)
        at = (3 - (i & 3)) * 4 + (i >> 2) * 2
        high = uint(records[at])
        low = uint(records[at + 1])
        x = uint(p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7])
        low += x
        if low < x:
            high += 1
        high += uint(p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3])
        j = 0
        while j < 4:
            p[j] = high >> (24 - 8 * j)
            p[4 + j] = low >> (24 - 8 * j)
            j += 1
        i += 1
