# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The line is bad, the device restarts: one request still has one effect and one answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.cli.support import Cli, code

from understudy import client as client_module
from understudy import session as session_module
from understudy.client import Client
from understudy.deadline import Deadline
from understudy.identity import ensure_identity, load_identity
from understudy.link import Connection, Link
from understudy.pairing import join
from understudy.transport import Port
from understudy_device import protocol, wire
from understudy_device.errors import BadRequest, LinkTimeout, NoDevice, Replayed


class BadLine:
    """A port that loses chosen frames from the device, after junk of a modem's kind."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._reader = wire.LineReader()
        self.lose: list[int] = []  # kinds of the frames to lose next
        self.sent: list[int] = []
        self.waits: list[float] = []  # seconds each that an answer to a handshake was waited for

    def write(self, data: bytes) -> None:
        frame = wire.decode(data)
        if frame is not None:
            self.sent.append(frame[0])
        self._port.write(b"AT+GCAP\r\n" + data)

    def read(self, seconds: float) -> bytes:
        if self.sent[-1:] == [protocol.OPEN_1]:
            self.waits.append(seconds)
        kept = b"\r\nOK\r\n\x16half a fra"
        for line in self._reader.feed(self._port.read(seconds)):
            kind, _ = wire.decode(line) or (0, b"")
            if kind in self.lose:
                self.lose.remove(kind)
            else:
                kept += line
        return kept if len(kept) > 19 else b""


@contextmanager
def opened(cli: Cli, port_url: str) -> Iterator[tuple[BadLine, Client]]:
    with Port(port_url) as port:
        line = BadLine(port)
        link = Link(line)
        connection = Connection(link, link.hello(Deadline(10)))
        yield line, Client(connection, load_identity(cli.identity), 20)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough for a busy machine to answer."""
    monkeypatch.setattr(client_module, "REPLY_SECONDS", 3.0)


def test_a_lost_verdict_is_asked_for_again_and_is_the_same(cli: Cli, device: str) -> None:
    cli.add("alice")
    with opened(cli, device) as (line, client):
        client.open()
        line.lose, line.sent = [protocol.DATA], []
        typed = code()
        assert client.request("verify", user="alice", code=typed)["status"] == "accepted"
        assert line.sent.count(protocol.DATA) == 3  # the request; in a new session, unseal and the request
        with pytest.raises(Replayed):
            client.request("verify", user="alice", code=typed)


def test_a_lost_new_secret_is_not_told_twice(cli: Cli, device: str) -> None:
    with opened(cli, device) as (line, client):
        client.open()
        line.lose = [protocol.DATA]
        assert client.request("user_add", user="alice", entropy=client_module.entropy())["uri"] is None


def test_the_tries_are_bounded(cli: Cli, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "REPLY_SECONDS", 0.2)  # nothing comes, however long it is waited for
    with opened(cli, device) as (line, client):
        line.lose = [protocol.DATA] * 9
        with pytest.raises(LinkTimeout):
            client.request("status")
        assert line.sent.count(protocol.DATA) == client_module.ATTEMPTS


def test_a_further_handshake_may_take_twice_as_long(
    cli: Cli, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a device for which the first try is too short would never get through."""
    for module in (client_module, session_module):
        monkeypatch.setattr(module, "HANDSHAKE_SECONDS", 3.0)
    with opened(cli, device) as (line, client):
        line.lose = [protocol.OPEN_2]
        client.open()
    assert line.sent.count(protocol.OPEN_1) == 2
    assert line.waits[0] <= 3.0 < max(line.waits) <= 6.0


def test_a_device_that_restarts_between_requests(cli: Cli) -> None:
    options = ("--state", "flash", "--link", "port")
    with cli.simulator(*options):
        cli.ok("claim", "--yes")
        cli.add("alice")
    with cli.simulator(*options):
        assert cli.json("devices")["devices"][0]["state"] == "sealed"
        assert cli.ok("verify", "alice", code()).out.startswith("accepted")
        assert cli.json("devices")["devices"][0]["state"] == "open"


def test_another_session_takes_over_and_the_first_comes_back(cli: Cli, device: str) -> None:
    with opened(cli, device) as (_line, client):
        client.open()
        key = load_identity(cli.identity)
        other = Client(client.connection, key, 20)
        assert other.request("status")["role"] == "admin"
        assert client.request("status")["role"] == "admin"


@pytest.mark.parametrize(
    "command,fields",
    [
        ("verify", {"user": ""}),
        ("verify", {"user": "a\x1b"}),
        ("settings_set", {"digits": 9}),
        ("status", {"more": 1}),
    ],
)
def test_a_field_that_can_not_be_is_not_sent(
    cli: Cli, device: str, command: str, fields: dict[str, Any]
) -> None:
    with opened(cli, device) as (line, client), pytest.raises(BadRequest):
        client.request(command, **fields)
    assert set(line.sent) == {protocol.HELLO}


def test_users_come_page_by_page(cli: Cli, device: str) -> None:
    names = [f"user{n:02d}" for n in range(20)]
    with opened(cli, device) as (_line, client):
        for name in names:
            client.request("user_add", user=name, confirmed=True, entropy=client_module.entropy())
        assert sorted(one["user"] for one in client.users()) == names


class Unplugged(BadLine):
    """A port whose cable is pulled when the claim has arrived, before its answer is read."""

    def read(self, seconds: float) -> bytes:
        data = super().read(seconds)
        if protocol.DATA in self.sent:
            raise NoDevice("gone")
        return data


def test_a_cable_pulled_in_the_claim_leaves_no_device_that_is_nobodys(cli: Cli, new_device: str) -> None:
    identity = ensure_identity(cli.identity)
    with Port(new_device) as port:
        link = Link(Unplugged(port))
        connection = Connection(link, link.hello(Deadline(10)))
        with pytest.raises(NoDevice):
            join(connection, identity, "claim", "me", lambda _code: None, 10)
    assert cli.json("status")["role"] == "admin"
