# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""HOTP: codes by counter (RFC 4226)."""

import hashlib

from .compare import same_code
from .digests import name_of
from .otp import OTP, refuse_unfit
from .uri import build_uri


class HOTP(OTP):
    """Codes by counter. `initial_count` is added to every counter given; the rest as in `OTP`."""

    def __init__(self, s, *, digits=6, digest=None, name=None, issuer=None, initial_count=0):
        refuse_unfit(digest)
        self.initial_count = initial_count
        super().__init__(
            s, digits=digits, digest=hashlib.sha1 if digest is None else digest, name=name, issuer=issuer
        )

    def at(self, count):
        """Return the code for `count`, a str. Raises ValueError if the sum with `initial_count` is
        negative."""
        return self.generate_otp(self.initial_count + count)

    def verify(self, otp, counter):
        """Tell whether `otp` (str, or anything whose str() is the code) is the code for `counter`."""
        return same_code(str(otp), self.at(counter))

    def provisioning_uri(self, *, name=None, initial_count=None, issuer_name=None, **kwargs):
        """Return the otpauth:// URI that authenticator apps read. The secret is in it.

        `name`, `issuer_name`, `initial_count` override the object's own; other arguments become parameters:
        str only (TypeError), `image` must be an https URL (ValueError).
        """
        return build_uri(
            self.secret,
            name if name else self.name,
            initial_count=self.initial_count if initial_count is None else initial_count,
            issuer=issuer_name if issuer_name else self.issuer,
            algorithm=name_of(self.digest),
            digits=self.digits,
            **kwargs,
        )
