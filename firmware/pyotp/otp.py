# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What HOTP and TOTP share: a secret, and the way from a counter to a code (RFC 4226, section 5.3)."""

import hashlib

from . import base32
from .digests import Hmac

_MIN_SECRET_BYTES = 14  # 112 bits, NIST SP 800-63B-4 section 3.1.4.1
_MIN_DIGEST_BYTES = 18  # the truncation reads 4 bytes at an offset of 0 to 15; PyPI's limit, kept
_COUNTER_BYTES = 8


def refuse_unfit(digest):
    """Raise ValueError for a hash function known to be unfit. `digest` as in `digests.constructor`."""
    for name in ("md5", "shake_128"):
        if digest == getattr(hashlib, name, refuse_unfit):
            raise ValueError("the digest must be at least 18 bytes long")


def counter_bytes(count):
    """Return a counter as RFC 4226 hashes it: 8 bytes, big end first; more if it needs more."""
    if not count:
        return bytes(_COUNTER_BYTES)
    count = count | 0  # refuses what is no integer, with TypeError
    size = _COUNTER_BYTES
    rest = count >> 8 * _COUNTER_BYTES
    while rest:
        size += 1
        rest >>= 8
    return count.to_bytes(size, "big")


def truncate(mac, digits):
    """Return the code, a str of `digits` digits, that a MAC stands for (RFC 4226, section 5.3)."""
    offset = mac[-1] & 0xF
    value = (mac[offset] & 0x7F) << 24 | mac[offset + 1] << 16 | mac[offset + 2] << 8 | mac[offset + 3]
    text = str(value % 10**digits)
    return "0" * (digits - len(text)) + text


def code_at(mac, count, digits):
    """Return the code for one counter. `mac`: a `digests.Hmac` under the secret. For use without the
    classes."""
    return truncate(mac.digest(counter_bytes(count)), digits)


class OTP:
    """Base of HOTP and TOTP.

    `s`: the secret in base32, at least 112 bits. `digits`: 6 to 10. `digest`: a hash constructor or its name.
    `name`, `issuer`: labels for the provisioning URI. Raises ValueError, or binascii.Error from the base32.
    """

    def __init__(self, s, *, digits=6, digest=hashlib.sha1, name=None, issuer=None):
        if not 6 <= digits <= 10:
            raise ValueError("digits must be between 6 and 10")
        refuse_unfit(digest)
        self.digits = digits
        self.digest = digest
        self.secret = s
        self.name = name or "Secret"
        self.issuer = issuer
        self._mac = None
        self._mac_of = None
        self.byte_secret()

    def byte_secret(self):
        """Return the secret as bytes. Raises ValueError if it is shorter than 112 bits."""
        secret = base32.decode(self.secret)
        if len(secret) < _MIN_SECRET_BYTES:
            raise ValueError("the secret must be at least 112 bits long")
        return secret

    def generate_otp(self, input):
        """Return the code for the counter `input`. Raises ValueError if it is negative."""
        if input < 0:
            raise ValueError("the counter must not be negative")
        message = counter_bytes(input)
        mac = self._prepared()
        if mac.digest_size < _MIN_DIGEST_BYTES:
            raise ValueError("the digest must be at least 18 bytes long")
        return truncate(mac.digest(message), self.digits)

    def _prepared(self):
        """Return the HMAC under the secret, made once; `secret` and `digest` are attributes that may be
        set."""
        of = (self.secret, self.digest)
        if self._mac is None or self._mac_of != of:
            self._mac = Hmac(self.byte_secret(), self.digest)
            self._mac_of = of
        return self._mac
