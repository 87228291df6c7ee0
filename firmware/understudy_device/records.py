# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The records of the store: their kinds, numbered once, and their layouts, as bytes."""

import struct

from .compat import const
from .errors import StoreDamaged
from .protocol import ALGORITHMS, ROLES, SETTINGS

# Kinds. A retired number stays retired.
IDENTITY = const(1)  # the device's static private key, 32 bytes
SEED = const(2)  # of the entropy pool, 32 bytes
HOST = const(3)  # one per paired host key
SETTING = const(4)
CLOCK = const(5)  # floor and leaps, unix seconds
CREDENTIAL = const(6)  # tag, nonce, sealed Credential
USE = const(7)  # of the credential with the same number: last used step

_HOST = ">32sB12s48s"  # public key, role, nonce, wrapped data key; then the name
_HOST_SIZE = const(93)
_SETTING = ">BHBB"  # digits, interval, window, algorithm
_CREDENTIAL = ">BBHBB"  # flags, digits, interval, window, algorithm; then the texts
_CREDENTIAL_SIZE = const(6)
_FOLLOW = const(0xFF)  # window: the device's setting
_CONFIRMED = const(1)


def _pack_texts(*texts):
    out = b""
    for text in texts:
        data = text if isinstance(text, bytes) else text.encode()
        out += bytes((len(data),)) + data
    return out


def _unpack_texts(data, count):
    out = []
    for _ in range(count):
        end = 1 + data[0]
        out.append(data[1:end])
        data = data[end:]
    return out


class Host:
    """A paired host: static public key, role, name, and the data key wrapped for it (nonce, 32 bytes and
    tag)."""

    def __init__(self, public_key, role, name, nonce, wrapped):
        self.public_key = public_key
        self.role = role
        self.name = name
        self.nonce = nonce
        self.wrapped = wrapped

    def pack(self):
        """To bytes."""
        head = struct.pack(_HOST, self.public_key, ROLES.index(self.role), self.nonce, self.wrapped)
        return head + self.name.encode()

    @staticmethod
    def unpack(data):
        """From bytes; StoreDamaged when they are not a host's."""
        if len(data) < _HOST_SIZE:
            raise StoreDamaged("a host's record is too short")
        public_key, role, nonce, wrapped = struct.unpack(_HOST, data[:_HOST_SIZE])
        return Host(public_key, ROLES[role], data[_HOST_SIZE:].decode(), nonce, wrapped)


class Credential:
    """A user's TOTP credential. `window` is None when it follows the device's setting."""

    def __init__(self, user, secret, issuer, label, digits, interval, window, algorithm, confirmed):
        self.user = user
        self.secret = secret
        self.issuer = issuer
        self.label = label
        self.digits = digits
        self.interval = interval  # seconds
        self.window = window  # steps
        self.algorithm = algorithm
        self.confirmed = confirmed

    def pack(self):
        """To bytes (to be sealed)."""
        head = struct.pack(
            _CREDENTIAL,
            _CONFIRMED if self.confirmed else 0,
            self.digits,
            self.interval,
            _FOLLOW if self.window is None else self.window,
            ALGORITHMS.index(self.algorithm),
        )
        return head + _pack_texts(self.user, self.secret, self.issuer, self.label)

    @staticmethod
    def unpack(data):
        """From bytes (already opened)."""
        flags, digits, interval, window, algorithm = struct.unpack(_CREDENTIAL, data[:_CREDENTIAL_SIZE])
        user, secret, issuer, label = _unpack_texts(data[_CREDENTIAL_SIZE:], 4)
        return Credential(
            user.decode(),
            secret,
            issuer.decode(),
            label.decode(),
            digits,
            interval,
            None if window == _FOLLOW else window,
            ALGORITHMS[algorithm],
            bool(flags & _CONFIRMED),
        )


def pack_settings(settings):
    """Device settings (every key of protocol.SETTINGS) to bytes."""
    return struct.pack(
        _SETTING,
        settings["digits"],
        settings["interval"],
        settings["window"],
        ALGORITHMS.index(settings["algorithm"]),
    )


def unpack_settings(data):
    """Bytes to device settings."""
    digits, interval, window, algorithm = struct.unpack(_SETTING, data)
    values = {"digits": digits, "interval": interval, "window": window, "algorithm": ALGORITHMS[algorithm]}
    return {name: SETTINGS[name].check(name, value) for name, value in values.items()}


def pack_step(step):
    """Last used step; kept plus one, so that 0 can say never."""
    return struct.pack(">Q", step + 1)


def unpack_step(data):
    """Last used step, -1 for never."""
    return struct.unpack(">Q", data)[0] - 1


def pack_clock(floor, leaps):
    """Clock floor and leaps [(from, to)], unix seconds."""
    return struct.pack(">Q", floor) + b"".join(struct.pack(">QQ", *leap) for leap in leaps)


def unpack_clock(data):
    """(floor, leaps), unix seconds."""
    leaps = [struct.unpack(">QQ", data[i : i + 16]) for i in range(8, len(data), 16)]
    return struct.unpack(">Q", data[:8])[0], leaps
