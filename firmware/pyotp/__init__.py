# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""One-time passwords (RFC 4226, RFC 6238) for firmware: a subset of the API of PyPI's pyotp 2.12.

Needs no more than MicroPython's hashlib, binascii, os, struct and time. Results and exception classes are
PyPI's on CPython, except that:

- `digest` also takes the names "sha1", "sha256" and "sha512" throughout (PyPI's provisioning_uri does not);
- Steam codes are not supported: `parse_uri` refuses them with ValueError;
- every code of a window is computed and compared, even after a match;
- the address in the brackets of an `image` host ("https://[::1]/") is not checked.

On MicroPython wrong base32 is a plain ValueError, and numbers in a URI must be ASCII. For verifying without
base32 and objects there are `digests.Hmac` and `otp.code_at`.
"""

from .exceptions import OTPVerificationError, PyOTPError
from .hotp import HOTP
from .otp import OTP
from .otpauth import parse_uri
from .random_secret import random_base32, random_hex
from .totp import TOTP

__all__ = (
    "HOTP",
    "OTP",
    "TOTP",
    "OTPVerificationError",
    "PyOTPError",
    "parse_uri",
    "random_base32",
    "random_hex",
)
