# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The records of the store: their kinds, numbered once, and their layouts, as bytes."""

import struct

from .compat import const
from .errors import StoreDamaged
from .protocol import ALGORITHMS, DEFAULTS, MAX_TIME, ROLES, SETTINGS

# Kinds. A retired number stays retired.
IDENTITY = const(1)  # the device's static private key, 32 bytes
SEED = const(2)  # of the entropy pool, 32 bytes
HOST = const(3)  # one per paired host key
SETTING = const(4)
CLOCK = const(5)  # floor and the spans of time shown, unix seconds
OLD_CREDENTIAL = const(6)  # retired; schema 1: tag, nonce, sealed credential
OLD_USE = const(7)  # retired; schema 1: last used steps of the credential with the same number
USER = const(8)  # tag, nonce, sealed User
STATE = const(9)  # of the user with the same number: failures, and what each credential has used
EVENT = const(10)  # of the audit log; the number is the low half of the event's
CHAIN = const(11)  # number of the next event and the hash before it: begins each sector of the journal
LIMIT = const(12)  # wrong codes of the whole device
RTC = const(13)  # when the clock chip was set, and how right the time was
RESET = const(15)  # a factory reset is not finished, see `reset`; who asked for it

# Kinds that change with every request; what is superseded of all others is scrubbed, see `log`.
JOURNAL_KINDS = (CLOCK, STATE, EVENT, CHAIN, LIMIT)

_HOST = ">32sB12s48s"  # public key, role, nonce, wrapped data key; then the name
_HOST_SIZE = const(93)
_SETTING_1 = ">BHBB"  # schema 1: digits, interval, window, algorithm
_SETTING_2 = ">BHBBBBHIH"  # ... look_ahead, attempts, delay, max_delay, device_attempts
_SETTING_3 = ">BHBBBBHIHBB"  # ... presence, widest_window
_SETTING = ">BHBBBBHIHBBB"  # ... enrol_at_login
_SETTINGS_FROM_2 = (
    "look_ahead",
    "attempts",
    "delay",
    "max_delay",
    "device_attempts",
    "presence",
    "widest_window",
    "enrol_at_login",
)
_FLAGS = ("presence", "enrol_at_login")
_CLOCK = ">IIIB"  # floor, run, start, count of spans; then those
_SPAN = ">II"
_CLOCK_1 = ">QIQB"  # schema 1, eight spans always
_SPAN_1 = ">QQ"
_CLOCK_1_SIZE = const(149)
_RTC = ">IIB"
_CHAIN = ">I32s"
CHAIN_SIZE = const(36)


class Host:
    """A paired host: static public key, role, name, and the data key wrapped for it (nonce, 32 bytes and
    tag)."""

    def __init__(self, public_key, role, name, nonce, wrapped, number=None):
        self.public_key = public_key
        self.role = role
        self.name = name
        self.nonce = nonce
        self.wrapped = wrapped
        self.number = number

    def pack(self):
        """To bytes."""
        head = struct.pack(_HOST, self.public_key, ROLES.index(self.role), self.nonce, self.wrapped)
        return head + self.name.encode()

    @staticmethod
    def unpack(data, number):
        """From bytes; StoreDamaged when they are not a host's."""
        if len(data) < _HOST_SIZE:
            raise StoreDamaged("a host's record is too short")
        public_key, role, nonce, wrapped = struct.unpack(_HOST, data[:_HOST_SIZE])
        return Host(public_key, ROLES[role], data[_HOST_SIZE:].decode(), nonce, wrapped, number)


def pack_settings(settings):
    """Device settings (every key of protocol.SETTINGS) to bytes."""
    return struct.pack(
        _SETTING,
        settings["digits"],
        settings["interval"],
        settings["window"],
        ALGORITHMS.index(settings["algorithm"]),
        settings["look_ahead"],
        settings["attempts"],
        settings["delay"],
        settings["max_delay"],
        settings["device_attempts"],
        settings["presence"],
        settings["widest_window"],
        settings["enrol_at_login"],
    )


def unpack_settings(data):
    """Bytes to device settings."""
    values = dict(DEFAULTS)
    for layout in (_SETTING_2, _SETTING_3, _SETTING):
        if len(data) == struct.calcsize(layout):
            values.update(zip(_SETTINGS_FROM_2, struct.unpack(layout, data)[4:]))
    for name in _FLAGS:
        values[name] = bool(values[name])
    digits, interval, window, algorithm = struct.unpack(_SETTING_1, data[:5])
    values.update(digits=digits, interval=interval, window=window, algorithm=ALGORITHMS[algorithm])
    return {name: SETTINGS[name].check(name, value) for name, value in values.items()}


def pack_clock(floor, run, began, spans):
    """Clock floor, run, its start and the earlier spans [(from, to)]; unix seconds."""
    body = struct.pack(_CLOCK, floor, run, began, len(spans))
    for span in spans:
        body += struct.pack(_SPAN, *[min(time, MAX_TIME) for time in span])
    return body


def unpack_clock(data):
    """(floor, run, began, spans)."""
    head, span, at = (_CLOCK_1, _SPAN_1, 21) if len(data) == _CLOCK_1_SIZE else (_CLOCK, _SPAN, 13)
    floor, run, began, count = struct.unpack_from(head, data, 0)
    size = struct.calcsize(span)
    spans = [struct.unpack_from(span, data, at + i * size) for i in range(count)]
    return floor, run, began, spans


def pack_rtc(time, error, is_hearsay):
    """When the clock chip was set (Unix seconds), within how many seconds that was right, and whether only a
    host said so."""
    return struct.pack(_RTC, min(time, MAX_TIME), min(error, MAX_TIME), is_hearsay)


def unpack_rtc(data):
    """(time, error, is_hearsay)."""
    time, error, is_hearsay = struct.unpack(_RTC, data)
    return time, error, bool(is_hearsay)


def pack_chain(number, before):
    """The number of the next event and the 32-byte hash before it."""
    return struct.pack(_CHAIN, number, before)


def unpack_chain(data):
    """(number, hash)."""
    return struct.unpack(_CHAIN, data)
