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

from .compat import const
from .protocol import MAX_PAYLOAD

_SYN = b"\x16"
_LF = b"\n"
_ESC = b"\x1b"

_OVERHEAD = const(7)  # type, length, CRC-32
MAX_LINE = const(2096)  # bytes: 2 * (MAX_PAYLOAD + 7) + 2, every byte of the body stuffed, and the delimiters


def encode(kind: int, payload: bytes) -> bytes:
    """One frame of type `kind` (0 to 255) with `payload`, ready for the line.

    ValueError when it is over MAX_PAYLOAD.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError("payload over %d bytes" % MAX_PAYLOAD)
    body = bytes((kind, len(payload) >> 8, len(payload) & 0xFF)) + payload
    body += crc32(body).to_bytes(4, "big")
    # ESC first, or the escapes made for the others would be stuffed again.
    body = body.replace(_ESC, b"\x1b\x01").replace(_LF, b"\x1b\x02").replace(_SYN, b"\x1b\x03")
    return _SYN + body + _LF


def decode(line: bytes):
    """The frame at the end of `line` as (kind, payload), or None if there is no good one.

    Never raises on any input.
    """
    start = line.rfind(_SYN)
    if start < 0 or not line.endswith(_LF) or len(line) - start > MAX_LINE:
        return None
    body = bytes(line[start + 1 : -1])
    # ESC last, the reverse of encode.
    body = body.replace(b"\x1b\x03", _SYN).replace(b"\x1b\x02", _LF).replace(b"\x1b\x01", _ESC)
    size = len(body) - _OVERHEAD
    if not 0 <= size <= MAX_PAYLOAD or (body[1] << 8 | body[2]) != size:
        return None
    if crc32(body[:-4]) != int.from_bytes(body[-4:], "big"):
        return None
    return body[0], body[3:-4]


class LineReader:
    """Cuts a stream of chunks into candidates for `decode`: what stands from the last SYN of a line to its
    LF.

    Keeps at most MAX_LINE bytes between calls; junk before a frame is dropped, whatever its length.
    """

    def __init__(self):
        self._pending = b""

    def feed(self, chunk: bytes):
        """Take in `chunk` (bytes); return the list of candidates it completes."""
        pieces = (self._pending + chunk).split(_LF)
        rest = pieces.pop()
        self._pending = self._candidate(rest) if len(rest) > MAX_LINE else rest
        return [line + _LF for line in (self._candidate(piece) for piece in pieces) if line]

    @staticmethod
    def _candidate(piece):
        start = piece.rfind(_SYN)
        return piece[start:] if start >= 0 and len(piece) - start < MAX_LINE else b""
