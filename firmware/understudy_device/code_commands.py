# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The commands about codes, as those in `commands`: what a code does is on flash before the answer leaves."""

from .errors import AlreadyExists, NotFound
from .policy import Moment, confirm, decide
from .policy import resync as decide_resync
from .protocol import HOTP, NO_SUBJECT, TOTP, VERDICT_EVENT, VERDICTS
from .records import LIMIT, STATE
from .throttle import STRANGER
from .users import State


def verify(device, caller, fields):
    """Is this code right, now, for this user?"""
    mark, given = answered(device, caller)
    if given is not None:
        return given
    number, user = device.directory.look_up(fields["user"])
    is_known = number != device.directory.nobody
    state = device.directory.state(number)
    settings = device.settings
    if not is_known:  # judged as one who was given what new users get
        for name in ("digits", "interval", "algorithm"):
            setattr(user.credentials[0], name, settings[name])
    failures = state.failures if is_known else STRANGER
    wait = device.throttle.wait(number, failures, settings, device.board.uptime())
    decision = decide(user, state, fields["code"], Moment(device.clock), wait, settings)
    if not is_known:
        _as_nobody(decision)
    keep(device, caller, number, decision, mark)
    if decision.state is not None:
        device.judged.told(decision.verdict)
    return reply_to(device, decision, fields["user"])


def answered(device, caller):
    """(mark of the request, 1 to 2^32 - 1; the reply if it was given before, or before the device was
    restarted). Its status is the name of the event that has the mark."""
    digest = device.vault.request_digest(caller.public_key, caller.request)
    mark = int.from_bytes(digest[:4], "big") or 1
    told = device.judged.asked(digest)
    if told is not None:
        return mark, {"status": told}
    for given in device.answered:
        if given[0] == mark:
            device.answered.remove(given)  # the service keeps the reply from here on
            return mark, {"status": given[1]}
    if device.answered:
        device.answered.pop(0)  # one request later
    return mark, None


def keep(device, caller, number, decision, mark, event=None):
    """Put what the decision changes, and the event that tells of it, on flash in one go."""
    entries = []
    settings, uptime = device.settings, device.board.uptime()
    floor = device.clock.next_floor() if decision.verdict == "accepted" else None
    if floor is not None:
        entries.append(device.clock_record(floor))
    if decision.state is not None:
        entries.append((STATE, number, decision.state.pack()))
    if decision.is_guess:
        spent = device.throttle.spent(settings, uptime) + 1
        entries.append((LIMIT, 0, spent.to_bytes(4, "big")))
        # Before the write: should that fail, somebody waits for nothing, rather than guesses for nothing.
        device.throttle.failed(number, decision.state.failures, settings, uptime)
    elif decision.verdict != "accepted" and not device.refusals.may_log(uptime):
        return  # nothing was used up, and the log must not be flooded
    known = number != device.directory.nobody
    device.audit.write(
        device.audit.event(
            event or VERDICT_EVENT + VERDICTS.index(decision.verdict),
            number if known else NO_SUBJECT,
            caller.number,
            decision.credential.id if known and decision.credential is not None else 0,
            mark,
            device.refusals.note() if decision.verdict != "accepted" else "",
        ),
        entries,
    )
    if floor is not None:
        device.clock.floor = floor
    if decision.verdict == "accepted":
        device.throttle.forget(number)


def reply_to(device, decision, user):
    """The fields of the reply that says so."""
    result = {"status": decision.verdict}
    if decision.verdict == "accepted":
        result.update(user=user, time=device.clock.now(), credential=decision.credential.name)
    elif decision.verdict == "throttled":
        result["seconds"] = decision.seconds
    return result


def user_confirm(device, caller, fields):
    """Take a new credential into use by its first code, which is burnt like any other."""
    mark, given = answered(device, caller)
    if given is not None:
        return given
    number, user = device.directory.find(fields["user"])
    credential = _unconfirmed(user, fields.get("credential"))
    moment = Moment(device.clock)
    decision = confirm(credential, device.directory.state(number), fields["code"], moment, device.settings)
    if decision.verdict == "accepted":
        take_into_use(device, caller, (number, user), decision, 0, "user-confirmed")
    else:
        keep(device, caller, number, decision, mark)
    return reply_to(device, decision, user.name)


def take_into_use(device, caller, found, decision, mark, event):
    """Burn the first code of the credential that `decision` accepts, then store the user of `found`, (number,
    User), with it confirmed. Raises StoreFull, before anything is changed."""
    number, user = found
    credential = decision.credential
    credential.confirmed, user.pending = True, False
    kept = device.directory.prepare(number, user)
    # The step first: a cut between the two leaves a credential to confirm again, not one whose first code
    # works twice.
    keep(device, caller, number, decision, mark, device.code_of(event))
    device.directory.put(number, kept)
    device.panel.end_enrolment(user.name, credential.name)


def _unconfirmed(user, name):
    if name is not None:
        credential = user.credential(name)
        if not credential.confirmed:
            return credential
    for credential in user.credentials:
        if name is None and not credential.confirmed:
            return credential
    raise AlreadyExists("user %s is confirmed already" % user.name)


def resync(device, caller, fields):
    """Two codes in a row put a credential right whose clock or counter has run away."""
    number, user = device.directory.look_up(fields["user"])
    is_known = number != device.directory.nobody
    state = device.directory.state(number)
    credential = resyncable(user, fields.get("credential") if is_known else None)
    failures = state.failures if is_known else STRANGER
    wait = device.throttle.wait(number, failures, device.settings, device.board.uptime())
    codes = (fields["code1"], fields["code2"])
    decision = decide_resync(user, credential, state, codes, Moment(device.clock), wait)
    if not is_known:
        _as_nobody(decision)
    right = decision.verdict == "accepted"
    keep(device, caller, number, decision, 0, device.code_of("resynced" if right else "resync-refused"))
    if not right:
        return reply_to(device, decision, user.name)
    if credential.kind == TOTP:
        return {"drift": decision.state.totp(credential).drift, "counter": None}
    return {"drift": None, "counter": decision.state.number(credential)}


def _as_nobody(decision):
    """Whatever was worked out on nobody's credential: the same work as for anybody."""
    if decision.state is not None:
        decision.state = State()
    if decision.verdict != "throttled":
        decision.verdict = "unknown-user"


def resyncable(user, name):
    """The credential of that name, or the first, that two codes in a row could put right."""
    able = [one for one in user.credentials if one.kind in (TOTP, HOTP) and name in (None, one.name)]
    if not able:
        raise NotFound("user %s has no such credential that two codes could put right" % user.name)
    return able[0]
