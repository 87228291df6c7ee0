# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Base32 with the alphabet of RFC 4648, section 6."""

import binascii

# What CPython's base64 raises for bad base32; MicroPython has no such class, and it is a ValueError anyway.
Base32Error = getattr(binascii, "Error", ValueError)

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# Base32 symbol -> the digit of the same value as int(.., 32) reads it: the one base-32 parser that runs as C
# everywhere.
_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUV"
_TO_DIGIT = {symbol: _DIGITS[value] for value, symbol in enumerate(_ALPHABET)}
# 5, 4, 3, 2 or 1 bytes in a group of 8 symbols; no number of bytes ends in another count of "=".
_PADDINGS = (0, 1, 3, 4, 6)


def decode(text):
    """Return the bytes of base32 `text`: str of either case, padded or not; or bytes, padded.

    Raises binascii.Error (a ValueError) for a symbol outside the alphabet or an impossible length, ValueError
    for a str that is not ASCII, TypeError for anything else. Left-over bits are ignored, as everybody does.
    """
    missing = -len(text) % 8
    data = _ascii(text, missing)
    symbols = data.rstrip(b"=")
    if len(data) + missing - len(symbols) not in _PADDINGS:
        raise Base32Error("base32 text of impossible length")
    if not symbols:
        return b""
    try:
        digits = bytes(map(_TO_DIGIT.get, symbols.upper()))
    except TypeError:  # the None of a symbol that is not in the table
        raise Base32Error("not a base32 symbol") from None
    bits = 5 * len(symbols)
    return (int(digits, 32) >> bits % 8).to_bytes(bits // 8, "big")


def _ascii(text, missing):
    """Return `text` as bytes."""
    if isinstance(text, (bytes, bytearray, memoryview)):
        if missing:
            raise TypeError("base32 as bytes must carry its padding")
        return bytes(text)
    if not isinstance(text, str):
        raise TypeError("base32 must be str or bytes")
    try:
        data = text.encode()
    except UnicodeError:  # a lone surrogate
        raise ValueError("base32 must be ASCII") from None
    if len(data) != len(text):
        raise ValueError("base32 must be ASCII")
    return data


def encode(data):
    """Return `data` (bytes) as upper-case base32 without padding, the form that otpauth URIs use."""
    symbols = (8 * len(data) + 4) // 5
    # Whole symbols: the last one is filled up with zero bits.
    value = int.from_bytes(data, "big") << (5 * symbols - 8 * len(data))
    text = bytearray(symbols)
    for i in range(symbols - 1, -1, -1):
        text[i] = _ALPHABET[value & 31]
        value >>= 5
    return text.decode()
