# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The commands about the device, one function for each name in `protocol.COMMANDS`: (device, caller, checked
fields) -> fields of the reply. Those about users: `user_commands`; about codes: `code_commands`.

Anything but success is raised as an exception of `errors`. What changes something is in the audit log before
it is done, so that no power cut can keep it out.
"""

from .compat import dump_json
from .convert import convert
from .errors import AlreadyClaimed, BadRequest, PairingClosed, PresenceNeeded, Unclaimed
from .events import Event
from .pairing import key_id
from .protocol import ADMIN, MAX_JSON, NO_SUBJECT, PRESENCE_SECONDS, SETTINGS
from .screens import public

_ROOM = 240  # bytes of an audit page that everything but its events takes

# Pairing.


def claim(device, caller, fields):
    """The first pairing: makes the data key and the admin."""
    if device.vault.claimed:
        raise AlreadyClaimed()
    if "claim" in device.board.info.get("presence", ()):
        _check_presence(device, "claim")
    result = _pair(device, caller, fields, ADMIN, "claimed")
    device.opened()
    device.is_ready = True
    return result


def pair(device, caller, fields):
    """A further host key, while an admin holds the pairing window open; each opening is good for one."""
    if not device.vault.claimed:
        raise Unclaimed()
    if not device.may_pair:
        raise PairingClosed()
    result = _pair(device, caller, fields, device.pairing_window[0], "paired")
    device.pairing_window = None
    return result


def _pair(device, caller, fields, role, event):
    def announce(host):
        device.log(event, caller, [device.clock_record()], subject=host.number, detail=_described(host))

    device.pool.mix(fields["entropy"])
    device.vault.add_host(caller.public_key, role, fields.get("name", ""), fields["wrap"], announce)
    device.panel.end_pairing()
    return {"role": role, "device": device.id().hex()}


def _described(host):
    return "%s\n%s\n%s" % (key_id(host.public_key).hex(), host.name, host.role)


def pair_open(device, caller, fields):
    """Open the pairing window."""
    device.log("pairing-opened", caller, detail=fields["role"])
    device.pairing_window = (fields["role"], device.board.uptime() + fields["seconds"])
    return {"seconds": fields["seconds"]}


def unpair(device, caller, fields):
    """Remove a host key and its wrap of the data key."""

    def announce(host):
        device.log("unpaired", caller, subject=host.number, detail=_described(host))

    device.vault.remove_host(fields["host"], announce)
    device.pairing_window = None  # it may be the one that this host opened for itself
    return {}


def host_list(device, _caller, _fields):
    """The paired host keys."""
    return {
        "hosts": [
            {"host": key_id(host.public_key).hex(), "role": host.role, "name": host.name, "number": number}
            for number, host in device.vault.hosts()
        ]
    }


def unseal(device, caller, fields):
    """Bring the data key back after power-up."""
    device.pool.mix(fields["entropy"])
    was_open = device.vault.is_open
    device.vault.unseal(caller.host, fields["wrap"])
    if not was_open:
        device.log("unsealed", caller)
    if not device.is_ready:
        device.opened()
        if convert(device.store, device.vault, device.directory, device.board.feed):
            device.log("store-converted", caller)
        device.is_ready = True
    return {}


def _check_presence(device, purpose):
    """Raise PresenceNeeded unless the button was pressed a moment ago; one press is good for one act.

    Of what it is asked: a claim on boards whose data says "presence": ["claim"], as there is no setting
    before the claim; where the setting `presence` is on, a factory reset, and switching it off.
    """
    pressed, device.pressed_at = device.pressed_at, None
    if pressed is None or device.board.uptime() - pressed > PRESENCE_SECONDS:
        device.panel.ask_button(purpose)
        raise PresenceNeeded()


# The device.


def factory_reset(device, caller, fields):
    """Erase everything; the device then starts anew, as a new one."""
    if fields["device"] != device.id():
        raise BadRequest("device: not the id of this one")
    if device.settings["presence"]:
        _check_presence(device, "erase all")
    device.erase("host " + key_id(caller.public_key).hex())
    return {}


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
            "users": len(device.directory),
            "hosts": len(device.vault.hosts()),
            "clock": device.timekeeper.show(),
            "flash": flash,
            "audit": {"first": device.audit.first, "next": device.audit.next},
            "memory": board.memory(),
            "faults": device.faults,
            "uptime": board.uptime(),
        }
    )
    return result


def screen(device, _caller, _fields):
    """What the display shows, without what only someone in front of it may see."""
    name, values = public(device.screen)
    return {"screen": name, "values": values, "display": device.panel.is_there}


def settings_show(device, _caller, _fields):
    """The device's defaults for new credentials, and what holds for all of them."""
    return dict(device.settings)


def settings_set(device, caller, fields):
    """Change some of them."""
    if not fields:
        raise BadRequest("nothing to set: give " + ", ".join(sorted(SETTINGS)))
    settings = dict(device.settings)
    settings.update(fields)
    if settings["max_delay"] < settings["delay"]:
        raise BadRequest("max_delay: not shorter than delay")
    if fields.get("presence") and not device.board.info.get("button"):
        raise BadRequest("presence: this board has no button")
    if device.settings["presence"] and not settings["presence"]:
        _check_presence(device, "presence off")
    changed = " ".join("%s=%s" % (name, fields[name]) for name in sorted(fields))
    device.log("settings-changed", caller, detail=changed)
    device.change_settings(settings)
    return settings


def audit_read(device, _caller, fields):
    """A page of the audit log."""
    before, events = device.audit.page(fields["first"])
    page, size = [], _ROOM
    for number, data in events:
        event = Event.unpack(data)
        name, credential = _names_now(device, event)
        entry = [number, data.hex(), name, device.open_detail(number, event), credential]
        size += len(dump_json(entry)) + 1
        if page and size > MAX_JSON:
            break
        page.append(entry)
    return {
        "first": device.audit.first,
        "next": device.audit.next,
        "head": device.audit.head.hex(),
        "chain": None if before is None else before.hex(),
        "events": page,
    }


def _names_now(device, event):
    """The present names of an event's subject and credential, each None if there is none (any more)."""
    number = event.subject
    if number in (NO_SUBJECT, device.directory.nobody):
        return None, None
    if event.name in ("claimed", "paired", "unpaired"):
        names = [host.name for n, host in device.vault.hosts() if n == number]
        return (names[0] if names else None), None
    user = device.directory.present(number)
    if user is None:
        return None, None
    names = [one.name for one in user.credentials if one.id == event.credential]
    return user.name, names[0] if names else None
