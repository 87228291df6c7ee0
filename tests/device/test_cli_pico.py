# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The emulated Pico in a process of its own, used through its serial port as a host uses it."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.support import INTERVAL, Cli, code, first_line
from tests.reference import load_pyotp

from understudy.client import Client, entropy
from understudy.deadline import Deadline
from understudy.identity import ensure_identity
from understudy.link import Connection, Link
from understudy.pairing import join
from understudy.transport import Port
from understudy_device.errors import ClockUnset, Rejected, Replayed

SECONDS = 300.0  # for one call on a busy machine
# The machine's speed must not decide a verdict: a code counts for twenty minutes.
WINDOW = 10  # steps
LATER = 2 * INTERVAL  # seconds


@contextmanager
def powered(cli: Cli, stop: signal.Signals) -> Iterator[Connection]:
    """The device with power; at the end it is stopped, or killed."""
    words = ("simulate", "--board", "rpi_pico", "--state", "state", "--link", "port")
    process = cli.start(*words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = first_line(process)
        with Port(str(cli.folder / port)) as opened:
            link = Link(opened)
            yield Connection(link, link.hello(Deadline(SECONDS)))
    finally:
        process.send_signal(stop)
        process.communicate(timeout=SECONDS)


def verify(client: Client, typed: str) -> str:
    return str(client.request("verify", user="alice", code=typed)["status"])


def test_from_another_process_and_through_a_power_cut(device_image: Path, tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    identity = ensure_identity(tmp_path / "identity.json")
    shown = []
    with powered(cli, signal.SIGKILL) as connection:
        assert (connection.hello.board, connection.hello.state) == ("rpi_pico", "unclaimed")
        assert join(connection, identity, "claim", "test", shown.append, SECONDS)["role"] == "admin"
        assert len(shown) == 1 and len(shown[0]) == 6
        client = Client(connection, identity, SECONDS)
        client.request("clock_set", time=int(time.time()))
        steps = {"interval": INTERVAL, "window": WINDOW}
        added = client.request("user_add", user="alice", confirmed=True, entropy=entropy(), **steps)
        secret = str(load_pyotp().parse_uri(added["uri"]).secret)
        used = code(secret=secret)
        assert verify(client, used) == "accepted"
        with pytest.raises(Replayed):
            verify(client, used)
        with pytest.raises(Rejected):
            verify(client, f"{(int(used) + 1) % 10**6:06d}")

    with powered(cli, signal.SIGTERM) as connection:
        assert connection.hello.state == "sealed"
        client = Client(connection, identity, SECONDS)
        with pytest.raises(ClockUnset):
            verify(client, used)
        client.request("clock_set", time=int(time.time()) + LATER)
        with pytest.raises(Replayed):
            verify(client, used)
        assert verify(client, code(2, secret=secret)) == "accepted"
