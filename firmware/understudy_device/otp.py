# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""One-time codes as the verifier needs them: integers in, code values out (RFC 4226 section 5.3, RFC 6238
section 4)."""

from pyotp.base32 import encode as b32encode
from pyotp.digests import Hmac
from pyotp.uri import build_uri

from .errors import MalformedCode


def parse_code(text, digits):
    """The code in `text` as an integer. Spaces and dashes people type are dropped.

    Raises MalformedCode for anything but `digits` ASCII digits: str.isdigit would take other scripts' digits
    as well.
    """
    plain = text.replace(" ", "").replace("-", "")
    if len(plain) != digits:
        raise MalformedCode()
    for char in plain:
        if char not in "0123456789":
            raise MalformedCode()
    return int(plain)


def codes(secret, algorithm, digits, counters):
    """The codes (integers) for each of `counters`: RFC 4226's dynamic truncation over one keyed HMAC."""
    hmac = Hmac(secret, algorithm.lower())
    modulus = 10**digits
    return [_truncate(hmac.digest(counter.to_bytes(8, "big"))) % modulus for counter in counters]


def _truncate(digest):
    offset = digest[-1] & 15
    return int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF


def matching(expected, code):
    """Indices of the values in `expected` equal to `code`.

    Every one is compared, whichever matches, so that time says nothing.
    """
    return [index for index, difference in enumerate([value ^ code for value in expected]) if not difference]


def provisioning_uri(credential):
    """The otpauth URI of a records.Credential (Google Authenticator's key URI format), with its secret: told
    once, kept nowhere.

    Built without pyotp's classes, whose limits on secret and interval are narrower than what may be imported
    here.
    """
    return build_uri(
        b32encode(credential.secret),
        credential.label,
        issuer=credential.issuer,
        algorithm=credential.algorithm.lower(),
        digits=credential.digits,
        period=credential.interval,
    )
