# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""UF2, the format a board's boot ROM takes (Microsoft's UF2 specification; RP2040 data sheet, 2.8.4.2)."""

import struct

_PAYLOAD = 256
_MAGIC_START = (0x0A324655, 0x9E5D5157)
_MAGIC_END = 0x0AB16F30
_FLAG_FAMILY = 0x2000


def pack(image: bytes, family: int, base: int) -> bytes:
    """A flash image as UF2 blocks of 512 bytes. base: the address of its first byte."""
    count = -(-len(image) // _PAYLOAD)
    blocks = []
    for number in range(count):
        data = image[number * _PAYLOAD : (number + 1) * _PAYLOAD].ljust(_PAYLOAD, b"\0")
        head = (*_MAGIC_START, _FLAG_FAMILY, base + number * _PAYLOAD, _PAYLOAD, number, count, family)
        blocks.append(struct.pack("<8I476sI", *head, data, _MAGIC_END))
    return b"".join(blocks)
