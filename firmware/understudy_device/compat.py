# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What differs between interpreters: the only place that asks which one this is.

Exports const, micropython and ptr8, ptr16, ptr32 (for code that its compiler turns into machine code),
dump_json, sha256, hmac_sha256, constant_time_equal and the cryptographic back end: x25519, x25519_base,
aead_seal, aead_open. CPython takes the back end from the `cryptography` package, a Thumb board from our
assembler, anything else from our portable modules.
"""

import hashlib
import json

try:
    import micropython
    from micropython import const

    def dump_json(value) -> bytes:
        """Return compact JSON, UTF-8; MicroPython leaves characters beyond ASCII as they are."""
        return json.dumps(value, separators=(",", ":")).encode()

except ImportError:

    def const(value):
        """Return value; MicroPython's compiler folds constants declared with it."""
        return value

    class micropython:  # noqa: N801 -- in the place of the module
        """What MicroPython's compiler takes for an order; elsewhere it does nothing."""

        @staticmethod
        def native(function):
            """Return function; the decorator makes MicroPython compile it to machine code."""
            return function

        viper = native

    def dump_json(value) -> bytes:
        """Return compact JSON, UTF-8, the same text on every interpreter."""
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def ptr8(buffer):
    """Return buffer; in viper code MicroPython's compiler takes these names for its own casts."""
    return buffer


ptr16 = ptr32 = ptr8


def sha256(data: bytes) -> bytes:
    """Return the 32-byte SHA-256 of data."""
    return hashlib.sha256(data).digest()


try:
    from hmac import compare_digest as constant_time_equal
    from hmac import digest as _hmac_digest

    def hmac_sha256(key: bytes, data: bytes) -> bytes:
        """Return the 32-byte HMAC-SHA-256 (RFC 2104) of data under a key of any length."""
        return _hmac_digest(key, data, "sha256")

except ImportError:
    from .chacha20poly1305 import equal_bytes as constant_time_equal  # noqa: F401 -- exported

    _BLOCK_SIZE = const(64)
    _INNER = int.from_bytes(b"\x36" * 64, "little")
    _OUTER = int.from_bytes(b"\x5c" * 64, "little")

    def hmac_sha256(key: bytes, data: bytes) -> bytes:
        """Return the 32-byte HMAC-SHA-256 (RFC 2104) of data under a key of any length."""
        if len(key) > _BLOCK_SIZE:
            key = sha256(key)
        # One exclusive-or of big integers instead of 64 small ones: a tenth of the time.
        pad = int.from_bytes(key, "little")
        inner = hashlib.sha256((pad ^ _INNER).to_bytes(_BLOCK_SIZE, "little"))
        inner.update(data)
        outer = hashlib.sha256((pad ^ _OUTER).to_bytes(_BLOCK_SIZE, "little"))
        outer.update(inner.digest())
        return outer.digest()


try:
    from .crypto_library import aead_open, aead_seal, x25519, x25519_base
except ImportError:
    # No library: our own modules. The assembler ones don't compile where the processor is another.
    try:
        from .chacha20poly1305_thumb import aead_open, aead_seal
        from .x25519_thumb import x25519, x25519_base
    except (ImportError, SyntaxError, ValueError):
        from .chacha20 import chacha20_xor
        from .chacha20poly1305 import ChaCha20Poly1305
        from .poly1305 import poly1305
        from .x25519 import x25519, x25519_base  # noqa: F401 -- exported

        _aead = ChaCha20Poly1305(chacha20_xor, poly1305)
        aead_seal = _aead.seal
        aead_open = _aead.open
