# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Frames over a port, and the hello that says who is there."""

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

from understudy.deadline import Deadline
from understudy.statuses import error_for
from understudy_device import protocol, wire
from understudy_device.errors import LinkTimeout, WrongVersion

PROBE_SECONDS = 4.0  # when looking around: a board that is up answers at once
HELLO_SECONDS = (
    15.0  # a board that has just got power formats its flash first; an emulated one takes its time
)
_HELLO_TRY_SECONDS = 0.7
_OLDEST_DEVICE = 1  # the oldest protocol version this host can still speak
_STATES = (protocol.UNCLAIMED, protocol.SEALED, protocol.OPEN, protocol.DAMAGED)
_CTRL_C = b"\x03"
_WORD = re.compile(r"[0-9A-Za-z._+-]{1,32}\Z")
_DEVICE_ID = re.compile(r"[0-9a-f]{16}\Z")


class BytePort(Protocol):
    """What a link needs of a port; `transport.Port` is one."""

    def read(self, seconds: float) -> bytes:
        """Bytes that have come within `seconds`, or none."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""


@dataclass(frozen=True)
class Hello:
    """What a device says of itself in the clear. Nothing of it is to be trusted before a handshake."""

    protocol: int
    oldest: int
    device: str
    board: str
    firmware: str
    state: str
    locked: bool
    display: bool


class Link:
    """Sends and receives frames; what is no frame (boot messages, modem commands, noise) is dropped."""

    def __init__(self, port: BytePort) -> None:
        self._port = port
        self._reader = wire.LineReader()
        self._frames: list[tuple[int, bytes]] = []
        self._port.write(b"\n")  # ends any half line that stands in the device's buffer

    def send(self, kind: int, payload: bytes) -> None:
        """Send one frame."""
        self._port.write(wire.encode(kind, payload))

    def receive(self, kind: int, deadline: Deadline) -> bytes:
        """The payload of the next frame of type `kind`; others are late answers, and dropped.

        A FAULT frame raises the error it names, LinkTimeout comes when the deadline passes.
        """
        while True:
            while self._frames:
                got, payload = self._frames.pop(0)
                if got == protocol.FAULT:
                    raise _fault(payload)
                if got == kind:
                    return payload
            if deadline.passed:
                raise LinkTimeout()
            self._fill(deadline.left)

    def drain(self) -> None:
        """Forget what has arrived so far."""
        while self._port.read(0):
            pass
        self._reader = wire.LineReader()
        self._frames.clear()

    def hello(self, deadline: Deadline) -> Hello:
        """Ask who is there, again and again until `deadline`.

        LinkTimeout, or WrongVersion when we can't talk to it.
        """
        while True:
            self._port.write(_hello_line())
            try:
                hello = _parse_hello(self.receive(protocol.HELLO, deadline.within(_HELLO_TRY_SECONDS)))
            except LinkTimeout:
                hello = None
            if hello is not None:
                _check_version(hello)
                return hello
            if deadline.passed:
                raise LinkTimeout("Nothing that speaks Understudy's protocol answers there.")

    def _fill(self, seconds: float) -> None:
        for line in self._reader.feed(self._port.read(seconds)):
            frame = wire.decode(line)
            if frame is not None:
                self._frames.append(frame)


@dataclass(frozen=True)
class Connection:
    """An open line, and what the device at its end has said of itself."""

    link: Link
    hello: Hello
    url: str = ""  # of the port


def _hello_line() -> bytes:
    """A hello without a Ctrl-C in it: that would stop a development board which is just about to start."""
    while True:
        line = bytes(wire.encode(protocol.HELLO, secrets.token_bytes(protocol.NONCE)))
        if _CTRL_C not in line:
            return line


def _fault(payload: bytes) -> Exception:
    # Anyone on the line can send one: the name picks a class, nothing of the payload is shown.
    status = payload.decode("ascii", "replace")
    return error_for(status if status in protocol.FAULTS else "internal")


def _parse_hello(payload: bytes) -> Hello | None:
    """The hello in `payload`, or None if it is none; a stranger may have made it, so all is checked."""
    try:
        fields: dict[str, Any] = json.loads(payload)
        hello = Hello(**{name: fields[name] for name in Hello.__dataclass_fields__})
    except (ValueError, KeyError, TypeError):
        return None
    numbers = type(hello.protocol) is int and type(hello.oldest) is int
    flags = type(hello.locked) is bool and type(hello.display) is bool
    words = all(isinstance(word, str) and _WORD.match(word) for word in (hello.board, hello.firmware))
    named = isinstance(hello.device, str) and _DEVICE_ID.match(hello.device) and hello.state in _STATES
    return hello if numbers and flags and words and named else None


def _check_version(hello: Hello) -> None:
    if hello.protocol < _OLDEST_DEVICE:
        raise WrongVersion(
            f"The device's firmware {hello.firmware} is too old for this host tool; update the firmware."
        )
    if hello.oldest > protocol.VERSION:
        raise WrongVersion(
            f"This host tool is too old for the device's firmware {hello.firmware}; update the host tool."
        )
