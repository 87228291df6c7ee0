# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The broker and a device that hangs, goes away, comes back, is another one, or is an admin's meanwhile."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.support import code, first_line, wait_for
from tests.cli.test_cli_simulate import children
from tests.login.broker import Broker, Provisioned

from understudy.qr import TERMINAL_ROWS


class Plugged:
    """A device that can be pulled out, and a broker on its port."""

    def __init__(self, kept: Provisioned, folder: Path) -> None:
        self.cli = kept.copy(folder)
        self.broker = Broker(self.cli, str(folder / "port"))
        self.process = None
        self.plug()

    def plug(self) -> None:
        """It gets power."""
        self.process = self.cli.start("simulate", "--link", "port", "--state", "state/device", stderr=None)
        first_line(self.process)

    def unplug(self) -> None:
        """Its port and its process are gone at once."""
        assert self.process is not None
        device = self.device
        # Left behind, the name would soon lead to another's terminal, and the broker write hellos there.
        (self.cli.folder / "port").unlink()
        self.process.kill()
        self.process.communicate()
        os.kill(device, signal.SIGKILL)  # its end of the port is open as long as the other one is
        wait_for(lambda: not Path(f"/proc/{device}").exists())
        self.process = None

    @property
    def device(self) -> int:
        """The process id of the device."""
        assert self.process is not None
        (found,) = children(self.process.pid)
        return found

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """The device answers nothing while inside."""
        device = self.device
        os.kill(device, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(device, signal.SIGCONT)


@pytest.fixture
def plugged(kept: Provisioned, tmp_path: Path) -> Iterator[Plugged]:
    """A device on a port, with a broker that has it."""
    plugged = Plugged(kept, tmp_path / "host")
    plugged.broker.start()
    try:
        yield plugged
    finally:
        plugged.broker.stop()
        if plugged.process is not None:
            plugged.unplug()


def test_a_device_that_hangs_lets_nobody_in_and_nobody_wait_for_ever(plugged: Plugged) -> None:
    broker, right = plugged.broker, code()
    with plugged.hanging():
        assert broker.login("alice", right, within=500).word == "timeout"
        assert broker.login("bob", within=500).word == "timeout"
        # A client that has gone long ago is not answered in the place of one that is there.
        assert broker.status()["waiting"] <= 2
    assert broker.login("bob", code()).word == "accepted"
    assert broker.login("alice", right).word in ("accepted", "replayed")
    assert broker.login("alice", right).word == "replayed"


def test_an_unplugged_device_is_said_to_be_gone_and_comes_back_by_itself(plugged: Plugged) -> None:
    broker = plugged.broker
    used = code()
    assert broker.login("alice", used).word == "accepted"
    plugged.unplug()
    wait_for(lambda: not broker.status()["connected"])  # noticed without a login
    assert broker.status()["status"] == "no-device"
    wait_for(lambda: broker.login("bob", within=1000).word == "no-device")
    plugged.plug()
    wait_for(lambda: broker.status()["connected"])
    # It was sealed by the power cut; nobody had to do anything.
    assert broker.login("alice", used).word == "replayed"
    assert broker.login("bob", code()).word == "accepted"
    assert "no-device status=no-device" in broker.log.read_text()


def test_a_login_waits_for_a_device_that_has_just_gone(plugged: Plugged) -> None:
    words = []
    plugged.unplug()
    waiting = threading.Thread(target=lambda: words.append(plugged.broker.login("alice", code()).word))
    waiting.start()
    plugged.plug()
    waiting.join()
    assert words == ["accepted"]


def test_a_swapped_device_that_says_yes_lets_nobody_in(plugged: Plugged, tmp_path: Path) -> None:
    """Another one, claimed by somebody else, at the same port."""
    plugged.unplug()
    other = Plugged.__new__(Plugged)
    other.cli = plugged.cli
    other.process = plugged.cli.start("simulate", "--link", "port", "--state", "state/other", stderr=None)
    first_line(other.process)
    try:
        wait_for(
            lambda: (
                plugged.broker.status().get("status") == "unclaimed"
                or bool(plugged.broker.log.read_text().count("not-yours"))
            )
        )
        wait_for(lambda: plugged.broker.login("alice", code(), within=1000).word == "not-yours")
    finally:
        other.unplug()
    plugged.plug()
    wait_for(lambda: plugged.broker.status()["connected"])
    assert plugged.broker.login("alice", code()).word == "accepted"


def test_who_asks_a_lot_waits_behind_himself(plugged: Plugged) -> None:
    broker = plugged.broker
    threads = []
    with plugged.hanging():
        for user, count in (("alice", 40), ("bob", 1), ("carol", 1)):
            for _ in range(count):
                thread = threading.Thread(target=broker.login, args=(user, "no code"))
                thread.start()
                threads.append(thread)
            wait_for(lambda: broker.status()["waiting"] >= len(threads) - 1)
    for thread in threads:
        thread.join()
    order = re.findall(r"user=(\w+) .*verdict=malformed", broker.log.read_text())
    assert len(order) == 42
    assert max(order.index("bob"), order.index("carol")) <= 4


def test_more_than_so_many_of_one_user_are_told_to_come_again(plugged: Plugged) -> None:
    words: list[str] = []
    threads = [
        threading.Thread(target=lambda: words.append(plugged.broker.login("alice", "no code").word))
        for _ in range(80)
    ]
    with plugged.hanging():
        for thread in threads:
            thread.start()
        wait_for(lambda: words.count("busy") >= 15)
        assert plugged.broker.ask("login", user="bob", service="test", within=300).word == "timeout"
    for thread in threads:
        thread.join()
    assert sorted(set(words)) == ["busy", "malformed"]


# An admin's commands go through the broker.


def test_an_admin_works_while_logins_go_on(plugged: Plugged) -> None:
    cli, broker = plugged.cli, plugged.broker
    ended = threading.Event()
    words: list[str] = []

    def logins() -> None:
        while not ended.is_set():
            words.append(broker.login("alice", "no code").word)

    thread = threading.Thread(target=logins)
    thread.start()
    try:
        cli.add("erin")
        cli.ok("user", "reset", "bob", "--yes")
        assert {one["user"] for one in cli.json("user", "list")["users"]} == {
            "alice",
            "bob",
            "carol",
            "dave",
            "erin",
        }
        assert cli.ok("audit", "verify").code == 0
    finally:
        ended.set()
        thread.join()
    assert set(words) == {"malformed"} and len(words) > 10
    assert broker.login("erin", code()).word == "accepted"
    assert "attached uid=" in broker.log.read_text()


def test_the_port_itself_is_the_brokers(plugged: Plugged) -> None:
    plugged.cli.configuration.rename(plugged.cli.configuration.with_suffix(".away"))
    busy = plugged.cli("status", "--port", str(plugged.cli.folder / "port"))
    assert busy.code == 51 and "Another program holds" in busy.err


# Enrolment at the login.


def test_who_was_reset_enrols_by_the_broker(plugged: Plugged) -> None:
    broker = plugged.broker
    plugged.cli.ok("user", "reset", "alice", "--yes")
    assert broker.login("alice").word == "pending"  # nobody has vouched for a first factor
    shown = broker.login("alice", enrol="yes")
    assert (shown.word, shown["prompt"], shown["stage"]) == ("prompt", "First code: ", "enrol")
    assert len(shown.all("info")) <= TERMINAL_ROWS + 1 and max(map(len, shown.all("info"))) <= 80
    wrong = broker.login("alice", "000000", enrol="yes", stage="enrol")
    assert (wrong.word, wrong["stage"]) == ("prompt", "enrol") and "wrong" in wrong["error"]
    assert all("█" not in line for line in wrong.all("info"))
    assert "otpauth" not in broker.log.read_text()


def test_enrolment_can_be_switched_off(plugged: Plugged) -> None:
    plugged.cli.ok("user", "reset", "alice", "--yes")
    plugged.broker.reload("[login]\nenrol = false\n")
    assert plugged.broker.login("alice", enrol="yes").word == "pending"
    assert plugged.broker.login("alice", "123456", enrol="yes", stage="enrol").word == "bad-request"


def test_status_tells_of_the_broker_too(plugged: Plugged) -> None:
    shown = plugged.cli.ok("status").out
    assert "broker " in shown and "asks for codes" in shown
    plugged.unplug()
    wait_for(lambda: not plugged.broker.status()["connected"])
    gone = plugged.cli("status")
    assert gone.code == 50 and "has no device (no-device)" in gone.err
    assert plugged.cli("status", "--json").json["broker"]["connected"] is False
