# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Finding and opening the device that the configuration names, and what is done at once: it is unsealed, and
told the time."""

import time
from collections.abc import Callable

from understudy.broker.journal import INFO, WARNING, Journal
from understudy.client import Client, Pace
from understudy.configuration import Device
from understudy.deadline import Deadline
from understudy.discovery import choose
from understudy.host_clock import is_synchronised
from understudy.identity import Identity, load_identity
from understudy.link import HELLO_SECONDS, Connection, Link
from understudy.transport import Port
from understudy_device import wire
from understudy_device.errors import LinkTimeout, NotYours, UnderstudyError
from understudy_device.protocol import DATA, HELLO, OPEN_1, PAIR_1, PAIR_3

_FROM_HOST = (HELLO, PAIR_1, PAIR_3, OPEN_1, DATA)  # frames that are answered
# For the first try each; what got lost has to be asked for again within one login (3 s by default). A line
# without a hang-up, such as a UART, does not tell that the device has lost its power meanwhile.
REPLY_SECONDS = 1.0
_SESSION_SECONDS = 1.5  # a Pico's handshake takes 0.35 s
_TELL_SECONDS = 3600.0  # between two times that the device is told the time
_STRANGE = "None of the devices found is paired with the broker's identity; see `understudy pair --help`."


class OpenDevice:
    """The device at the end of an open port, unsealed."""

    def __init__(self, port: Port, client: Client, tell: Callable[[Client], None]) -> None:
        self.client = client
        self.port = port
        self._tell = tell
        self._told = -_TELL_SECONDS

    def idle(self) -> None:
        """Notice that it is gone, and keep its clock right. NoDevice."""
        self.client.connection.link.drain()
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            self._tell(self.client)

    def relay(self, line: bytes, deadline: Deadline) -> bytes:
        """Send somebody else's line, and return the line that answers it; nothing when none does.

        Every frame of a host has one answer, and what is none has none: with it the device is free again.
        """
        self.client.connection.link.drain()
        self.port.write(line)
        frame, answer = wire.decode(line), b""
        while (
            frame is not None
            and frame[0] in _FROM_HOST
            and not answer.endswith(b"\n")
            and not deadline.passed
        ):
            answer += self.port.read(deadline.left)
        return answer

    def close(self) -> None:
        """Let the port go."""
        self.port.close()


def unknown_pace() -> Pace:
    """Of a device that has not been met yet."""
    return Pace(_SESSION_SECONDS, REPLY_SECONDS)


def open_device(settings: Device, pace: Pace, journal: Journal, deadline: Deadline) -> OpenDevice:
    """Find, open and unseal the device. Raises whatever is in the way."""
    identity = load_identity(settings.identity)
    url = settings.port or choose(settings.id, lambda hello: hello.device in identity.devices, _STRANGE)
    port = Port(url)
    try:
        client = _client(settings, identity, port, pace, deadline)
        device = OpenDevice(port, client, lambda asked: _tell_time(settings, asked, journal))
        device.idle()  # before the first login: it may not know the time at all
        return device
    except BaseException:
        port.close()
        raise


def _client(settings: Device, identity: Identity, port: Port, pace: Pace, deadline: Deadline) -> Client:
    link, start = Link(port), time.monotonic()
    hello = link.hello(deadline.within(HELLO_SECONDS))
    pace.heard(time.monotonic() - start)
    if settings.id not in (None, hello.device):
        raise NotYours(f"The device at {port.url} is {hello.device}, not {settings.id}.")
    client = Client(Connection(link, hello, port.url), identity, deadline.left, pace)
    try:
        client.open()
    except LinkTimeout:
        pace.missed()
        raise
    return client


def _tell_time(settings: Device, client: Client, journal: Journal) -> None:
    """As a verifier may: the device takes it within bounds, and from nothing better."""
    if settings.tell_time == "never" or (settings.tell_time == "synced" and not is_synchronised()):
        return
    try:
        reply = client.request("clock_tell", time=int(time.time()))
    except UnderstudyError as error:
        journal.write(WARNING, "clock", status=error.status)
    else:
        journal.write(INFO, "clock", state=reply.get("state"), source=reply.get("source"))
