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

# Where each name lives. A module is imported when a name of its is first asked for: a verifier takes the
# parts (`digests`, `base32`, `uri`), and has no RAM to spare for the rest.
_MODULES = {
    "HOTP": "hotp",
    "OTP": "otp",
    "TOTP": "totp",
    "OTPVerificationError": "exceptions",
    "PyOTPError": "exceptions",
    "parse_uri": "otpauth",
    "random_base32": "random_secret",
    "random_hex": "random_secret",
}
__all__ = tuple(_MODULES)


def __getattr__(name):
    """What `__all__` names, or a module; AttributeError for anything else."""
    try:
        # MicroPython asks here for the modules, too.
        value = __import__("pyotp." + _MODULES.get(name, name), None, None, (name,))
    except ImportError:
        raise AttributeError(name)
    if name in _MODULES:
        value = globals()[name] = getattr(value, name)
    return value
