# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A text as the modules of a QR code (ISO/IEC 18004), small enough for the display."""

from .compat import micropython

# Bytes that versions 1 to 9 hold at error correction level L in byte mode (ISO/IEC 18004 table 7). Version 9
# has 53 modules a side, 61 with the quiet zone: the largest that 64 rows show.
_CAPACITY = b"\x11\x20\x35\x4e\x6a\x86\x9a\xc0\xe6"
MAX_BYTES = 230


def modules(text):
    """(modules a side, bytes): a row after the other, the leftmost module in the lowest bit, 1 for dark.

    ValueError for more than MAX_BYTES.
    """
    # Here and not above: it takes 10 KiB of RAM where it is not frozen, and few devices ever need it.
    import adafruit_miniqr  # noqa: PLC0415

    data = text.encode()
    if len(data) > MAX_BYTES:
        raise ValueError("too long for a QR code on the display")
    # Not left to the library, which takes one that is too small for a text that just does not fit.
    version = min([i + 1 for i in range(len(_CAPACITY)) if len(data) <= _CAPACITY[i]])
    code = adafruit_miniqr.QRCode(qr_type=version, error_correct=adafruit_miniqr.L)
    code.add_data(data)
    code.make()  # with mask 0: choosing the best of eight would take eight times as long
    return code.matrix.width, _packed(code.matrix)


@micropython.native
def _packed(matrix):
    size = matrix.width
    stride = (size + 7) // 8
    packed = bytearray(stride * size)
    for row in range(size):
        for column in range(size):
            if matrix[row, column]:
                packed[row * stride + (column >> 3)] |= 1 << (column & 7)
    return bytes(packed)
