# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the LED says: a pattern for each state, a pure function.

A pattern is text that is played over and over, a character for each `STEP` milliseconds: "X" is on.
"""

from .compat import const
from .protocol import OPEN, SEALED, UNCLAIMED

STEP = const(125)  # milliseconds
_VERDICT_SECONDS = const(2)

ON = "X"
FAST = "X."  # fault
_VERDICT = {True: ON, False: "XX.."}
_IDLE = {
    OPEN: "X" + "." * 23,
    SEALED: "X.X" + "." * 21,
    UNCLAIMED: "X.X.X" + "." * 19,
}


def pattern(state, verdict=None, age=0):
    """The pattern for a device in `state` (one of protocol's) whose last `verdict`, if any, is `age` seconds
    old."""
    if verdict is not None and age < _VERDICT_SECONDS and state in _IDLE:
        return _VERDICT[verdict == "accepted"]
    return _IDLE.get(state, FAST)
