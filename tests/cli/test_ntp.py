# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's clock by real NTP servers: chronyd on loopback, right, a day wrong, silent, disagreeing."""

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import SECONDS, Cli, code, wait_for
from tests.ports import free_port

from understudy_device.sntp import parse, request

DEBIAN = Path(__file__).resolve().parents[2] / "build/debian"
DAY = 86400
CONFIG = """
port {port}
bindaddress 127.0.0.1
allow 127.0.0.1
local stratum 2
cmdport 0
pidfile {folder}/pid
driftfile {folder}/drift
"""


def debian(pattern: str) -> str:
    """The path of a file of a Debian package that is unpacked, and not installed."""
    found = sorted(DEBIAN.glob(pattern))
    assert found, f"{DEBIAN}/{pattern} is missing: `make packages`"
    return str(found[0])


def answered(port: int) -> bool:
    """Whether a server is up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.2)
        nonce = os.urandom(8)
        one.sendto(request(nonce), ("127.0.0.1", port))
        try:
            return parse(one.recv(512), nonce) is not None
        except OSError:
            return False


class Servers:
    """Starts servers on loopback."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack, self._count = folder, stack, 0

    def chronyd(self, ahead: int = 0) -> str:
        """A chronyd whose clock is `ahead` seconds wrong; its address."""
        self._count += 1
        folder, port = self._folder / f"chrony{self._count}", free_port(socket.SOCK_DGRAM)
        folder.mkdir(mode=0o700)
        (folder / "conf").write_text(CONFIG.format(port=port, folder=folder))
        user = pwd.getpwuid(os.getuid()).pw_name
        words = [debian("usr/sbin/chronyd"), "-d", "-x", "-U", "-u", user, "-f", str(folder / "conf")]
        env = dict(os.environ)
        if ahead:
            # As the program faketime does, which knows its library by an installed one's path only.
            env |= {"LD_PRELOAD": debian("usr/lib/*/faketime/libfaketime.so.1"), "FAKETIME": f"{ahead:+d}s"}
        log = self._stack.enter_context((folder / "log").open("wb"))
        process = subprocess.Popen(words, stdout=log, stderr=log, env=env)
        self._stack.callback(self._stop, process)
        wait_for(lambda: answered(port))
        return f"127.0.0.1:{port}"

    def silent(self) -> str:
        """A socket that takes requests and says nothing."""
        one = self._stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"

    def absent(self) -> str:
        """A port that nobody has."""
        return f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"

    @staticmethod
    def _stop(process: "subprocess.Popen[bytes]") -> None:
        process.terminate()
        process.wait(SECONDS)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Servers that are stopped in the end."""
    with ExitStack() as stack:
        yield Servers(tmp_path, stack)


@pytest.fixture(params=["cpython", "micropython"])
def device(request: pytest.FixtureRequest, cli: Cli) -> Iterator[Callable[..., None]]:
    """Starts the device, on an interpreter, with these servers; claimed by `cli`."""
    with ExitStack() as stack:

        def start(*servers: str) -> None:
            stack.enter_context(
                cli.simulator("--interpreter", request.param, "--clock", "ntp:" + ",".join(servers))
            )
            if not cli.identity.exists():
                cli.ok("claim", "--yes")

        yield start


def until(cli: Cli, *states: str) -> Any:
    """What `understudy clock` says once the servers have come to one of these states."""
    end = time.monotonic() + SECONDS
    while (shown := cli.json("clock"))["ntp"] not in states:
        assert time.monotonic() < end, shown
    return shown


def test_three_right_servers_and_a_login(cli: Cli, servers: Servers, device: Callable[..., None]) -> None:
    device(servers.chronyd(), servers.chronyd(), servers.chronyd())
    shown = until(cli, "ok")
    assert (shown["state"], shown["source"]) == ("synced", "ntp")
    offset = shown["offset"]
    assert abs(offset["seconds"]) <= shown["error"] + offset["uncertainty"]
    assert shown["error"] <= 10
    cli.add("alice")
    assert cli("verify", "alice", code()).code == 0
    assert "clock-synced" in cli.ok("audit").out


def test_one_a_day_wrong(cli: Cli, servers: Servers, device: Callable[..., None]) -> None:
    device(servers.chronyd(DAY), servers.chronyd(), servers.chronyd())
    shown = until(cli, "ok")
    assert abs(shown["offset"]["seconds"]) <= shown["error"] + shown["offset"]["uncertainty"]


def test_one_silent_and_one_that_is_not_there(
    cli: Cli, servers: Servers, device: Callable[..., None]
) -> None:
    right = servers.chronyd()
    device(servers.silent(), right, servers.chronyd())
    assert until(cli, "ok")["source"] == "ntp"


def test_all_silent(cli: Cli, servers: Servers, device: Callable[..., None]) -> None:
    device(servers.silent(), servers.silent(), servers.absent())
    shown = until(cli, "no-answer")
    assert (shown["state"], shown["time"], shown["offset"]) == ("unset", None, None)
    cli.add("alice")
    assert cli("verify", "alice", code()).code == 13  # clock-unset; and nobody had to wait for the servers
    cli.ok("clock", "set", "--from-host")
    assert cli("verify", "alice", code()).code == 0


def test_one_alone_is_not_believed(cli: Cli, servers: Servers, device: Callable[..., None]) -> None:
    device(servers.chronyd(), servers.silent(), servers.silent())
    assert until(cli, "no-majority")["state"] == "unset"


def test_disagreeing(cli: Cli, servers: Servers, device: Callable[..., None]) -> None:
    device(servers.chronyd(), servers.chronyd(DAY), servers.chronyd(-DAY))
    assert until(cli, "no-majority")["state"] == "unset"


def test_wrong_by_a_day_before_the_floor(cli: Cli, servers: Servers, device: Callable[..., None]) -> None:
    with cli.simulator("--clock", "unset"):
        cli.ok("claim", "--yes")
        cli.ok("clock", "set", "--from-host")
    device(servers.chronyd(-DAY), servers.chronyd(-DAY), servers.chronyd(-DAY))
    assert until(cli, "refused")["state"] == "unset"
