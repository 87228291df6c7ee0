# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""HMAC (RFC 2104) over whichever hash functions the interpreter has, and SHA-512 where it has not."""

import hashlib

from .machine_code import micropython, ptr8

_BLOCK_SIZES = {"sha1": 64, "sha256": 64, "sha512": 128}
_DIGEST_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}
_INNER = b"\x36"  # RFC 2104, section 2
_OUTER = b"\x5c"
# MicroPython's hash objects know nothing of themselves. Constructor: block size, digest size, has a copy.
_KNOWN = {
    make: (_BLOCK_SIZES[name], _DIGEST_SIZES[name], hasattr(make(), "copy"))
    for name, make in (("sha1", hashlib.sha1), ("sha256", hashlib.sha256))
}


def constructor(digest):
    """Return the hash constructor that `digest` stands for.

    `digest`: "sha1", "sha256", "sha512" (any case), on CPython any name `hashlib.new` knows; or a constructor
    like `hashlib.sha1`, which is returned as it is; or a module with a `new`. Raises ValueError for an
    unknown name, TypeError for an empty one.
    """
    if not digest:
        raise TypeError("no digest given")
    if not isinstance(digest, str):
        return digest if callable(digest) else digest.new
    name = digest.lower()
    if name in _BLOCK_SIZES and hasattr(hashlib, name):
        return getattr(hashlib, name)
    if name == "sha512":
        # Here and not above: the tables take 2 KB of RAM that a device without SHA-512 credentials keeps.
        from .sha512 import Sha512  # noqa: PLC0415

        return Sha512
    if not hasattr(hashlib, "new"):
        raise ValueError("unknown digest name")
    hashlib.new(digest)  # raises ValueError now, not at the first message
    return lambda data=b"": hashlib.new(digest, data)


def name_of(digest):
    """Return the lower-case name of a digest, such as "sha1". MicroPython's hash objects have no `name`."""
    make = constructor(digest)
    for name in ("sha1", "sha256"):
        if make is getattr(hashlib, name):
            return name
    return make().name


def _properties(make):
    """Return the block size and the digest size in bytes of a hash constructor, and whether its hash objects
    can be copied, which saves compressing the padded key again for each message."""
    if make not in _KNOWN:
        sample = make()
        return sample.block_size, sample.digest_size, hasattr(sample, "copy")
    return _KNOWN[make]


@micropython.viper
def _pad(key, inner, outer):
    """XOR `key` with what stands in the bytearrays `inner` and `outer`, which are at least as long."""
    source = ptr8(key)
    first = ptr8(inner)
    second = ptr8(outer)
    for i in range(int(len(key))):
        first[i] ^= source[i]
        second[i] ^= source[i]


class Hmac:
    """HMAC under one key: the padded key is prepared once, so that a message costs only its compressions.

    `key`: bytes of any length. `digest`: see `constructor`.
    """

    @micropython.native
    def __init__(self, key, digest):
        make = constructor(digest)
        block, self.digest_size, self._resumes = _properties(make)
        if len(key) > block:
            key = make(key).digest()
        inner = bytearray(_INNER * block)
        outer = bytearray(_OUTER * block)
        _pad(key, inner, outer)
        self._make = make
        self._inner = make(inner) if self._resumes else inner
        self._outer = make(outer) if self._resumes else outer

    @micropython.native
    def digest(self, message):
        """Return the MAC of `message` (bytes); `digest_size` bytes."""
        if self._resumes:
            inner = self._inner.copy()
            outer = self._outer.copy()
        else:
            inner = self._make(self._inner)
            outer = self._make(self._outer)
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


def hmac_digest(key, msg, name):
    """Return the HMAC of one message. `key`, `msg`: bytes; `name`: see `constructor`."""
    return Hmac(key, name).digest(msg)
