# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""QR codes of otpauth URIs: for the terminal as half blocks, for a file as PNG or SVG."""

import io
from pathlib import Path

import segno

from understudy.files import check_target, write_target
from understudy.usage import WrongUsage

FILE_KINDS = (".png", ".svg")
TERMINAL_ROWS = 22  # of the usual 24; one for the words above, one for the prompt below
_BORDERS = (2, 1)  # modules of quiet zone; a terminal's own background adds to it
_FILE_BORDER = 4  # ISO/IEC 18004 section 9.1
_FILE_SCALE = 8  # pixels a module

# Fixed entries of the 256-colour cube: black on white whatever the terminal's theme.
_COLOURS = "\x1b[38;5;16;48;5;231m"
_RESET = "\x1b[0m"
# Indexed by (upper module is light) + 2 * (lower is light): light ink on dark ground, and the reverse.
_LIGHT_INK = " \N{UPPER HALF BLOCK}\N{LOWER HALF BLOCK}\N{FULL BLOCK}"
_DARK_INK = "\N{FULL BLOCK}\N{LOWER HALF BLOCK}\N{UPPER HALF BLOCK} "


def terminal_text(uri: str, colour: bool) -> str:
    """The QR code of `uri` as lines of half blocks, with the widest border that fits 80x24.

    With `colour` it is black on white by escape sequences; without, light modules are inked, as a dark
    terminal needs it (readers take the inverse as well).
    """
    code = _make(uri)
    ink = _DARK_INK if colour else _LIGHT_INK
    border = next((one for one in _BORDERS if _rows(code, one) <= TERMINAL_ROWS), _BORDERS[-1])
    light = [[not module for module in row] for row in code.matrix_iter(border=border)]
    if len(light) % 2:
        light.append([True] * len(light[0]))
    lines = []
    for upper, lower in zip(light[::2], light[1::2], strict=True):
        text = "".join(ink[up + 2 * low] for up, low in zip(upper, lower, strict=True))
        lines.append(f"{_COLOURS}{text}{_RESET}" if colour else text)
    return "\n".join(lines)


def check_file(path: Path) -> None:
    """WrongUsage when `write_file` could not write to `path`; to be called before a secret is made."""
    if path.suffix.lower() not in FILE_KINDS:
        raise WrongUsage(f"{path}: the name must end in {' or '.join(FILE_KINDS)}")
    check_target(path)


def write_file(uri: str, path: Path) -> None:
    """Write the QR code of `uri` to `path` (PNG or SVG by its suffix), readable by its owner only."""
    buffer = io.BytesIO()
    kind = path.suffix.lower().lstrip(".")
    _make(uri).save(buffer, kind=kind, scale=_FILE_SCALE, border=_FILE_BORDER)
    write_target(path, buffer.getvalue())


def _make(uri: str) -> segno.QRCode:
    # Level L and no boost: the smallest code; a screen has no scratches.
    return segno.make_qr(uri, error="l", boost_error=False)


def _rows(code: segno.QRCode, border: int) -> int:
    return (int(code.symbol_size(border=border)[1]) + 1) // 2
