# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# ruff: noqa: F821 -- ptr8 is the viper compiler's own
"""AEAD_CHACHA20_POLY1305 (RFC 8439 section 2.8) over the Thumb primitives; not re-entrant.

One buffer holds the text made up to whole blocks, and room for what the tag covers behind it, so that both
primitives work in place.
"""

import micropython
from micropython import const

from . import chacha20_thumb, poly1305_thumb
from .chacha20_thumb import block, xor
from .errors import AuthenticationFailed
from .poly1305_thumb import TOP_BIT, absorb, finish

_TAG = const(16)
_state = chacha20_thumb.work
_sum = poly1305_thumb.work
_one_time_key = memoryview(_state)[64:96]  # block 0 of the key stream (RFC 8439 section 2.6)
_one_time_end = memoryview(_state)[80:96]
_end = bytearray(16)  # its other half, kept until the tag is finished
_tag = memoryview(_sum)[20:36]


@micropython.viper
def _copy(target, offset: int, source, size: int):
    """Copy the first `size` bytes of source to target[offset:]."""
    to = ptr8(target)
    data = ptr8(source)
    i = 0
    while i < size:
        to[offset + i] = data[i]
        i += 1


@micropython.viper
def _close(text, size: int, ad_size: int) -> int:
    """Write zeros up to a multiple of 16 and the two lengths behind the ciphertext; the number of blocks."""
    data = ptr8(text)
    end = (size + 15) & -16
    i = size
    while i < end + 16:
        data[i] = 0
        i += 1
    for i in range(4):
        data[end + i] = ad_size >> (8 * i)
        data[end + 8 + i] = size >> (8 * i)
    return (end >> 4) + 1


@micropython.viper
def _differs(data, offset: int) -> int:
    """Zero when the tag made is the 16 bytes of data at offset; the time does not depend on either."""
    made = ptr8(_tag)
    given = ptr8(data)
    difference = 0
    for i in range(16):
        difference |= made[i] ^ given[offset + i]
    return difference


@micropython.native
def _start(key, nonce):
    if len(key) != 32 or len(nonce) != 12:
        raise ValueError("a key has 32 bytes, a nonce 12")
    chacha20_thumb.start(_state, key, nonce, 0)
    block(_state)
    poly1305_thumb.start(_sum, _one_time_key)
    _copy(_end, 0, _one_time_end, 16)


@micropython.native
def _authenticate(ad, text, size):
    """Leave the tag of `size` bytes of ciphertext in _tag."""
    if ad:
        padded = bytearray((len(ad) + 15) & -16)
        _copy(padded, 0, ad, len(ad))
        absorb(_sum, padded, len(padded) >> 4, TOP_BIT)
    absorb(_sum, text, _close(text, size, len(ad)), TOP_BIT)
    finish(_sum, _end)


@micropython.native
def aead_seal(key: bytes, nonce: bytes, ad: bytes, plaintext: bytes) -> bytes:
    """Return ciphertext and 16-byte tag; key has 32 bytes, nonce 12, never twice the same pair."""
    size = len(plaintext)
    text = bytearray(((size + 63) & -64) + _TAG)
    _copy(text, 0, plaintext, size)
    _start(key, nonce)
    xor(text, size)
    _authenticate(ad, text, size)
    _copy(text, size, _tag, _TAG)
    return bytes(memoryview(text)[: size + _TAG])


@micropython.native
def aead_open(key: bytes, nonce: bytes, ad: bytes, data: bytes) -> bytes:
    """Return the plaintext of ciphertext and tag; raises AuthenticationFailed and gives nothing away."""
    size = len(data) - _TAG
    if size < 0:
        raise AuthenticationFailed("message too short")
    text = bytearray(((size + 63) & -64) + _TAG)
    _copy(text, 0, data, size)
    _start(key, nonce)
    _authenticate(ad, text, size)
    if _differs(data, size):
        raise AuthenticationFailed("message not authentic")
    xor(text, size)
    return bytes(memoryview(text)[:size])
