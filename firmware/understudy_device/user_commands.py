# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The commands about users and their credentials, as those in `commands`."""

from . import qrcode
from .errors import AlreadyExists, BadRequest, ClockUnset, NoDisplay, NotFound, StoreFull
from .otp import provisioning_uri, short_uris
from .policy import code_hash, window_of
from .protocol import (
    BYPASS,
    HOTP,
    MADE_DIGITS,
    MAX_CREDENTIALS,
    MAX_GROUPS,
    MAX_TIME,
    OF_A_CREDENTIAL,
    RECOVERY,
    RECOVERY_CODES,
    TOTP,
)
from .records import STATE
from .users import SALT, Credential, State, User, pack_codes

_PAGE_BYTES = 850  # of a reply of protocol.MAX_JSON, names that JSON escapes counted double
_SCANNED = 32  # users that one request for a page of a group looks at
FIRST = "phone"  # the name of a credential that was given none
# Bytes of a new secret: as long as the hash (RFC 4226 section 4 R6; RFC 6238 section 5.1).
_SECRET = {"SHA1": 20, "SHA256": 32, "SHA512": 64}


# Enrolment.


def user_add(device, caller, fields):
    """Make (or import) a secret and tell it once, as an otpauth URI; `on_device`: on the display only."""
    device.pool.mix(fields["entropy"])
    kind = fields.get("kind", TOTP)
    name = fields.get("credential", FIRST)
    if name in (RECOVERY, BYPASS):
        raise BadRequest("credential: %s is the name of codes that the device makes" % name)
    if "counter" in fields and kind != HOTP:
        raise BadRequest("counter: of an hotp credential only")
    on_device = fields.get("on_device", False)
    if on_device and "secret" in fields:
        raise BadRequest("on_device: not with a secret that the host has")
    if on_device and not device.panel.has_pixels:
        raise NoDisplay()
    number, user = _found_or_new(device, fields["user"])
    if any(one.name == name and one.confirmed for one in user.credentials):
        raise AlreadyExists("user %s has a credential %s already; remove that first" % (user.name, name))
    credential = new_credential(device, kind, name, fields)
    counter = fields.get("counter", 0) if kind == HOTP else None
    told = (credential, fields.get("label", user.name), fields.get("issuer", "Understudy"), counter)
    picture = _picture(*short_uris(*told)) if on_device else None
    put_credential(device, caller, number, user, credential, "user-added", counter)
    if on_device:
        device.panel.enrolment(user.name, name, *picture)
        return {"credential": name}
    device.panel.end_enrolment(user.name, name)  # one that this takes the place of
    return {"uri": provisioning_uri(*told), "credential": name}


def _picture(*uris):
    """(size, modules) of the first of the texts that fits the display. Raises BadRequest."""
    for uri in uris:
        if len(uri) <= qrcode.MAX_BYTES:
            return qrcode.modules(uri)
    raise BadRequest("label: too long for a QR code on the display")


def new_credential(device, kind, name, fields):
    """A Credential whose secret is made here if none is imported, with the device's settings where `fields`
    has none of its own."""
    chosen = {name: fields.get(name, device.settings[name]) for name in OF_A_CREDENTIAL}
    secret = fields.get("secret") or device.pool.take(_SECRET[chosen["algorithm"]])
    credential = Credential(kind, name, secret, chosen["digits"], chosen["interval"], fields.get("window"))
    credential.algorithm = chosen["algorithm"]
    credential.confirmed = fields.get("confirmed", False)
    return credential


def _found_or_new(device, name):
    number, user = device.directory.look_up(name)
    if number != device.directory.nobody:
        return number, user
    return device.directory.free_number(), User(name)


def check_room(user, *names):
    """Raise StoreFull if the user has too many credentials for more of these names."""
    others = [one for one in user.credentials if one.name not in names]
    if len(others) + len(names) > MAX_CREDENTIALS:
        raise StoreFull("user %s has %d credentials; remove one first" % (user.name, len(user.credentials)))


