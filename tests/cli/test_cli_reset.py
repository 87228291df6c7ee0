# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`understudy factory-reset`: asks well, erases, forgets; and is not fooled by a lost answer."""

import pytest
from tests.cli.fake_device import fake_device, hello
from tests.cli.support import Cli, code
from tests.cli.terminal import Terminal

from understudy import client as client_module
from understudy.cli import reset
from understudy.client import Client
from understudy.deadline import Deadline
from understudy.identity import load_identity
from understudy.link import Connection, Hello, Link
from understudy.statuses import exit_code
from understudy.transport import Port
from understudy_device import protocol, wire
from understudy_device.errors import LinkTimeout, Unclaimed


def device_id(cli: Cli) -> str:
    return str(cli.json("status")["device"])


def test_everything_is_gone_and_the_device_can_be_claimed_again(cli: Cli, device: str) -> None:
    old = device_id(cli)
    cli.add("alice")
    cli.ok("settings", "set", "--digits", "8")
    done = cli.ok("factory-reset", "--yes")
    assert old in done.out and "claim" in done.out
    assert load_identity(cli.identity).devices == {}
    assert cli("status").code == exit_code("unclaimed")
    cli.ok("claim", "--yes")
    assert device_id(cli) != old and cli.json("status")["users"] == 0
    assert cli.json("settings")["digits"] == 6
    events = cli.json("audit")["events"]
    assert [event["event"] for event in events][:2] == ["factory-reset", "claimed"]
    assert "host " in events[0]["detail"]
    cli.ok("audit", "verify")
    cli.add("alice")
    assert cli.ok("verify", "alice", code()).out.startswith("accepted")


def test_the_id_has_to_be_typed(cli: Cli, device: str) -> None:
    name = device_id(cli)
    for typed in ("y", name[:-1], ""):
        with Terminal(cli, "factory-reset") as terminal:
            terminal.read_until("erase it: ")
            terminal.type(typed)
            assert terminal.wait() == 1, terminal.text
    assert device_id(cli) == name
    with Terminal(cli, "factory-reset") as terminal:
        terminal.read_until("erase it: ")
        terminal.type(name)
        assert terminal.wait() == 0, terminal.text
    assert cli("status").code == exit_code("unclaimed")


def test_nobody_to_ask(cli: Cli, device: str) -> None:
    done = cli("factory-reset")
    assert done.code == 2 and "--yes" in done.err
    assert device_id(cli)


def test_a_verifier_may_not(cli: Cli, device: str) -> None:
    cli.ok("pair", "--new-identity", "verifier.json", "--role", "verifier", "--yes")
    done = cli("factory-reset", "--yes", "--identity", "verifier.json")
    assert done.code == exit_code("denied")
    assert device_id(cli)


def test_presence_is_refused_without_a_button(cli: Cli, device: str) -> None:
    done = cli("settings", "set", "--presence")
    assert done.code == exit_code("bad-request") and "button" in done.err
    assert cli.json("settings", "set", "--no-presence")["presence"] is False
    assert "button confirms" in cli.ok("settings").out


class LostAnswer:
    """A port that loses whatever the device says once the reset was asked for."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self.sent = 0

    def write(self, data: bytes) -> None:
        frame = wire.decode(data)
        self.sent += frame is not None and frame[0] == protocol.DATA
        self._port.write(data)

    def read(self, seconds: float) -> bytes:
        data = self._port.read(seconds)
        return b"" if self.sent == 2 else data  # the first is unseal


def test_a_lost_answer_ends_in_a_new_device(cli: Cli, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client_module._LONGER, "factory_reset", 1.0)
    name = device_id(cli)
    with Port(device) as port:
        line = LostAnswer(port)
        link = Link(line)
        client = Client(Connection(link, link.hello(Deadline(10))), load_identity(cli.identity), 5)
        with pytest.raises((LinkTimeout, Unclaimed)):
            client.request("factory_reset", device=name)
    (found,) = cli.json("devices")["devices"]
    assert found["state"] == "unclaimed" and found["device"] != name


def test_a_new_device_in_its_place_is_no_proof(cli: Cli) -> None:
    """It may be any: the command does not say "Erased", and so does not come to forgetting the key."""
    before = Hello(1, 1, "0123456789abcdef", "linux", "1", "open", False, False)
    answer = [(protocol.HELLO, hello(state="unclaimed"))]
    with fake_device(lambda _kind, _payload: answer) as port:
        with pytest.raises(LinkTimeout, match="0011223344556677.*did not say so.*key stays"):
            reset._doubt(port, before)
