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
CLOCK = const(5)  # floor and the spans of time shown, unix seconds
CREDENTIAL = const(6)  # tag, nonce, sealed Credential
USE = const(7)  # of the credential with the same number: last used steps

# Kinds whose superseded records are overwritten: a wrap of the data key, a sealed secret.
SECRET_KINDS = (HOST, CREDENTIAL)

_HOST = ">32sB12s48s"  # public key, role, nonce, wrapped data key; then the name
_HOST_SIZE = const(93)
_SETTING = ">BHBB"  # digits, interval, window, algorithm
_CREDENTIAL = ">BBHBB"  # flags, digits, interval, window, algorithm; then the texts
_CREDENTIAL_SIZE = const(6)
_USE = ">QQI"  # steps plus one, run of the clock
_CLOCK_SIZE = const(149)  # floor, run, start, count and eight spans
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


class Use:
    """What a credential has used:

    `last` step ever, -1 for none; `recent`: the last one in the clock's run `run`.
    """

    def __init__(self, last=-1, recent=-1, run=0):
        self.last = last
        self.recent = recent
        self.run = run

    def pack(self):
        """To bytes; steps are kept plus one, so that 0 can say never."""
        return struct.pack(_USE, self.last + 1, self.recent + 1, self.run)

    @staticmethod
    def unpack(data):
        """From bytes."""
        last, recent, run = struct.unpack(_USE, data)
        return Use(last - 1, recent - 1, run)


def pack_clock(floor, run, began, spans):
    """Clock floor, run, its start and the earlier spans [(from, to)]; unix seconds.

    Always of the same size.
    """
    body = struct.pack(">QIQB", floor, run, began, len(spans))
    for span in spans:
        body += struct.pack(">QQ", *span)
    return body + bytes(_CLOCK_SIZE - len(body))


def unpack_clock(data):
    """(floor, run, began, spans)."""
    floor, run, began, count = struct.unpack(">QIQB", data[:21])
    return floor, run, began, [struct.unpack(">QQ", data[i : i + 16]) for i in range(21, 21 + 16 * count, 16)]