def put_credential(device, caller, number, user, credential, event, counter=None):
    """Store a user with a new credential, of which nothing is used. Raises StoreFull."""
    check_room(user, credential.name)
    is_new = not user.credentials and not user.pending
    # Of a user who is not there any more, a state may be left under this number.
    state = State() if is_new else device.directory.state(number).only_of(user)
    user.put(credential)
    if credential.confirmed and credential.kind in (TOTP, HOTP):
        user.pending = False
    if counter is not None:
        state.uses[credential.id] = counter.to_bytes(5, "big")
    prepared = device.directory.prepare(number, user)
    if is_new:
        device.throttle.forget(number)
    # The state first: were it the other way round, a cut could leave a credential of which an earlier one of
    # the same number has used something.
    log_user(
        device, caller, event, number, user, credential.name, [(STATE, number, state.pack())], credential.id
    )
    device.directory.put(number, prepared)


def log_user(device, caller, event, number, user, detail="", entries=(), credential=0):
    """Write an event about a user, whose name and `detail` are sealed in it, behind `entries` of the
    journal."""
    text = user.name + "\n" + detail if detail else user.name
    device.log(event, caller, entries, subject=number, credential=credential, detail=text, secret=True)


def recovery_make(device, caller, fields):
    """New recovery codes, each good for once, in the place of any that there were; told once."""
    number, user = device.directory.find(fields["user"])
    codes, credential = made_codes(device, fields["entropy"], RECOVERY, RECOVERY_CODES)
    put_credential(device, caller, number, user, credential, "recovery-codes-made")
    return {"codes": codes}


def bypass_make(device, caller, fields):
    """A code for a user who has nothing else, good for once and for so many seconds; told once."""
    number, user = device.directory.find(fields["user"])
    now = device.clock.now()
    if now is None:
        raise ClockUnset("a bypass code ends at a time, and the device does not know the time: set its clock")
    until = min(now + fields["seconds"], MAX_TIME)
    codes, credential = made_codes(device, fields["entropy"], BYPASS, 1, until)
    put_credential(device, caller, number, user, credential, "bypass-code-made")
    return {"code": codes[0], "until": until}


def made_codes(device, entropy, kind, count, until=0):
    """([new codes as text], the Credential that knows them): each good for once, until a time (Unix seconds,
    0 for ever). `entropy`: the host's share."""
    device.pool.mix(entropy)
    codes = []
    while len(codes) < count:
        # 16 bytes, so that the remainder favours no code by more than 1 in 10^28.
        number = int.from_bytes(device.pool.take(16), "big") % 10**MADE_DIGITS
        code = ("%0" + str(MADE_DIGITS) + "d") % number
        if code not in codes:
            codes.append(code)
    salt = device.pool.take(SALT)
    secret = pack_codes(until, salt, [code_hash(salt, code) for code in codes])
    return codes, Credential(kind, kind, secret, MADE_DIGITS)


# Looking.


def user_list(device, _caller, fields):
    """A page of users, of a group if one is named."""
    group = fields.get("group")
    page, size, last, seen = [], 0, None, 0
    for number, user in device.directory.after(fields.get("after", -1)):
        size += 2 * len(user.name.encode()) + 60
        if size > _PAGE_BYTES or seen == _SCANNED:
            return {"users": page, "next": last}
        last, seen = number, seen + 1
        if group is not None and group not in user.groups:
            size -= 2 * len(user.name.encode()) + 60
            continue
        page.append({"user": user.name, "state": user.state, "credentials": len(user.credentials)})
    return {"users": page, "next": None}


def user_show(device, _caller, fields):
    """All that may be told of a user."""
    number, user = device.directory.find(fields["user"])
    failures = device.directory.state(number).failures
    return {
        "user": user.name,
        "state": user.state,
        "enabled": user.enabled,
        "valid_from": user.valid_from,
        "valid_until": user.valid_until,
        "groups": user.groups,
        "credentials": [
            {"credential": one.name, "kind": one.kind, "state": one.state} for one in user.credentials
        ],
        "failures": failures,
        "wait": device.throttle.wait(number, failures, device.settings, device.board.uptime()),
    }


