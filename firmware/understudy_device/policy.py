# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The verdict: pure decisions, no store, no clock, no link. Every combination of inputs has exactly one."""

from .compat import const, constant_time_equal, sha256
from .otp import codes, matching
from .protocol import HOTP, MAX_WINDOW, TOTP
from .users import CODE_HASH, TotpUse

_LOOK_BEHIND = const(1)  # HOTP counters for which a code is told to be used, rather than wrong
RESYNC_STEPS = const(60)  # either side of the device's time; a drift fits into a signed byte
RESYNC_COUNTERS = const(100)  # RFC 4226 section 7.4

# What trying a code against one credential comes to.
_HIT = const(0)
_USED = const(1)  # right, and not for the first time
_MISS = const(2)
_UNTIMED = const(3)  # needs a clock, and there is none


class Moment:
    """The time to judge by, Unix seconds or None, how far it may be off (seconds), and what the clock says
    around it (clock.Clock.unseen)."""

    def __init__(self, clock):
        self.now = clock.now()
        self.error = clock.error
        self.run = clock.run
        self.ended, self.ahead = clock.unseen(self.now) if self.now is not None else (0, None)


class Decision:
    """`verdict`: one of protocol.VERDICTS; `state`: the users.State to keep, None when nothing changes;
    `credential`: the one that accepted or knew the code; `seconds`: to wait, when throttled; `is_guess`:
    whether it counts as a wrong code."""

    def __init__(self, verdict, state=None, credential=None, seconds=0, is_guess=False):
        self.verdict = verdict
        self.state = state
        self.credential = credential
        self.seconds = seconds
        self.is_guess = is_guess


def decide(user, state, text, moment, wait, settings):
    """The Decision about what was typed.

    `user`: users.User; `state`: users.State; `text`: what was typed; `moment`: Moment; `wait`: seconds that
    the throttle still asks for; `settings`: every key of protocol.SETTINGS.
    """
    refusal = _refusal(user, moment, wait)
    if refusal is not None:
        return Decision(refusal, seconds=wait)
    code = digits_of(text)
    return _judge([one for one in user.credentials if one.usable], state, code, moment, settings)


def _refusal(user, moment, wait):
    """The verdict that stands before any code is looked at, or None."""
    if not user.enabled:
        return "disabled"
    if not any(one.usable for one in user.credentials):
        # One who was reset gets in by a bypass code, if an admin has made one.
        unused = user.pending or not any(one.confirmed for one in user.credentials)
        return "pending" if unused else "disabled"
    return _out_of_dates(user, moment) or ("throttled" if wait else None)


def _out_of_dates(user, moment):
    """ "expired" outside of the user's dates, "clock-unset" where that can't be told, or None."""
    if user.valid_from or user.valid_until:
        if moment.now is None:
            return "clock-unset"
        if moment.now < user.valid_from or (user.valid_until and moment.now >= user.valid_until):
            return "expired"
    return None


def standing(user, moment):
    """A user in one word, whatever may be typed: disabled, expired, clock-unset (the dates can't be judged),
    pending, unconfirmed or active. Not before the dates are judged: who may not log in may not enrol."""
    if not user.enabled:
        return "disabled"
    out = _out_of_dates(user, moment)
    if out is not None:
        return out
    if user.pending:
        return "pending"
    if any(one.usable for one in user.credentials):
        return "active"
    return "disabled" if any(one.confirmed for one in user.credentials) else "unconfirmed"


def has_codes(user, state, moment):
    """Whether the user has any credential to judge a code by. Of a pending one, who is to enrol, codes that
    the device has made count only while one of them could still be right."""
    return any(
        one.usable and (not user.pending or one.kind in (TOTP, HOTP) or _is_left(one, state, moment.now))
        for one in user.credentials
    )


def _is_left(credential, state, now):
    if credential.until and (now is None or now >= credential.until):
        return False
    return state.number(credential) != (1 << len(credential.hashes)) - 1


