# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a screen says, as lines of at most 16 characters: a pure function of state."""

from .protocol import CLOCK_UNSET

_WIDTH = 16  # characters of an 8x8 font on a display 128 pixels wide


def _cut(text):
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "~"


def idle(state, clock_state):
    """Nothing is going on."""
    lines = ["Understudy", state]
    if clock_state == CLOCK_UNSET:
        lines.append("CLOCK UNSET")
    return lines


def pairing(code):
    """The six digits (text) to compare with the host's."""
    return ["Pairing", code[:3] + " " + code[3:], "the same there?"]


def verdict(status, user):
    """The last verdict."""
    return [_cut(status.upper()), _cut(user)]
