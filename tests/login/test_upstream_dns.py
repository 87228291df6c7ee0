# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The system's own resolver, with a name server that is away, and one that never says anything."""

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.login.machine import Machine

NOBODY = "127.0.0.78"
LOGINS = 40
SCRIPT = f"""
import asyncio, json, sys, threading
sys.path[:0] = {json.dumps([path for path in sys.path if path])}
from tests.login.upstreams import SHORT, login, outcome, upstream

async def main():
    kinds = [upstream("privacyidea", url="https://otp.example.net"),
             upstream("radius", servers=["radius.example.net"], key_file=sys.argv[1])]
    asked = [outcome(made, login("alice", "123456"), SHORT) for made in kinds for _ in range({LOGINS})]
    outcomes, threads = await asyncio.gather(*asked), int(sys.argv[2])
    for _ in range(100):  # one that has just been of use may not have ended yet
        if threading.active_count() > threads:
            await asyncio.sleep(0.1)
    print(json.dumps([outcomes, threading.active_count()]))

asyncio.run(main())
"""


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A name server that takes questions, at an address that no other test has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        for number in range(1, 255):
            with suppress(OSError):
                server.bind((f"127.0.77.{number}", 53))
                break
        yield server


@pytest.mark.parametrize(("answers", "threads"), [("never", 3), ("refused", 1)])
def test_no_login_waits_for_a_name_server(
    machine: Machine, silent: socket.socket, tmp_path: Path, answers: str, threads: int
) -> None:
    name_server = silent.getsockname()[0] if answers == "never" else NOBODY
    # Longer than this test may take: a process that waited for it would be noticed.
    machine.write("/etc/resolv.conf", f"nameserver {name_server}\noptions timeout:30 attempts:5\n")
    machine.write("/etc/nsswitch.conf", "hosts: files dns\npasswd: files\ngroup: files\n")
    key = tmp_path / "key"
    key.write_text("a secret")
    key.chmod(0o600)
    done = machine.ok(sys.executable, "-c", SCRIPT, str(key), str(threads))
    assert json.loads(done.out) == [["dns"] * 2 * LOGINS, threads]
    silent.setblocking(False)
    if answers == "never":
        assert silent.recv(512)
