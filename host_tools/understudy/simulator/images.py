# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Firmware files: is it a UF2 or a raw binary, is it for the RP2040, and which bytes go where."""

import struct
from pathlib import Path
from typing import Literal

from .errors import ImageError
from .flash_layout import FLASH_SIZE, XIP_BASE

ImageKind = Literal["uf2", "bin"]
Segment = tuple[int, bytes]

_UF2_BLOCK = 512
_UF2_MAGIC_0, _UF2_MAGIC_1, _UF2_MAGIC_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_UF2_NOT_MAIN_FLASH, _UF2_HAS_FAMILY = 0x0001, 0x2000
_FAMILY_RP2040 = 0xE48BFF56
_VECTORS = 0x100  # behind the 256-byte second-stage boot loader
_RAM_START, _RAM_END = 0x2000_0000, 0x2004_2000


def image_kind(data: bytes) -> ImageKind:
    """Tell a UF2 from a raw flash binary by content.

    :param data: the file, or at least its first 512 bytes
    :raises ImageError: it is neither; a raw binary must have a Cortex-M0+ vector table at 0x100
        whose stack is in the RP2040's RAM and whose reset handler is in flash
    """
    if len(data) >= 8 and struct.unpack_from("<2I", data) == (_UF2_MAGIC_0, _UF2_MAGIC_1):
        return "uf2"
    if len(data) >= _VECTORS + 8:
        stack, start = struct.unpack_from("<2I", data, _VECTORS)
        if _RAM_START < stack <= _RAM_END and XIP_BASE <= start < XIP_BASE + FLASH_SIZE:
            return "bin"
    raise ImageError("not a firmware image for the RP2040: neither a UF2 nor a raw flash binary")


def load_segments(path: Path) -> list[Segment]:
    """Read a firmware file.

    :return: (offset in flash, bytes) pairs in the file's order
    :raises ImageError: not an RP2040 image, damaged, or larger than the flash
    :raises OSError: the file cannot be read
    """
    data = path.read_bytes()
    if image_kind(data) == "uf2":
        return _uf2_segments(data)
    if len(data) > FLASH_SIZE:
        raise ImageError(f"{path.name}: {len(data)} bytes do not fit the {FLASH_SIZE}-byte flash")
    return [(0, data)]


def _uf2_segments(data: bytes) -> list[Segment]:
    if len(data) % _UF2_BLOCK:
        raise ImageError("damaged UF2: its length is no multiple of 512")
    segments = []
    for start in range(0, len(data), _UF2_BLOCK):
        block = data[start : start + _UF2_BLOCK]
        segment = _uf2_block(block, start // _UF2_BLOCK)
        if segment is not None:
            segments.append(segment)
    if not segments:
        raise ImageError("UF2 holds nothing for the RP2040's flash")
    return segments


def _uf2_block(block: bytes, number: int) -> Segment | None:
    """One block's payload, or None for a block that is meant for another chip or for no flash."""
    magic_0, magic_1, flags, address, size, _, _, family = struct.unpack_from("<8I", block)
    (magic_end,) = struct.unpack_from("<I", block, _UF2_BLOCK - 4)
    if (magic_0, magic_1, magic_end) != (_UF2_MAGIC_0, _UF2_MAGIC_1, _UF2_MAGIC_END) or size > 476:
        raise ImageError(f"damaged UF2: block {number}")
    if flags & _UF2_NOT_MAIN_FLASH or (flags & _UF2_HAS_FAMILY and family != _FAMILY_RP2040):
        return None
    offset = address - XIP_BASE
    if not 0 <= offset <= FLASH_SIZE - size:
        raise ImageError(f"UF2 block {number} lies outside the flash")
    return offset, block[32 : 32 + size]
