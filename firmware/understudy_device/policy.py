# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The verdict: pure decisions, no store, no clock, no link."""

from .errors import ClockUnset, Disabled, Rejected, Replayed
from .otp import codes, matching, parse_code
from .protocol import WINDOW_FIELD
from .records import Use


def is_fresh(step, use, interval, moment):
    """Whether a right code's `step` (of `interval` seconds) has never been used.

    `use`: records.Use; `moment`: see Moment. A step after the last one ever is. While the clock shows a time
    before others that it has shown, so is one that no span of those, widened by the largest window there is,
    can have accepted, and that comes after the last one of this run.
    """
    if step > use.last:
        return True
    if moment.ahead is None or (use.run == moment.run and step <= use.recent):
        return False
    margin = WINDOW_FIELD.high
    return moment.ended // interval + margin < step < moment.ahead // interval - margin


class Moment:
    """The time to judge by, Unix seconds or None, and what the clock says around it (clock.Clock.unseen)."""

    def __init__(self, clock):
        self.now = clock.now()
        self.run = clock.run
        self.ended, self.ahead = clock.unseen(self.now) if self.now is not None else (0, None)


def judge(credential, window, use, moment, text):
    """The records.Use to keep for an accepted code; any other verdict is raised.

    `credential`: records.Credential; `window`: steps either side; `use`: records.Use; `moment`: Moment;
    `text`: what was typed. Raises Disabled, ClockUnset, MalformedCode, Replayed or Rejected.
    """
    if not credential.confirmed:
        raise Disabled("enrolment was not finished: add the user again")
    return match(credential, window, use, moment, text)


def match(credential, window, use, moment, text):
    """As `judge`, for a credential that may still wait for its first code."""
    if moment.now is None:
        raise ClockUnset()
    code = parse_code(text, credential.digits)
    present = moment.now // credential.interval
    steps = list(range(max(0, present - window), present + window + 1))
    hits = matching(codes(credential.secret, credential.algorithm, credential.digits, steps), code)
    if not hits:
        raise Rejected()
    for hit in hits:
        if is_fresh(steps[hit], use, credential.interval, moment):
            return Use(max(use.last, steps[hit]), steps[hit], moment.run)
    raise Replayed()
