# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's display as a picture: for a file, and for a terminal."""

import struct
import zlib
from collections.abc import Sequence

from understudy_device import canvas
from understudy_device.canvas import HEIGHT, WIDTH

Screen = tuple[str, tuple[object, ...]]

_PNG = b"\x89PNG\r\n\x1a\n"
_BRAILLE = 0x2800  # and the bits of its dots, two columns of four (Unicode 15, section 21.1)
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def drawn(screen: Screen) -> bytes:
    """The pixels of a screen of `understudy_device.screens`, as in the display's RAM."""
    buffer = bytearray(canvas.SIZE)
    canvas.draw(screen, buffer)
    return bytes(buffer)


def rows(pixels: bytes) -> list[list[bool]]:
    """The display's RAM as rows of lit or dark pixels."""
    return [[bool(pixels[y // 8 * WIDTH + x] >> y % 8 & 1) for x in range(WIDTH)] for y in range(HEIGHT)]


def png(picture: Sequence[Sequence[bool]], scale: int = 4) -> bytes:
    """Rows of pixels as a PNG file (ISO/IEC 15948), black and white, each pixel `scale` times as large."""
    width, height = len(picture[0]) * scale, len(picture) * scale
    lines = b"".join((b"\0" + _packed(row, scale)) * scale for row in picture)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return _PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")


def _packed(row: Sequence[bool], scale: int) -> bytes:
    """A line of one-bit pixels, the leftmost in the highest bit."""
    bits = "".join("01"[pixel] * scale for pixel in row)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def terminal_text(pixels: bytes) -> str:
    """The display in Braille characters, two by four pixels each, in a frame: 66 columns, 18 lines."""
    picture = rows(pixels)
    width = WIDTH // 2
    lines = ["┌" + "─" * width + "┐"]
    for top in range(0, HEIGHT, 4):
        cells = (
            sum(_DOTS[y][x] for y in range(4) for x in range(2) if picture[top + y][left + x])
            for left in range(0, WIDTH, 2)
        )
        lines.append("│" + "".join(chr(_BRAILLE + cell) for cell in cells) + "│")
    return "\n".join([*lines, "└" + "─" * width + "┘"])
