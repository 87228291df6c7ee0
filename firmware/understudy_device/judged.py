# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The verdicts that changed something since power-up, by their requests: for a reply that got lost, when so
many others came before it is asked for again that it is not kept any more. So it is after a restart of the
broker, when all whose logins were under way come back at once.
"""

from .compat import const
from .protocol import VERDICTS

_KEPT = const(256)  # requests: more than log in at once
_BITS = const(30)  # of a small int, which takes no room but its place in the list


class Judged:
    """54 bits of a request's digest stand for it: none that was never made hits one by chance."""

    def __init__(self):
        self._marks = [0] * _KEPT
        self._rest = [0] * _KEPT  # 24 more bits, and the verdict's number
        self._next = 0
        self._asked = (0, 0)

    def asked(self, digest):
        """The name of the verdict on the request with this digest (32 bytes), or None; it is the one that
        `told` will be about."""
        mark = int.from_bytes(digest[4:8], "big") & (1 << _BITS) - 1
        rest = int.from_bytes(digest[8:11], "big") << 4
        self._asked = (mark, rest)
        if mark not in self._marks:
            return None
        found = self._rest[self._marks.index(mark)]
        return VERDICTS[found & 15] if found & ~15 == rest else None

    def told(self, verdict):
        """The verdict is on flash; what it was about was used up."""
        mark, rest = self._asked
        self._marks[self._next] = mark
        self._rest[self._next] = rest | VERDICTS.index(verdict)
        self._next = (self._next + 1) % _KEPT