def confirm(credential, state, text, moment, settings):
    """The Decision about the first code of a credential, which is not in use yet; a wrong one is no guess."""
    decision = _judge([credential], state, digits_of(text), moment, settings)
    return decision if decision.verdict == "accepted" else Decision(decision.verdict)


def digits_of(text):
    """What was typed, without the spaces and dashes that people type; "" if it can't be a code.

    ASCII digits only: str.isdigit would take other scripts' as well.
    """
    plain = text.replace(" ", "").replace("-", "")
    for char in plain:
        if char not in "0123456789":
            return ""
    return plain


def _judge(credentials, state, code, moment, settings):
    """The Decision of all credentials together: every one is tried, whichever knows the code."""
    tried = [
        (_try(one, state, code, moment, settings), one) for one in credentials if one.digits == len(code)
    ]
    if not tried:
        return Decision("malformed")
    # Two credentials may share a secret: what one has used is used for the other, even if that was off then.
    known = [one.secret for (outcome, _), one in tried if outcome == _USED]
    hits = [(one, use) for (outcome, use), one in tried if outcome == _HIT and one.secret not in known]
    if hits:
        for one, use in hits:
            state = state.with_use(one, use)
        return Decision("accepted", state, hits[0][0])
    for (outcome, _), one in tried:
        if outcome == _USED:
            return Decision("replayed", None, one)
    outcomes = [outcome for (outcome, _), _ in tried]
    # Where there was something to guess at, it counts, whatever else could not be looked at.
    failed = state.failed() if _MISS in outcomes else None
    verdict = "clock-unset" if _UNTIMED in outcomes else "rejected"
    return Decision(verdict, failed, is_guess=failed is not None)


def _try(credential, state, code, moment, settings):
    """(outcome, bytes to keep of a hit)."""
    if credential.kind == TOTP:
        return _try_totp(credential, state, int(code), moment, settings)
    if credential.kind == HOTP:
        return _try_hotp(credential, state.number(credential), int(code), settings["look_ahead"])
    return _try_made(credential, state.number(credential), code, moment.now)


# TOTP (RFC 6238).


def window_of(credential, settings):
    """Steps either side."""
    return settings["window"] if credential.window is None else credential.window


def widened(window, interval, error, widest):
    """Steps either side, where the clock may be `error` seconds off.

    The window is there for the user's clock, and for the time that typing takes; what the device's own may be
    off comes on top, in whole steps. Less than one is within what any window lets through at its edges, so a
    clock that is kept right costs nothing here. `widest`: the setting widest_window, which bounds it, for
    each step is one more code that is right; it never makes a window narrower than its own setting.
    """
    steps = error // interval
    return window if not steps else max(window, min(window + steps, widest))


def _around(centre, reach):
    return range(max(0, centre - reach), centre + reach + 1)


def _try_totp(credential, state, code, moment, settings):
    if moment.now is None:
        return _UNTIMED, b""
    use = state.totp(credential)
    present = moment.now // credential.interval
    window = window_of(credential, settings)
    reach = widened(window, credential.interval, moment.error, settings["widest_window"])
    steps = _around(present, reach)
    if use.drift:  # around the time that this credential was last seen to have, too
        steps = sorted(set(steps) | set(_around(present + use.drift, reach)))
    hits = matching(codes(credential.secret, credential.algorithm, credential.digits, steps), code)
    for hit in hits:
        if is_fresh(steps[hit], use, credential.interval, moment):
            # No further than a resync has set it. Nor by the device's own error, which will be put right.
            bound = max(window, abs(use.drift))
            drift = min(max(steps[hit] - present, -bound), bound)
            return _HIT, used(steps[hit], drift, use, moment).pack()
    return (_USED if hits else _MISS), b""


def used(step, drift, use, moment):
    """What is kept of a credential (users.TotpUse) once the code of `step` was taken."""
    return TotpUse(max(use.last, step), drift, step, moment.run)


