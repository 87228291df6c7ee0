# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Randomness that rests on no single source: the chip's, what hosts send, and a seed kept from last time,
through SHA-256."""

from .compat import const, hmac_sha256, sha256

_SEED = const(32)  # bytes


class Pool:
    """`source(n)` gives n bytes of the chip's randomness.

    `load()` and `save(bytes)` keep a seed over restarts.
    """

    def __init__(self, source, load, save):
        self._source = source
        self._load = load
        self._save = save
        self._state = b""

    def mix(self, data):
        """Stir bytes in; good ones help, bad ones do no harm."""
        self._state = sha256(b"mix" + self._state + self._source(_SEED) + data)

    def take(self, count):
        """`count` random bytes.

        The first call of a power cycle costs one write of the next seed, so that none serves twice.
        """
        if self._load is not None:
            self.mix(self._load() or b"")
            self._save(hmac_sha256(self._state, b"seed"))
            self._load = None  # not before: without the next seed on flash nothing is given out
        self.mix(b"")
        out = b""
        while len(out) < count:
            out += hmac_sha256(self._state, b"out%d" % len(out))
        self.mix(b"taken")  # what was given out can't be worked out from a later state
        return out[:count]
