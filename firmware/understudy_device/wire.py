# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Frames: bytes in, frames out, pure functions.

A frame is `SYN body LF`, the body `type (1) length (2, big-endian) payload CRC-32 (4, big-endian)` with SYN,
LF and ESC stuffed (ESC and one byte). Neither delimiter can occur inside, so that a reader who lost its place
(modem commands, line noise, half a frame) finds the next good frame by itself: it is what follows the last
SYN of a line. And a board can read a whole frame with one bounded `readline`, about six times cheaper on an
RP2040's USB port than a byte at a time.
"""

from binascii import crc32

from .compat import const, micropython, ptr8
from .protocol import MAX_PAYLOAD

_SYN = b"\x16"
_LF = b"\n"
_SYN_BYTE = const(0x16)
_LF_BYTE = const(0x0A)
_ESC_BYTE = const(0x1B)

_OVERHEAD = const(7)  # type, length, CRC-32
MAX_LINE = const(2096)  # bytes: 2 * (MAX_PAYLOAD + 7) + 2, every byte of the body stuffed, and the delimiters


@micropython.viper
def _stuff(line, end: int, data) -> int:
    """Write data, stuffed, to line[end:]; return where it ends there."""
    to = ptr8(line)
    bytes_in = ptr8(data)
    for i in range(int(len(data))):
        byte = bytes_in[i]
        # ESC 1 for ESC, ESC 2 for LF, ESC 3 for SYN.
        code = 0
        if byte == _ESC_BYTE:
            code = 1
        elif byte == _LF_BYTE:
            code = 2
        elif byte == _SYN_BYTE:
            code = 3
        if code:
            to[end] = _ESC_BYTE
            byte = code
            end += 1
        to[end] = byte
        end += 1
    return end


@micropython.viper
def _unstuff(body, line, start: int) -> int:
    """Write line[start:], less its last byte, to body as it was before `_stuff`; return its length, -1 if it
    can't be."""
    to = ptr8(body)
    bytes_in = ptr8(line)
    last = int(len(line)) - 1
    size = 0
    i = start
    while i < last:
        byte = bytes_in[i]
        if byte == _LF_BYTE:
            return -1
        if byte == _ESC_BYTE:
            i += 1
            code = bytes_in[i]  # at worst the last byte, an LF
            if code == 1:
                byte = _ESC_BYTE
            elif code == 2:
                byte = _LF_BYTE
            elif code == 3:
                byte = _SYN_BYTE
            else:
                return -1
        to[size] = byte
        size += 1
        i += 1
    return size


@micropython.native
def encode(kind: int, payload: bytes) -> bytes:
    """One frame of type `kind` (0 to 255) with `payload`, ready for the line.

    ValueError when it is over MAX_PAYLOAD.
    """
    size = len(payload)
    if size > MAX_PAYLOAD:
        raise ValueError("payload over %d bytes" % MAX_PAYLOAD)
    head = bytes((kind, size >> 8, size & 0xFF))
    line = bytearray(2 * (size + _OVERHEAD) + 2)
    line[0] = _SYN_BYTE
    end = _stuff(line, 1, head)
    end = _stuff(line, end, payload)
    end = _stuff(line, end, crc32(payload, crc32(head)).to_bytes(4, "big"))
    line[end] = _LF_BYTE
    return bytes(memoryview(line)[: end + 1])


@micropython.native
def decode(line: bytes):
    """The frame at the end of `line` as (kind, payload), or None if there is no good one.

    Never raises on any input.
    """
    start = line.rfind(_SYN)
    if start < 0 or not line.endswith(_LF) or len(line) - start > MAX_LINE:
        return None
    body = bytearray(len(line) - start)
    end = _unstuff(body, line, start + 1) - 4  # where the CRC-32 begins
    size = end - 3
    if size < 0 or size > MAX_PAYLOAD or (body[1] << 8 | body[2]) != size:
        return None
    view = memoryview(body)
    if crc32(view[:end]).to_bytes(4, "big") != view[end : end + 4]:
        return None
    return body[0], bytes(view[3:end])


class LineReader:
    """Cuts a stream of chunks into candidates for `decode`: what stands from the last SYN of a line to its
    LF.

    Keeps at most MAX_LINE bytes between calls; junk before a frame is dropped, whatever its length.
    """

    def __init__(self):
        self._pending = b""

    def feed(self, chunk: bytes):
        """Take in `chunk` (bytes); return the list of candidates it completes."""
        if not self._pending and 0 <= chunk.find(_LF) == len(chunk) - 1:
            return [chunk]  # one whole line, as a board's `readline` gives it
        pieces = (self._pending + chunk).split(_LF)
        rest = pieces.pop()
        self._pending = self._candidate(rest) if len(rest) > MAX_LINE else rest
        return [line + _LF for line in (self._candidate(piece) for piece in pieces) if line]

    @staticmethod
    def _candidate(piece):
        start = piece.rfind(_SYN)
        return piece[start:] if start >= 0 and len(piece) - start < MAX_LINE else b""
