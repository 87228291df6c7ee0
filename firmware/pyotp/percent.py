# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Percent-encoding (RFC 3986, section 2.1) of UTF-8."""

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"
_REPLACEMENT = "\ufffd"


def quote(text, safe=b""):
    """Return `text` (str or bytes; else TypeError) with all but unreserved characters and `safe`
    percent-encoded."""
    if isinstance(text, str):
        text = text.encode()
    elif not isinstance(text, (bytes, bytearray)):
        raise TypeError("text to quote must be str or bytes")
    keep = _UNRESERVED + safe
    return "".join([chr(byte) if byte in keep else f"%{byte:02X}" for byte in text])


def unquote(text):
    """Return `text` (str) with its percent-encoding undone. Bytes that are no UTF-8 become U+FFFD; a "%" that
    starts no encoding stays."""
    parts = text.split("%")
    result = parts[0]
    pending = bytearray()
    for part in parts[1:]:
        byte = _hex_byte(part[:2])
        if byte is None:
            result += decode_lossy(pending) + "%" + part
            pending = bytearray()
            continue
        pending.append(byte)
        if len(part) > 2:
            result += decode_lossy(pending) + part[2:]
            pending = bytearray()
    return result + decode_lossy(pending)


def _hex_byte(digits):
    """Return the value of two hexadecimal digits, or None. int() alone would take " 1", "+1" and "1_0"."""
    if len(digits) != 2:
        return None
    for digit in digits:
        if digit not in "0123456789abcdefABCDEF":
            return None
    return int(digits, 16)


def decode_lossy(data):
    """Return UTF-8 `data` as str, one U+FFFD for each longest start of a character that does not go on
    (Unicode, section 3.9, "substitution of maximal subparts"). MicroPython's own decoder has no such mode."""
    result = []
    i = 0
    while i < len(data):
        size, value = _character(data, i)
        result.append(_REPLACEMENT if value is None else chr(value))
        i += size
    return "".join(result)


def _character(data, i):
    """Return how many bytes the character at `i` takes, and its code, None if it is ill-formed."""
    first = data[i]
    if first < 0x80:
        return 1, first
    if not 0xC2 <= first <= 0xF4:
        return 1, None
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    value = first & (0x7F >> size)
    # The second byte is what keeps out over-long forms, surrogates and codes beyond U+10FFFF (Unicode, table
    # 3-7).
    low = {0xE0: 0xA0, 0xF0: 0x90}.get(first, 0x80)
    high = {0xED: 0x9F, 0xF4: 0x8F}.get(first, 0xBF)
    for k in range(1, size):
        if i + k >= len(data) or not low <= data[i + k] <= high:
            return k, None
        value = value << 6 | data[i + k] & 0x3F
        low, high = 0x80, 0xBF
    return size, value
