# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The verdict: pure decisions, no store, no clock, no link."""

from .errors import ClockUnset, Disabled, Rejected, Replayed
from .otp import codes, matching, parse_code


def used_up_to(last, now, interval, window, gap):
    """The last step that counts as used at `now` (Unix seconds).

    `gap` is the clock's leap (from, to) around `now`, if any: a step used at or after its end belongs to a
    time that was wrong.
    """
    if gap is not None and last >= gap[1] // interval - window:
        return gap[0] // interval + window
    return last


def judge(credential, window, last, now, gap, text):
    """The step to burn for an accepted code; any other verdict is raised.

    `credential`: records.Credential; `window`: steps either side; `last`: the last used step, -1 for none;
    `now`: Unix seconds or None; `gap`: see `used_up_to`; `text`: what was typed. Raises Disabled, ClockUnset,
    MalformedCode, Replayed or Rejected.
    """
    if not credential.confirmed:
        raise Disabled("enrolment was not finished: add the user again")
    return match(credential, window, last, now, gap, text)


def match(credential, window, last, now, gap, text):
    """As `judge`, for a credential that may still wait for its first code."""
    if now is None:
        raise ClockUnset()
    code = parse_code(text, credential.digits)
    present = now // credential.interval
    steps = list(range(max(0, present - window), present + window + 1))
    hits = matching(codes(credential.secret, credential.algorithm, credential.digits, steps), code)
    if not hits:
        raise Rejected()
    used = used_up_to(last, now, credential.interval, window, gap)
    for hit in hits:
        if steps[hit] > used:
            return steps[hit]
    raise Replayed()
