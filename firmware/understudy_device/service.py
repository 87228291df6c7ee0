# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Requests in, replies out: checks, roles, the dispatch table, and the one edge where errors become
statuses."""

import json

from . import broker_commands, clock_commands, code_commands, commands, enrol_commands, user_commands
from .compat import dump_json, micropython, sha256
from .errors import BadRequest, Denied, Sealed, UnderstudyError, UnknownCommand
from .fields import check_fields
from .protocol import ADMIN, COMMANDS, MAX_JSON, NO_ACTOR, REPLIES_KEPT, TOLD_ONCE, may

_ID = 16  # hex digits
_SHOWN = ("verify", "user_confirm", "enrol_confirm")


class Caller:
    """Who asks: the static key, and the paired host that it belongs to (None in a pairing session)."""

    def __init__(self, public_key, host=None):
        self.public_key = public_key
        self.host = host
        self.role = host.role if host is not None else None
        self.number = host.number if host is not None else NO_ACTOR
        self.request = b""  # as it came


class Service:
    """The dispatch over a `device`.

    The last replies are kept, so that a lost one can be asked for again under its id. What need not be done
    before a reply leaves is left to `tidy`.
    """

    def __init__(self, device):
        self.device = device
        self._user = None  # whose verdict goes on the screen
        self._replies = {}  # (request id, public key): (digest of the request, reply)
        self._kept = []  # its keys, oldest first
        self._new = None  # (key, request, reply) to be kept
        self._screen = None  # (status, user, seconds to wait) to be shown
        self._handlers = {name: _handler(name) for name in COMMANDS}

    @micropython.native
    def call(self, caller, data):
        """One request (JSON bytes) to one reply (JSON bytes). Never raises for anything a host can send."""
        self.tidy()
        number = ""
        self._user = None
        try:
            request = _parse(data)
            number = request.pop("id")
            caller.request = data
            key = (number, caller.public_key)
            if key in self._replies:
                return self._again(key, data)
            result = self._run(caller, request)
        except UnderstudyError as error:
            result = dict(error.fields)
            result["status"] = error.status
            if error.message:
                result["message"] = error.message
            if not number:
                return _dump("", result)
        if self._user is not None:
            self._screen = (result["status"], self._user, result.get("seconds"))
        reply = _dump(number, result)
        kept = reply
        for name in TOLD_ONCE:
            if name in result:
                kept = _dump(number, _without_secret(result))
                break
        self._new = (key, data, kept)
        return reply

    @micropython.native
    def _run(self, caller, request):
        self.device.store.log.begin()
        name = request.pop("cmd")
        if name not in COMMANDS:
            raise UnknownCommand("no command %s" % name[:32])
        needed, needs_open, fields = COMMANDS[name]
        if not may(caller.role, needed):
            raise Denied()
        if needed == ADMIN and not self.device.vault.is_proven(caller.host):
            raise Sealed("this host has not brought its secret since power-up: unseal first")
        checked = check_fields(fields, request)
        if needs_open and not self.device.vault.is_open:
            raise Sealed()
        if name in _SHOWN:
            self._user = checked["user"]
        result = {"status": "ok"}
        result.update(self._handlers[name](self.device, caller, checked))
        return result

    # Replies kept.

    def _again(self, key, data):
        digest, reply = self._replies[key]
        if digest != sha256(data):
            raise BadRequest("id: already used for another request")
        return reply

    def tidy(self):
        """Once the reply has left: keep it, and show the verdict."""
        if self._new is not None:
            key, data, reply = self._new
            self._new = None
            if key not in self._replies:  # else it is the complaint about a second use of an id
                self._kept.append(key)
                self._replies[key] = (sha256(data), reply)
            if len(self._kept) > REPLIES_KEPT:
                del self._replies[self._kept.pop(0)]
        if self._screen is not None:
            self.device.panel.verdict(*self._screen)
            self.device.verdict = (self._screen[0], self.device.board.uptime())
            self._screen = None


def _without_secret(result):
    return {name: None if name in TOLD_ONCE else value for name, value in result.items()}


def _handler(name):
    for module in (
        commands,
        clock_commands,
        code_commands,
        user_commands,
        enrol_commands,
        broker_commands,
    ):
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(name)


@micropython.native
def _dump(number, result):
    result["id"] = number
    try:
        reply = dump_json(result)
    except UnicodeError:  # half of a surrogate pair in a name that a host made up
        reply = b""
    if not 0 < len(reply) <= MAX_JSON:
        return dump_json({"id": number, "status": UnderstudyError.status})
    return reply


@micropython.native
def _parse(data):
    """The request as a dict with a good id and a command name."""
    if len(data) > MAX_JSON:
        raise BadRequest("over %d bytes" % MAX_JSON)
    try:
        request = json.loads(data)
    except (ValueError, RuntimeError):  # RuntimeError: nested too deep
        raise BadRequest("not JSON")
    if not isinstance(request, dict):
        raise BadRequest("not a JSON object")
    number, name = request.get("id"), request.get("cmd")
    if not _is_id(number):
        raise BadRequest("id: %d hex digits" % _ID)
    if type(name) is not str:
        raise BadRequest("cmd: missing")
    return request


def _is_id(number):
    if type(number) is not str or len(number) != _ID:
        return False
    try:
        return bytes.fromhex(number).hex() == number  # lower case, no space
    except ValueError:
        return False
