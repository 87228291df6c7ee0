# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""One event of the audit log as bytes, and the hash chain over them; the device and the host tool share this.

The chain is a SHA-256 over the hash before and the event: whoever has seen the newest hash can tell whether
any event before it was changed, dropped or put elsewhere.
"""

import struct

from .compat import const, sha256
from .protocol import EVENTS, NO_ACTOR, NO_SUBJECT

HASH = const(32)  # bytes
FIRST_HASH = bytes(32)  # before the first event of a device's life
NO_TIME = const(0)  # the clock was not set

_FIXED = ">IBHBBI"  # time, event, subject, actor, credential, request
_SIZE = const(13)
_PLAIN = b"\x00"
_SEALED = b"\x01"


class Event:
    """What happened.

    `time`: Unix seconds, NO_TIME if the clock was unset; `code`: a key of protocol.EVENTS; `subject`: the
    user's number (the host's, for events about hosts), or NO_SUBJECT; `actor`: number of the host that asked,
    or NO_ACTOR; `credential`: its number with that user, 0 for none; `request`: a mark of the request, for
    answering it again, 0 for none; `detail`: bytes, text if `sealed` is False, else to be opened with the
    data key first.
    """

    def __init__(
        self,
        time,
        code,
        subject=NO_SUBJECT,
        actor=NO_ACTOR,
        credential=0,
        request=0,
        detail=b"",
        sealed=False,
    ):
        self.time = time
        self.code = code
        self.subject = subject
        self.actor = actor
        self.credential = credential
        self.request = request
        self.detail = detail
        self.sealed = sealed

    @property
    def name(self):
        """The event's name; one that this version does not know is its number."""
        return EVENTS.get(self.code) or "event-%d" % self.code

    def pack(self):
        """To bytes."""
        fixed = struct.pack(
            _FIXED, self.time, self.code, self.subject, self.actor, self.credential, self.request
        )
        if not self.detail:
            return fixed
        return fixed + (_SEALED if self.sealed else _PLAIN) + self.detail

    @staticmethod
    def unpack(data):
        """From bytes; ValueError when they are too few."""
        if len(data) < _SIZE:
            raise ValueError("an event has %d bytes at least" % _SIZE)
        rest = data[_SIZE:]
        return Event(*struct.unpack(_FIXED, data[:_SIZE]), detail=rest[1:], sealed=rest[:1] == _SEALED)


def chain(before, data):
    """The 32-byte hash after an event's bytes `data`, from the one `before` it."""
    return sha256(before + data)
