# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Reading an existing secret that a person brings along: base32, as authenticators and servers write it."""

import base64
import binascii

from understudy.usage import WrongUsage
from understudy_device.protocol import MAX_SECRET, MIN_SECRET

MAX_TEXT = 4096  # characters; far more than any secret


def parse_base32(text: str) -> bytes:
    """The bytes of a base32 secret; spaces, dashes, lower case and missing padding are fine.

    WrongUsage when it is not one, or not of 10 to 64 bytes. The message never quotes the text.
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
