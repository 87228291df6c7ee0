# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device as main.py composes it, without the link: requests go straight to the service.

Runs under CPython, and on the emulated Pico, where `pico_worker` sends its source by the prompt; nothing here
knows which of the two it is on.
"""

import json

from understudy_device.compat import dump_json, sha256
from understudy_device.device import Device
from understudy_device.errors import StoreDamaged, UnderstudyError
from understudy_device.pairing import key_id
from understudy_device.protocol import COMMANDS, PAIRING
from understudy_device.service import Caller, Service


class Randomness:
    """Different bytes at every call, the same in every run."""

    def __init__(self, seed):
        self._state = seed

    def __call__(self, count):
        out = b""
        while len(out) < count:
            self._state = sha256(self._state)
            out += self._state
        return out[:count]


class Rig:
    """A powered-up device on `board`, whose `up` (seconds) is the harness's to turn."""

    def __init__(self, board):
        self._board = board
        self._device = Device(board)
        self._service = Service(self._device)
        self._callers = {}  # public key: (vault.pairings then, Caller), as a session keeps it

    def call(self, public_key, data):
        """One request (JSON bytes) of a host to one reply; requests.PSEUDO are the rig's own."""
        request = json.loads(data)
        cmd = request["cmd"]
        if cmd == "wait":
            self._board.up += request["seconds"]
            return b'{"status":"ok"}'
        if cmd == "tidy":
            self._device.tidy()
            return b'{"status":"ok"}'
        if cmd == "state":
            return self._state()
        try:
            if self._device.damage is not None:
                raise StoreDamaged()
            if cmd == "hello":
                return dump_json(dict(self._device.hello(), status="ok"))
            return self._service.call(self._caller(cmd, public_key), data)
        except UnderstudyError as error:
            return b'{"status":"%s"}' % error.status.encode()
        except Exception as error:  # what session.Session makes a fault of
            return dump_json({"status": "internal", "message": repr(error)})

    def _state(self):
        device = self._device
        return dump_json({"status": "ok", "state": device.state, "message": device.damage or ""})

    def _caller(self, cmd, public_key):
        if cmd in COMMANDS and COMMANDS[cmd][0] == PAIRING:
            return Caller(public_key)
        vault = self._device.vault
        kept = self._callers.get(public_key)
        if kept is None or kept[0] != vault.pairings:
            _, host = vault.find_host(key_id(public_key))
            kept = self._callers[public_key] = (vault.pairings, Caller(public_key, host))
        return kept[1]
