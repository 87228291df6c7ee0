# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Draws a screen into a buffer laid out as an SSD1306's RAM (data sheet section 8.7): 128 by 64 pixels; each
byte is 8 pixels high, its lowest bit on top; 128 of them a page, from the left.

Pure, and the same on the device and on the host.
"""

from .compat import const, micropython
from .font import COLUMNS, ELLIPSIS, glyph
from .font import WIDTH as _GLYPH
from .screens import ENROLMENT, VERDICT, layout

WIDTH = const(128)  # pixels
HEIGHT = const(64)
SIZE = const(1024)  # bytes

_YES = "accepted"
_LETTER = const(6)  # pixels from one letter to the next
_BAND = const(512)  # bytes of the upper half, where a verdict stands
_FIELD = const(64)  # pixels of a QR code's lit field, either way
_QUIET = const(4)  # modules around a QR code (ISO/IEC 18004)


def draw(screen, buffer):
    """Draw `screen` (see `screens`) into `buffer`, SIZE bytes, over whatever is there."""
    _fill(buffer, 0, SIZE, 0)
    name, values = screen
    left = 0
    if name == ENROLMENT and values:
        _draw_qr(buffer, values[1], values[2])
        left = _FIELD + 2
    for top, scale, text in layout(screen):
        _draw_text(buffer, left, top, scale, text)
    if name == VERDICT:
        # To be told apart from afar: a light band for yes, a dark one for everything else.
        if values[0] == _YES:
            _invert(buffer, _BAND)
        else:
            _frame(buffer)


def fitted(text, scale, width):
    """(text, scale) as it fits into so many pixels: in smaller letters first, and then cut."""
    while scale > 1 and (len(text) * _LETTER - 1) * scale > width:
        scale -= 1
    room = (width + 1) // (_LETTER * scale)
    return (text if len(text) <= room else text[: room - 1] + ELLIPSIS), scale


def _draw_text(buffer, left, top, scale, text):
    """Between `left` and the right edge, in the middle."""
    width = WIDTH - left
    text, fitting = fitted(text, scale, width)
    x = left + (width - (len(text) * _LETTER - 1) * fitting) // 2
    y = top + (scale - fitting) * 4
    for character in text:
        _draw_glyph(buffer, x, y, fitting, glyph(character))
        x += _LETTER * fitting


@micropython.native
def _draw_glyph(buffer, x, y, scale, offset):
    for i in range(_GLYPH):
        column = _stretched(COLUMNS[offset + i], scale) << (y & 7)
        at = (y >> 3) * WIDTH + x + i * scale
        while column and at < SIZE:
            for k in range(scale):
                buffer[at + k] |= column & 0xFF
            column >>= 8
            at += WIDTH


@micropython.native
def _stretched(column, scale):
    if scale == 1:
        return column
    out, dot = 0, (1 << scale) - 1
    while column:
        if column & 1:
            out |= dot
        dot <<= scale
        column >>= 1
    return out


@micropython.native
def _fill(buffer, start, count, value):
    for i in range(start, start + count):
        buffer[i] = value


@micropython.native
def _invert(buffer, count):
    for i in range(count):
        buffer[i] ^= 0xFF


def _frame(buffer):
    """A line around the band."""
    for x in range(WIDTH):
        buffer[x] |= 1
        buffer[_BAND - WIDTH + x] |= 0x80
    for page in range(_BAND // WIDTH):
        buffer[page * WIDTH] = buffer[page * WIDTH + WIDTH - 1] = 0xFF


@micropython.native
def _draw_qr(buffer, size, modules):
    """Dark modules on a lit field, as large as fits with the quiet zone."""
    for page in range(_FIELD // 8):
        _fill(buffer, page * WIDTH, _FIELD, 0xFF)
    scale = _FIELD // (size + 2 * _QUIET)
    edge = (_FIELD - size * scale) // 2
    stride = (size + 7) // 8
    for y in range(size * scale):
        row = y // scale * stride
        at = (y + edge) // 8 * WIDTH + edge
        lit = 0xFF ^ (1 << ((y + edge) & 7))
        for x in range(size * scale):
            column = x // scale
            if modules[row + (column >> 3)] >> (column & 7) & 1:
                buffer[at + x] &= lit
