# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What both ends derive from keys: names, the host's wrap secret, and the six digits that a person compares.

Noise's initiator speaks last in XX, so digits taken from the handshake hash alone could be steered: someone
in the middle tries static keys until the digits of the two handshakes agree, a million tries at most. So the
device commits to a nonce in message 2 and opens it after message 3, which carries a nonce of the host's:
neither end can choose after seeing the other. That leaves one guess in a million for each handshake, of which
the device allows protocol.MAX_PAIRINGS a minute.
"""

from .compat import hmac_sha256, sha256
from .protocol import KEY_ID

_LABEL = b"understudy sas"


def commitment(nonce):
    """What the device says of its `nonce` (16 bytes) in message 2: 32 bytes."""
    return sha256(_LABEL + nonce)


def pairing_code(handshake_hash, nonce):
    """The six digits, as text, from Noise's handshake hash (32 bytes) and the device's nonce (16 bytes)."""
    number = int.from_bytes(hmac_sha256(handshake_hash, _LABEL + nonce)[:4], "big")
    return "%06d" % (number % 1000000)


def key_id(public_key):
    """The 8 bytes that name a static key: a device's id, or a host's."""
    return sha256(public_key)[:KEY_ID]


def wrap_secret(host_private, device_id):
    """The 32 bytes under which this host's copy of that device's data key is wrapped; only the host can
    derive them."""
    return hmac_sha256(hmac_sha256(b"understudy wrap", host_private), device_id)
