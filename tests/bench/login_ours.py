# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Our side of the login's bench: a device with many users, as a process under CPython, and its broker."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import login_clock
from tests.cli.support import SECONDS, Cli, wait_for
from tests.login.broker import Broker

import large
import parts
from understudy.device_process import command, environment
from understudy.simulator.pty_port import PtyPort
from understudy_device.pairing import key_id

MOST = 5000  # users of a device with the region of a 2 MB Pico, which a process has, too
STEP = 30  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


def provision(folder: Path, users: int) -> None:
    """Make a device's flash with so many users, and the identity of a verifier, as files of `folder`."""
    bench = large.enrolled(users)
    bench.ask("pair_open", role="verifier", seconds=60)
    verifier = parts.Host(b"verifier")
    reply = verifier.join(bench.session, "pair", "broker")
    if reply["status"] != "ok":
        raise ValueError("pairing: %s" % reply)
    bench.device.tidy()
    (folder / "flash.bin").write_bytes(bench.board.flash.image())
    public = bytes(verifier.device_key)
    known = {"public_key": public.hex(), "role": reply["role"], "board": "linux"}
    document = {
        "version": 1,
        "private_key": bytes(verifier.keys.private).hex(),
        "devices": {key_id(public).hex(): known},
    }
    identity = folder / "verifier.json"
    identity.touch(mode=0o600)
    identity.write_text(json.dumps(document))


class Served:
    """A device and its broker, both running."""

    def __init__(self, folder: Path, broker: Broker, device: subprocess.Popen[bytes]) -> None:
        self.broker, self._device = broker, device
        self._clock = folder / "clock"
        self.now = int(time.time())

    def turn(self) -> None:
        """The device's clock goes on to the next step of a TOTP credential."""
        self.now += STEP
        with self._clock.open("r+b") as file:
            file.write(login_clock.CLOCK.pack(self.now))

    def cpu(self) -> tuple[float, float]:
        """Seconds of CPU that the broker and the device have taken so far."""
        assert self.broker.process is not None
        return _cpu(self.broker.process.pid), _cpu(self._device.pid)


def _cpu(pid: int) -> float:
    """proc(5): utime and stime are fields 14 and 15, of all threads; the second may hold anything."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


@contextmanager
def served(folder: Path, users: int) -> Iterator[Served]:
    """A device with so many users and its broker, while inside; `folder` is made for them."""
    cli = Cli(folder)
    provision(folder, users)
    (folder / "clock").write_bytes(login_clock.CLOCK.pack(int(time.time())))
    with _device(folder) as device:
        broker = Broker(cli, str(folder / "port"))
        try:
            broker.start()
            wait_for(lambda: bool(broker.status()["connected"]))
            yield Served(folder, broker, device)
        finally:
            broker.stop()


@contextmanager
def _device(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    python, *words = command("linux", {"--flash": folder / "flash.bin"})
    main = next(at for at, word in enumerate(words) if word.endswith("main.py"))
    words[main:main] = [login_clock.__file__, str(folder / "clock")]
    with PtyPort(folder / "port") as port:
        os.set_blocking(port.fileno(), True)
        process = subprocess.Popen(
            [python, *words],
            stdin=port.fileno(),
            stdout=port.fileno(),
            env=environment(),
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(SECONDS)
