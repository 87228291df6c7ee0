# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""One-time codes as the verifier needs them: integers in, code values out (RFC 4226 section 5.3, RFC 6238
section 4)."""

from pyotp.base32 import encode as b32encode
from pyotp.digests import Hmac
from pyotp.percent import quote
from pyotp.uri import build_uri

from .compat import micropython


def codes(secret, algorithm, digits, counters):
    """The codes (integers) for each of `counters`: RFC 4226's dynamic truncation over one keyed HMAC."""
    mac = Hmac(secret, algorithm.lower()).digest
    modulus = 10**digits
    return [_truncate(mac(counter.to_bytes(8, "big"))) % modulus for counter in counters]


@micropython.native
def _truncate(digest):
    offset = digest[-1] & 15
    return int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF


def matching(expected, code):
    """Indices of the values in `expected` equal to `code`.

    Every one is compared, whichever matches, so that time says nothing.
    """
    return [index for index, difference in enumerate([value ^ code for value in expected]) if not difference]


def short_uris(credential, label, issuer, counter=None):
    """`provisioning_uri` for a picture that has to be small, the best first: the issuer is named once, or not
    at all."""
    uri = provisioning_uri(credential, label, None, counter)
    return uri + "&issuer=" + quote(issuer), uri


def provisioning_uri(credential, label, issuer, counter=None):
    """The otpauth URI (Google Authenticator's key URI format) of a users.Credential with its secret: told
    once, kept nowhere. `counter`: of an HOTP credential.

    Built without pyotp's classes, whose limits on secret and interval are narrower than what may be imported
    here.
    """
    return build_uri(
        b32encode(credential.secret),
        label,
        initial_count=counter,
        issuer=issuer,
        algorithm=credential.algorithm.lower(),
        digits=credential.digits,
        period=credential.interval,
    )
