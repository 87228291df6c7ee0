# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Enrolment at a login, as the commands in `commands`: an admin invites (or resets) a user, who is pending
then, and a verifier's host brings the new secret to the user at the next login.

A verifier may do that for a pending user only, and what it is told was made here a moment ago: nobody who has
a credential, is switched off or out of dates gets one this way; no secret, no setting of it and no counter
come from the host; and of credentials that an admin is enrolling none can be confirmed, nor guessed at, here.
"""

from .code_commands import answered, keep, reply_to, take_into_use
from .errors import (
    AlreadyExists,
    ClockUnset,
    Denied,
    Disabled,
    Expired,
    Pending,
    Throttled,
    UnknownUser,
)
from .otp import provisioning_uri
from .policy import Moment, confirm, has_codes, standing
from .protocol import RECOVERY, RECOVERY_CODES, TOTP
from .records import STATE
from .user_commands import (
    FIRST,
    check_room,
    log_user,
    made_codes,
    new_credential,
    put_credential,
)
from .users import State, User

_ENROLLED = "user-enrolled"
_REFUSALS = {"disabled": Disabled, "expired": Expired, "clock-unset": ClockUnset}


def user_invite(device, caller, fields):
    """Add a user without credentials, who is to enrol at the next login."""
    name = fields["user"]
    if device.directory.look_up(name)[0] != device.directory.nobody:
        raise AlreadyExists("user %s is there already; after a reset the next login enrols, too" % name)
    number, user = device.directory.free_number(), User(name)
    user.pending = True
    prepared = device.directory.prepare(number, user)
    device.throttle.forget(number)
    # Of a user who is not there any more, a state may be left under this number.
    log_user(device, caller, "user-invited", number, user, "", [(STATE, number, State().pack())])
    device.directory.put(number, prepared)
    return {}


def user_state(device, _caller, fields):
    """How a user stands before anything is typed.

    `state`: unknown, or a word of policy.standing; `usable`: whether there is any code to ask for, which of
    a pending user an admin may have made; `wait`: seconds, after wrong codes.
    """
    number, user = device.directory.look_up(fields["user"])
    if number == device.directory.nobody:
        return {"state": "unknown", "usable": False, "wait": 0}
    state, moment = device.directory.state(number), Moment(device.clock)
    return {
        "state": standing(user, moment),
        "usable": has_codes(user, state, moment),
        "wait": _wait(device, number, state),
    }


def _wait(device, number, state):
    return device.throttle.wait(number, state.failures, device.settings, device.board.uptime())


def enrol(device, caller, fields):
    """Make a secret for a pending user and tell it once, as an otpauth URI; one that a login has made before,
    or that an admin has not confirmed under this name, is void."""
    number, user, _ = _to_enrol(device, fields["user"])
    check_room(user, FIRST, RECOVERY)
    # Each is a write: a host gone bad must neither wear the flash out nor flood the audit log.
    seconds = device.enrolments.take(device.board.uptime())
    if seconds:
        raise Throttled("Too many users enrol at once; try again in %d s." % seconds, seconds=seconds)
    device.pool.mix(fields["entropy"])
    credential = new_credential(device, TOTP, FIRST, {})
    credential.at_login = True
    put_credential(device, caller, number, user, credential, "enrolment-begun")
    device.panel.end_enrolment(user.name, FIRST)
    label, issuer = fields.get("label", user.name), fields.get("issuer", "Understudy")
    return {"uri": provisioning_uri(credential, label, issuer, None), "credential": FIRST}


def enrol_confirm(device, caller, fields):
    """Take what `enrol` has made into use by its first code, and make recovery codes, told once.

    The step is burnt before the user is stored, and the user is stored with the credential and the recovery
    codes in one record: a cut leaves a user who is still to enrol and whose code is used up, or one who has.
    """
    mark, given = answered(device, caller)
    if given is not None and given["status"] != _ENROLLED:
        return given
    if given is not None:
        number, user = device.directory.look_up(fields["user"])
        if any(one.at_login and one.confirmed for one in user.credentials):
            return _enrolled_before(device, caller, number, user)
    number, user, state = _to_enrol(device, fields["user"])
    made = [one for one in user.credentials if one.at_login and not one.confirmed]
    if not made:
        raise Pending("no enrolment of user %s has begun" % user.name)
    decision = confirm(made[0], state, fields["code"], Moment(device.clock), device.settings)
    reply = reply_to(device, decision, user.name)
    if decision.verdict != "accepted":
        keep(device, caller, number, decision, mark)
        return reply
    check_room(user, RECOVERY)
    reply["codes"], credential = made_codes(device, fields["entropy"], RECOVERY, RECOVERY_CODES)
    user.put(credential)
    take_into_use(device, caller, (number, user), decision, mark, _ENROLLED)
    return reply


def _enrolled_before(device, caller, number, user):
    """The same verdict, when the power went before it was told. The recovery codes can't be told any more:
    they are taken away, so that none is good that nobody has."""
    lost = [one for one in user.credentials if one.name == RECOVERY]
    if lost and not device.directory.state(number).number(lost[0]):
        user.credentials.remove(lost[0])
        prepared = device.directory.prepare(number, user)
        log_user(device, caller, "credential-removed", number, user, RECOVERY)
        device.directory.put(number, prepared)
    return {"status": "accepted", "codes": None}


def _to_enrol(device, name):
    """(number, User, State) of a user who may enrol at a login now; else the error that says why not."""
    if not device.settings["enrol_at_login"]:
        raise Denied("enrolment at login is switched off on this device; an admin enrols users")
    number, user = device.directory.look_up(name)
    if number == device.directory.nobody:
        raise UnknownUser()
    word = standing(user, Moment(device.clock))
    if word in _REFUSALS:
        raise _REFUSALS[word]()
    if word != "pending":
        raise AlreadyExists("user %s has nothing to enrol at a login" % user.name)
    if device.clock.now() is None:
        raise ClockUnset()  # no first code could be judged
    state = device.directory.state(number)
    wait = _wait(device, number, state)
    if wait:
        raise Throttled(seconds=wait)
    return number, user, state