def is_fresh(step, use, interval, moment):
    """Whether a right code's `step` (of `interval` seconds) has never been used.

    `use`: users.TotpUse; `moment`: see Moment. A step after the last one ever is. While the clock shows a
    time before others that it has shown, so is one that no span of those, widened by the largest reach there
    is, can have accepted, and that comes after the last one of this run.
    """
    if step > use.last:
        return True
    if moment.ahead is None or (use.in_run(moment.run) and step <= use.recent):
        return False
    margin = MAX_WINDOW + RESYNC_STEPS
    return moment.ended // interval + margin < step < moment.ahead // interval - margin


# HOTP (RFC 4226).


def _try_hotp(credential, counter, code, look_ahead):
    first = max(0, counter - _LOOK_BEHIND)
    counters = range(first, counter + look_ahead + 1)
    hits = matching(codes(credential.secret, credential.algorithm, credential.digits, counters), code)
    for hit in hits:
        if first + hit >= counter:
            return _HIT, (first + hit + 1).to_bytes(5, "big")
    return (_USED if hits else _MISS), b""


# Recovery and bypass codes, made by the device.


def code_hash(salt, code):
    """The bytes that are kept of a code (text)."""
    return sha256(salt + code.encode())[:CODE_HASH]


def _try_made(credential, bits, code, now):
    if credential.until and now is None:
        return _UNTIMED, b""
    wanted = code_hash(credential.salt, code)
    hits = [i for i, kept in enumerate(credential.hashes) if constant_time_equal(kept, wanted)]
    if not hits or (credential.until and now >= credential.until):
        return _MISS, b""
    if bits >> hits[0] & 1:
        return _USED, b""
    return _HIT, (bits | 1 << hits[0]).to_bytes(2, "big")


# Putting a credential right by two codes in a row (RFC 4226 section 7.4).


def resync(user, credential, state, texts, moment, wait):
    """The Decision about two codes in a row: accepted, with the State in which the credential goes on after
    the second; none of it lets anyone in. Arguments as of `decide`."""
    refusal = _refusal(user, moment, wait)
    if refusal is None and not credential.usable:
        refusal = "disabled"
    wanted = [digits_of(text) for text in texts]
    if refusal is None and any(len(code) != credential.digits for code in wanted):
        refusal = "malformed"
    if refusal is None and credential.kind == TOTP and moment.now is None:
        refusal = "clock-unset"
    if refusal is not None:
        return Decision(refusal, seconds=wait)
    resynced = _resync_totp if credential.kind == TOTP else _resync_hotp
    outcome, use = resynced(credential, state, [int(code) for code in wanted], moment)
    if outcome == _HIT:
        return Decision("accepted", state.with_use(credential, use), credential)
    if outcome == _USED:
        return Decision("replayed", None, credential)
    return Decision("rejected", state.failed(), is_guess=True)


def _second_hits(credential, counters, wanted):
    """The counters of second codes whose pair is the wanted one; every pair is compared."""
    made = codes(credential.secret, credential.algorithm, credential.digits, counters)
    pairs = [(first << 40) + second for first, second in zip(made, made[1:])]
    return [counters[hit + 1] for hit in matching(pairs, (wanted[0] << 40) + wanted[1])]


def _resync_totp(credential, state, wanted, moment):
    present = moment.now // credential.interval
    use = state.totp(credential)
    hits = _second_hits(credential, _around(present, RESYNC_STEPS), wanted)
    for step in hits:
        if is_fresh(step, use, credential.interval, moment):
            return _HIT, used(step, step - present, use, moment).pack()
    return (_USED if hits else _MISS), b""


def _resync_hotp(credential, state, wanted, _moment):
    counter = state.number(credential)
    hits = _second_hits(credential, range(counter, counter + RESYNC_COUNTERS + 1), wanted)
    return (_HIT, (hits[0] + 1).to_bytes(5, "big")) if hits else (_MISS, b"")
