# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""TOTP: codes by time (RFC 6238)."""

import hashlib

from .compare import same_code
from .digests import name_of
from .exceptions import OTPVerificationError
from .moment import unix_now, unix_seconds
from .otp import OTP, refuse_unfit
from .uri import build_uri

_MAX_INTERVAL = 120  # NIST SP 800-63B-4 section 3.1.4.1: a new code at least every two minutes
_YEAR_10000 = 253402300800


class TOTP(OTP):
    """Codes by time. `interval`: seconds a code lasts, 1 to 120; the rest as in `OTP`.

    Times are integers of seconds since 1970-01-01 00:00 UTC, below the year 10000 (ValueError). Floats and
    datetimes do too, but a microcontroller's float cannot hold a time to the second.
    """

    def __init__(self, s, *, digits=6, digest=None, name=None, issuer=None, interval=30):
        refuse_unfit(digest)
        if not 0 < interval <= _MAX_INTERVAL:
            raise ValueError("interval must be positive and at most 120 seconds")
        self.interval = interval
        super().__init__(
            s, digits=digits, digest=hashlib.sha1 if digest is None else digest, name=name, issuer=issuer
        )

    def at(self, for_time, *, counter_offset=0):
        """Return the code, a str, for a time, or for `counter_offset` steps after it."""
        return self.generate_otp(self.timecode(for_time) + counter_offset)

    def now(self):
        """Return the code for the time of the interpreter's clock."""
        return self.at(unix_now())

    def timecode(self, for_time):
        """Return the step that a time is in: floor(time / interval)."""
        seconds = unix_seconds(for_time)
        if not 0 <= seconds < _YEAR_10000:
            raise ValueError("the time must be between 1970 and the year 9999")
        seconds = int(seconds)
        if isinstance(self.interval, int):
            return seconds // self.interval
        return int(seconds / self.interval)

    def verify(self, otp, *, for_time=None, valid_window=0):
        """Tell whether `otp` is right at a time (None: the interpreter's clock).

        `valid_window`: steps accepted on each side. Every code of the window is computed and compared, right
        or wrong. Raises ValueError if a step of the window is before 1970.
        """
        return self._match(otp, for_time, valid_window or 0) is not None

    def verify_and_get_timecode(self, otp, *, for_time=None, valid_window=0):
        """Return the step that `otp` is the code of, to be kept and never accepted again.

        Arguments as for `verify`. Raises OTPVerificationError if there is none, ValueError for a negative
        window.
        """
        if valid_window < 0:
            raise ValueError("valid_window must not be negative")
        step = self._match(otp, for_time, valid_window)
        if step is None:
            raise OTPVerificationError("the code is not one of the window")
        return step

    def _match(self, otp, for_time, window):
        """Return the first step of the window whose code is `otp`, or None, after trying them all."""
        step = self.timecode(unix_now() if for_time is None else for_time)
        typed = str(otp)
        found = None
        for candidate in range(step - window, step + window + 1):
            same = same_code(typed, self.generate_otp(candidate))
            if same and found is None:
                found = candidate
        return found

    def provisioning_uri(self, *, name=None, issuer_name=None, **kwargs):
        """Return the otpauth:// URI that authenticator apps read; see `HOTP.provisioning_uri`."""
        return build_uri(
            self.secret,
            name if name else self.name,
            issuer=issuer_name if issuer_name else self.issuer,
            algorithm=name_of(self.digest),
            digits=self.digits,
            period=self.interval,
            **kwargs,
        )
