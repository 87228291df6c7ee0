# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The commands, one function for each name in `protocol.COMMANDS`: (device, caller, checked fields) -> fields
of the reply.

Anything but success is raised as an exception of `errors`.
"""

from . import records
from .errors import AlreadyClaimed, AlreadyExists, BadRequest, NotFound, PairingClosed, Unclaimed, UnknownUser
from .otp import provisioning_uri
from .pairing import key_id
from .policy import Moment, judge, match
from .protocol import ADMIN, DEFAULTS, SETTINGS

_PAGE = 5  # users a reply: names of 64 bytes, every one escaped, must fit into protocol.MAX_JSON
# Bytes of a new secret: as long as the hash (RFC 4226 section 4 R6; RFC 6238 section 5.1).
_SECRET = {"SHA1": 20, "SHA256": 32, "SHA512": 64}


# Pairing.


def claim(device, caller, fields):
    """The first pairing: makes the data key and the admin."""
    if device.vault.claimed:
        raise AlreadyClaimed()
    return _pair(device, caller, fields, ADMIN)


def pair(device, caller, fields):
    """A further host key, while an admin holds the pairing window open; each opening is good for one."""
    if not device.vault.claimed:
        raise Unclaimed()
    window = device.pairing_window
    if window is None or device.board.uptime() >= window[1]:
        raise PairingClosed()
    result = _pair(device, caller, fields, window[0])
    device.pairing_window = None
    return result


def _pair(device, caller, fields, role):
    device.pool.mix(fields["entropy"])
    device.vault.add_host(caller.public_key, role, fields.get("name", ""), fields["wrap"])
    device.save_clock()  # has its room from now on, however full the flash gets
    return {"role": role, "device": device.id().hex()}


def pair_open(device, _caller, fields):
    """Open the pairing window."""
    device.pairing_window = (fields["role"], device.board.uptime() + fields["seconds"])
    return {"seconds": fields["seconds"]}


def unpair(device, _caller, fields):
    """Remove a host key and its wrap of the data key."""
    device.vault.remove_host(fields["host"])
    device.pairing_window = None  # it may be the one that this host opened for itself
    return {}


def host_list(device, _caller, _fields):
    """The paired host keys."""
    return {
        "hosts": [
            {"host": key_id(host.public_key).hex(), "role": host.role, "name": host.name}
            for _, host in device.vault.hosts()
        ]
    }


def unseal(device, caller, fields):
    """Bring the data key back after power-up."""
    device.pool.mix(fields["entropy"])
    device.vault.unseal(caller.host, fields["wrap"])
    return {}


# The device.


def status(device, caller, _fields):
    """How the device is."""
    board = device.board
    flash = device.store.status()
    flash["kind"] = board.flash_kind
    result = device.hello()
    del result["oldest"], result["display"]
    result.update(
        {
            "role": caller.role,
            "users": len(device.credentials),
            "hosts": len(device.vault.hosts()),
            "clock": device.clock.show(),
            "flash": flash,
            "memory": board.memory(),
            "faults": device.faults,
            "uptime": board.uptime(),
        }
    )
    return result


def settings_show(device, _caller, _fields):
    """The device's defaults for new credentials, and the window of those that have none of their own."""
    return device.settings


def settings_set(device, _caller, fields):
    """Change some of them."""
    if not fields:
        raise BadRequest("nothing to set: give " + ", ".join(sorted(SETTINGS)))
    settings = device.settings
    settings.update(fields)
    device.store.put(records.SETTING, 0, records.pack_settings(settings))
    return settings


def clock_show(device, _caller, _fields):
    """Time, state, source, error and floor."""
    return device.clock.show()


def clock_set(device, _caller, fields):
    """Set the time; before the floor only with `back`."""
    device.set_clock(fields["time"], "admin", fields.get("back", False))
    return device.clock.show()


# Users.


def user_add(device, _caller, fields):
    """Make (or import) a secret and tell it once, as an otpauth URI."""
    device.pool.mix(fields["entropy"])
    chosen = dict(device.settings)
    chosen.update({name: fields[name] for name in DEFAULTS if name in fields})
    secret = fields.get("secret") or device.pool.take(_SECRET[chosen["algorithm"]])
    credential = records.Credential(
        fields["user"],
        secret,
        fields.get("issuer", "Understudy"),
        fields.get("label", fields["user"]),
        chosen["digits"],
        chosen["interval"],
        fields.get("window"),
        chosen["algorithm"],
        fields.get("confirmed", False),
    )
    device.credentials.add(credential)
    return {"uri": provisioning_uri(credential)}


def user_confirm(device, _caller, fields):
    """Take a new credential into use by its first code, which is burnt like any other."""
    number, credential = device.credentials.find(fields["user"])
    if credential.confirmed:
        raise AlreadyExists("user %s is confirmed already" % credential.user)
    use = _decide(device, match, number, credential, fields["code"])
    # The step first: a cut between the two leaves a credential to confirm again, not one whose first code
    # works twice.
    device.credentials.use(number, use)
    credential.confirmed = True
    device.credentials.update(number, credential)
    return {"status": "accepted"}


def user_list(device, _caller, fields):
    """A page of users."""
    page, more = device.credentials.after(fields.get("after", -1), _PAGE)
    users = [{"user": c.user, "kind": "totp", "confirmed": c.confirmed} for _, c in page]
    return {"users": users, "next": page[-1][0] if more else None}


def user_show(device, _caller, fields):
    """All that may be told of a user: everything but the secret."""
    number, credential = _find(device, fields)
    last = device.credentials.uses(number).recent
    return {
        "user": credential.user,
        "issuer": credential.issuer,
        "label": credential.label,
        "digits": credential.digits,
        "interval": credential.interval,
        "window": _window(device, credential),
        "algorithm": credential.algorithm,
        "confirmed": credential.confirmed,
        "last_used": last * credential.interval if last >= 0 else None,
    }


def user_remove(device, _caller, fields):
    """Forget a user."""
    device.credentials.remove(fields["user"])
    return {}


def _find(device, fields):
    try:
        return device.credentials.find(fields["user"])
    except UnknownUser:
        raise NotFound("no user %s on this device" % fields["user"])


def _window(device, credential):
    return device.settings["window"] if credential.window is None else credential.window


# The verdict.


def verify(device, _caller, fields):
    """Is this code right, now, for this user? The step is burnt before the answer leaves."""
    number, credential = device.credentials.find(fields["user"])
    use = _decide(device, judge, number, credential, fields["code"])
    if device.clock.advance_floor():
        device.save_clock()
    device.credentials.use(number, use)
    return {"status": "accepted", "user": credential.user, "time": device.clock.now()}


def _decide(device, decision, number, credential, code):
    use = device.credentials.uses(number)
    return decision(credential, _window(device, credential), use, Moment(device.clock), code)
