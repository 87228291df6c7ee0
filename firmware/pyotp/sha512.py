# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""SHA-512 for interpreters whose hashlib has none (FIPS 180-4, section 6.4). Use hashlib's where it
exists."""

import sys

from .sha512_tables import INITIAL_STATE

_BLOCK = 128


def _fastest_compress():
    """Return the fastest compression function that this interpreter can run."""
    if sys.implementation.name == "micropython" and sys.maxsize == 0x7FFFFFFF:
        try:
            from .sha512_viper import compress  # noqa: PLC0415 (this import is the question)
        except (ImportError, SyntaxError, ValueError):
            pass  # built without a native code emitter, or compiled for another core
        else:
            return compress
    # Not at the top: where there is the other, its tables need not be in RAM as well.
    from .sha512_portable import compress  # noqa: PLC0415

    return compress


compress = _fastest_compress()


class Sha512:
    """A hash object like hashlib's: `Sha512(data).digest()`, `update`, `copy`."""

    name = "sha512"
    block_size = _BLOCK
    digest_size = 64

    def __init__(self, data=b""):
        self._state = bytearray(INITIAL_STATE)
        self._tail = b""
        self._length = 0
        if data:
            self.update(data)

    def update(self, data):
        """Add `data` (bytes-like) to the message."""
        self._length += len(data)
        if self._tail:
            data = self._tail + bytes(data)
        end = len(data) - len(data) % _BLOCK
        for offset in range(0, end, _BLOCK):
            compress(self._state, data, offset)
        self._tail = bytes(data[end:])

    def digest(self):
        """Return the hash of everything added so far, 64 bytes; more can be added afterwards."""
        zeros = -(len(self._tail) + 17) % _BLOCK
        # The length in bits takes 16 bytes; to_bytes gets by with 8 as no message here reaches 2^61 bytes.
        last = self._tail + b"\x80" + bytes(zeros + 8) + (8 * self._length).to_bytes(8, "big")
        state = bytearray(self._state)
        for offset in range(0, len(last), _BLOCK):
            compress(state, last, offset)
        return bytes(state)

    def copy(self):
        """Return an independent object in the same state."""
        other = Sha512()
        other._state[:] = self._state
        other._tail = self._tail
        other._length = self._length
        return other
