# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The exceptions that are this package's own; everything else raises the built-in ones."""


class PyOTPError(Exception):
    """Base of the errors below."""


class OTPVerificationError(PyOTPError):
    """A code matched no step of the window (raised by `TOTP.verify_and_get_timecode`)."""
