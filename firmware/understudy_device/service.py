# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Requests in, replies out: checks, roles, the dispatch table, and the one edge where errors become
statuses."""

import json

from . import code_commands, commands, screens, user_commands
from .compat import dump_json, sha256
from .errors import BadRequest, Denied, Sealed, UnderstudyError, UnknownCommand
from .fields import check_fields
from .protocol import ADMIN, COMMANDS, MAX_JSON, NO_ACTOR, REPLIES_KEPT, TOLD_ONCE, may

_HEX = "0123456789abcdef"
_ID = 16  # hex digits
_SHOWN = ("verify", "user_confirm")


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

    The last replies are kept, so that a lost one can be asked for again under its id.
    """

    def __init__(self, device):
        self.device = device
        self._user = None  # whose verdict goes on the screen
        self._replies = []  # (public key, request id, digest of the request, reply), oldest first
        self._handlers = {name: _handler(name) for name in COMMANDS}

    def call(self, caller, data):
        """One request (JSON bytes) to one reply (JSON bytes). Never raises for anything a host can send."""
        number = ""
        self._user = None
        try:
            request = _parse(data)
            number = request.pop("id")
            digest = sha256(data)
            caller.request = data
            kept = self._kept(caller, number, digest)
            if kept is not None:
                return kept
            result = self._run(caller, request)
        except UnderstudyError as error:
            result = dict(error.fields)
            result["status"] = error.status
            if error.message:
                result["message"] = error.message
            if not number:
                return _dump("", result)
        if self._user is not None:
            self.device.show(screens.verdict(result["status"], self._user))
        reply = _dump(number, result)
        self._keep(
            caller,
            number,
            digest,
            reply
            if not any(name in result for name in TOLD_ONCE)
            else _dump(number, _without_secret(result)),
        )
        return reply

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

    def _kept(self, caller, number, digest):
        for public_key, kept_number, kept_digest, reply in self._replies:
            if kept_number == number and public_key == caller.public_key:
                if kept_digest != digest:
                    raise BadRequest("id: already used for another request")
                return reply
        return None

    def _keep(self, caller, number, digest, reply):
        self._replies.append((caller.public_key, number, digest, reply))
        if len(self._replies) > REPLIES_KEPT:
            self._replies.pop(0)


def _without_secret(result):
    return {name: None if name in TOLD_ONCE else value for name, value in result.items()}


def _handler(name):
    for module in (commands, code_commands, user_commands):
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(name)


def _dump(number, result):
    result["id"] = number
    try:
        reply = dump_json(result)
    except UnicodeError:  # half of a surrogate pair in a name that a host made up
        reply = b""
    if not 0 < len(reply) <= MAX_JSON:
        return dump_json({"id": number, "status": UnderstudyError.status})
    return reply


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
    if type(number) is not str or len(number) != _ID or any(char not in _HEX for char in number):
        raise BadRequest("id: %d hex digits" % _ID)
    if type(name) is not str:
        raise BadRequest("cmd: missing")
    return request
