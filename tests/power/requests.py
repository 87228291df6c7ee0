# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the hosts of these tests ask, and how right codes are made, from the RFCs and not by our own code."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from parts import Host
from understudy_device.protocol import COMMANDS

Fields = dict[str, Any]
ADMIN, VERIFIER, OTHER = "admin", "verifier", "other"
HOSTS = {name: Host(name.encode()) for name in (ADMIN, VERIFIER, OTHER)}
# The harness's own, which reach no command: time passes; what state is it in; a hello, as before a handshake;
# what the device does between requests.
PSEUDO = ("wait", "state", "hello", "tidy")


@dataclass(frozen=True)
class Made:
    """In the place of a code that the device has made: the index-th of a user's credential."""

    user: str
    credential: str
    index: int = 0


@dataclass(frozen=True)
class Told:
    """In the place of a code of a secret that the device has made and told: that of a step or counter."""

    user: str
    credential: str
    counter: int


@dataclass(frozen=True)
class Request:
    """A command and its fields, as one host asks for it; without those that `filled` adds."""

    who: str
    cmd: str
    fields: Fields = field(default_factory=dict)
    id: str = ""  # of one that is asked again; else each has its own

    def __str__(self) -> str:
        fields = "".join(f" {name}={value!r}" for name, value in self.fields.items())
        return f"{self.who}: {self.cmd}{fields}"


def ask(cmd: str, who: str = ADMIN, **fields: Any) -> Request:
    """A request, the admin's if nobody else is named."""
    return Request(who, cmd, fields)


def filled(request: Request, wrap: str) -> Fields:
    """The fields with the host's secret for the device (`wrap`, hex) and its entropy, where they belong."""
    takes = COMMANDS[request.cmd][2] if request.cmd in COMMANDS else {}
    added = {"wrap": wrap, "entropy": hashlib.sha256(str(request).encode()).hexdigest()}
    return {**{name: value for name, value in added.items() if name in takes}, **request.fields}


def encoded(request: Request, number: str, wrap: str) -> bytes:
    """The request as a host sends it; `number` is its id, where it has none of its own."""
    return json.dumps({"id": request.id or number, "cmd": request.cmd, **filled(request, wrap)}).encode()


def wrap_of(who: str) -> str:
    """A secret for wrapping, in the place of the one that a host derives from its key and the device's."""
    return hashlib.sha256(b"wrap" + who.encode()).hexdigest()


def code(secret: bytes, counter: int, digits: int = 6, algorithm: str = "SHA1") -> str:
    """RFC 4226, section 5.3."""
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), algorithm.lower())
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"