def credential_show(device, _caller, fields):
    """All that may be told of a credential: everything but the secret."""
    number, user = device.directory.find(fields["user"])
    one = user.credential(fields["credential"])
    state = device.directory.state(number)
    shown = {
        "user": user.name,
        "credential": one.name,
        "kind": one.kind,
        "enabled": one.enabled,
        "confirmed": one.confirmed,
    }
    if one.kind in (TOTP, HOTP):
        shown.update(digits=one.digits, algorithm=one.algorithm)
    if one.kind == TOTP:
        use = state.totp(one)
        used = use.recent * one.interval if use.recent >= 0 else None
        shown.update(interval=one.interval, window=window_of(one, device.settings), drift=use.drift)
        shown.update(last_used=used)
    elif one.kind == HOTP:
        shown.update(counter=state.number(one))
    else:
        used = state.number(one)
        shown.update(left=len([i for i in range(len(one.hashes)) if not used >> i & 1]))
        if one.kind == BYPASS:
            shown.update(until=one.until)
    return shown


# Changing.


def _change(device, caller, fields, event, change):
    """Load a user, let `change(user)` alter it and say what it did, log that, store it."""
    number, user = device.directory.find(fields["user"])
    detail = change(user)
    prepared = device.directory.prepare(number, user)
    log_user(device, caller, event, number, user, detail)
    device.directory.put(number, prepared)
    return {}


def user_set(device, caller, fields):
    """Switch a user on or off, or set the dates between which the user may log in."""
    changes = {name: fields[name] for name in ("enabled", "valid_from", "valid_until") if name in fields}
    if not changes:
        raise BadRequest("nothing to set: give enabled, valid_from or valid_until")

    def change(user):
        for name, value in changes.items():
            setattr(user, name, value)
        if user.valid_until and user.valid_until <= user.valid_from:
            raise BadRequest("valid_until: not after valid_from")
        return " ".join("%s=%s" % (name, changes[name]) for name in sorted(changes))

    return _change(device, caller, fields, "user-changed", change)


def user_reset(device, caller, fields):
    """Take all credentials away: the user has to enrol anew."""

    def change(user):
        user.credentials = []
        user.pending = True
        return ""

    result = _change(device, caller, fields, "user-reset", change)
    number, _ = device.directory.find(fields["user"])
    device.store.journal([(STATE, number, State().pack())])
    device.throttle.forget(number)
    device.panel.end_enrolment(fields["user"])
    return result


def user_remove(device, caller, fields):
    """Forget a user."""
    number, user = device.directory.find(fields["user"])
    log_user(device, caller, "user-removed", number, user)
    device.directory.remove(number)
    device.throttle.forget(number)
    device.panel.end_enrolment(user.name)
    return {}


def group_add(device, caller, fields):
    """Put a user into a group."""
    group = fields["group"]

    def change(user):
        if group in user.groups:
            raise AlreadyExists("user %s is in the group %s already" % (user.name, group))
        if len(user.groups) >= MAX_GROUPS:
            raise StoreFull("user %s is in %d groups; remove one first" % (user.name, MAX_GROUPS))
        user.groups.append(group)
        return "group +" + group

    return _change(device, caller, fields, "user-changed", change)


def group_remove(device, caller, fields):
    """Take a user out of a group."""
    group = fields["group"]

    def change(user):
        if group not in user.groups:
            raise NotFound("user %s is not in the group %s" % (user.name, group))
        user.groups.remove(group)
        return "group -" + group

    return _change(device, caller, fields, "user-changed", change)


def credential_set(device, caller, fields):
    """Switch a credential on or off."""

    def change(user):
        user.credential(fields["credential"]).enabled = fields["enabled"]
        return "%s\nenabled=%s" % (fields["credential"], fields["enabled"])

    return _change(device, caller, fields, "credential-changed", change)


def credential_remove(device, caller, fields):
    """Forget a credential."""

    def change(user):
        user.credentials.remove(user.credential(fields["credential"]))
        return fields["credential"]

    result = _change(device, caller, fields, "credential-removed", change)
    device.panel.end_enrolment(fields["user"], fields["credential"])
    return result
