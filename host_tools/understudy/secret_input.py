# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Reading an existing secret that a person brings along: base32 or an otpauth URI, as authenticators and
servers write it. No message ever quotes any of it."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from understudy.usage import WrongUsage
from understudy_device.protocol import HOTP, MAX_SECRET, MIN_SECRET, TOTP

MAX_TEXT = 4096  # characters; far more than any secret
_SCHEME = "otpauth://"
_NUMBERS = {"digits": "digits", "period": "interval", "counter": "counter"}  # the URI's name, the protocol's


def parse_secret(text: str) -> dict[str, Any]:
    """The fields of a `user_add` that a base32 secret or an otpauth URI tells; WrongUsage for neither."""
    if text.strip().lower().startswith(_SCHEME):
        return parse_uri(text.strip())
    return {"secret": parse_base32(text).hex()}


def parse_base32(text: str) -> bytes:
    """The bytes of a base32 secret; spaces, dashes, lower case and missing padding are fine.

    WrongUsage when it is not one, or not of 10 to 64 bytes.
    """
    compact = "".join(text.split()).replace("-", "").rstrip("=").upper()
    try:
        secret = base64.b32decode(compact + "=" * (-len(compact) % 8))
    except (binascii.Error, ValueError):
        # Not chained: nothing of the secret may reach a traceback.
        raise WrongUsage("The secret is not base32 (letters A to Z, digits 2 to 7).") from None
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise WrongUsage(f"The secret has {len(secret)} bytes; {MIN_SECRET} to {MAX_SECRET} will do.")
    return secret


def parse_uri(text: str) -> dict[str, Any]:
    """The fields of a `user_add` that an otpauth URI tells: all but the user's name and label."""
    try:
        uri = urlsplit(text)
        values = {name: value[-1] for name, value in parse_qs(uri.query, strict_parsing=True).items()}
    except ValueError:
        raise WrongUsage("The otpauth URI can't be read.") from None
    kind = uri.netloc.lower()
    if kind not in (TOTP, HOTP):
        raise WrongUsage("The otpauth URI is of neither kind, totp or hotp.")
    if "secret" not in values:
        raise WrongUsage("The otpauth URI has no secret.")
    fields: dict[str, Any] = {"secret": parse_base32(values["secret"]).hex(), "kind": kind}
    for name, ours in _NUMBERS.items():
        if name in values:
            fields[ours] = _number(name, values[name])
    if "algorithm" in values:
        fields["algorithm"] = values["algorithm"].upper().replace("-", "")
    prefix, colon, _ = unquote(uri.path).strip("/").partition(":")
    issuer = values.get("issuer", prefix if colon else "").strip()
    if issuer:
        fields["issuer"] = issuer
    return fields


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 10):
        raise WrongUsage(f"The {name} of the otpauth URI is not a number.")
    return int(value)
