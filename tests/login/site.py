# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A whole site: a machine for logins, a provisioned device, the broker between them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from tests.cli.support import SECONDS, Cli, first_line, wait_for
from tests.login.broker import Provisioned, patient
from tests.login.machine import Machine

from understudy.deadline import Deadline
from understudy.paths import etc_dir

CONFIG = Path("/etc/understudy/understudy.toml")
SOCKET = Path("/run/understudy/broker.sock")
VERIFIER = "verifier.json"
PASSWORD = "a long password"
BOOT_SECONDS = 300.0  # for a hello and a handshake with an emulated Pico on a busy machine


class Device:
    """A simulated device at a port of a fixed name, `port`, that can go away and come back with its flash."""

    def __init__(self, cli: Cli, state: str = "device") -> None:
        """`cli` gets the port's name into its environment; `state`, below its folder, is the flash's."""
        self._cli, self._state = cli, cli.folder / state
        self.port = str(cli.folder / "port")
        cli.env["UNDERSTUDY_PORT"] = self.port
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *options: str) -> None:
        """Give it power; `options` as with `understudy simulate`, whose board is linux if none is named."""
        board = () if "--board" in options else ("--board", "linux")
        words = ("simulate", *board, "--state", str(self._state), "--link", self.port)
        self.process = self._cli.start(*words, *options, stdin=subprocess.DEVNULL, stderr=None)
        assert first_line(self.process) == self.port

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Take its power away; with SIGKILL, without a chance to say goodbye."""
        if self.process is not None:
            # Left behind, the name would soon lead to another's terminal, and a broker write hellos there.
            Path(self.port).unlink(missing_ok=True)
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
                below = [int(pid) for pid in file.read().split()]
            self.process.send_signal(number)
            self.process.wait(SECONDS)
            for pid in below:  # left alone by a SIGKILL, it would keep its end of the port open
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


class Site:
    """`machine`, the device's admin `cli`, and a broker with the identity of a verifier.

    The broker runs inside the machine, under the names and paths that it has in real life. The users' codes
    are those of tests.cli.support.code(), unless they enrol themselves.
    """

    def __init__(self, machine: Machine, cli: Cli, device: Device) -> None:
        """`cli` has claimed the device, and paired the broker's identity."""
        self.machine, self.cli, self.device = machine, cli, device
        self.identity = cli.folder / VERIFIER
        self.log = machine.path("/var/log/understudyd")
        self.process: subprocess.Popen[bytes] | None = None
        machine.install_module()

    def configure(self, text: str = "", tell_time: str = "never") -> None:
        """Write the configuration: `text`, made patient, and what is needed to reach the device."""
        device = f'port = "{self.device.port}"\nidentity = "{self.identity}"\ntell_time = "{tell_time}"\n'
        self.machine.write(CONFIG, f"{patient(text)}\n[device]\n{device}", mode=0o640)

    def start(self, text: str = "", tell_time: str = "never") -> None:
        """Start the broker on a configuration, and wait until it has the device."""
        self.configure(text, tell_time)
        with self.log.open("ab") as log:
            self.process = self.machine.start(
                sys.executable,
                *("-m", "understudy", "serve", "--config", str(CONFIG)),
                env=self.cli.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: self._said("ready "))
        boot = Deadline(BOOT_SECONDS)
        while not self._said("device "):
            assert not boot.passed, self.log.read_text()
            time.sleep(0.05)

    def _said(self, event: str) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log.read_text()
        return any(line.startswith(event) for line in self.log.read_text().splitlines())

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the broker by a signal."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(SECONDS)
            self.process = None
            text = self.log.read_text()
            assert "Traceback" not in text and "fault " not in text, text

    def reload(self, text: str) -> None:
        """Change the configuration while the broker runs."""
        seen = self.log.read_text().count("reloaded")
        self.configure(text)
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.log.read_text().count("reloaded") > seen)

    def person(
        self, name: str, *options: str, password: str = PASSWORD, groups: tuple[str, ...] = ()
    ) -> None:
        """A user of the machine, and of the device; `options` for the latter as with `user add`. Before the
        broker is started, which has the port from then on."""
        self.machine.add_user(name, password, groups=groups)
        self.cli.add(name, *options)

    def stack(self, name: str, service: str = "", arguments: str = "enrol") -> None:
        """Install one of host_tools/etc/pam as an admin would, as `service` if that is not its name; other
        `arguments` of the module take the place of its own."""
        text = (etc_dir() / "pam" / name).read_text()
        text = text.replace("pam_understudy.so enrol", f"pam_understudy.so {arguments}")
        self.machine.write(f"/etc/pam.d/{service or name}", text)


def claim(cli: Cli) -> None:
    """Become the device's admin, and pair the broker's identity."""
    cli.ok("claim", "--yes", "--name", "test host")
    cli.ok("pair", "--new-identity", str(cli.folder / VERIFIER), "--role", "verifier", "--yes")


@contextmanager
def site(kept: Provisioned, folder: Path) -> Iterator[Site]:
    """A Site on a copy of the device that was `kept`, with power on; the broker is the test's to start."""
    cli = kept.copy(folder / "host")
    with Machine(folder / "machine") as machine, Device(cli, "state/device") as device:
        device.start()
        made = Site(machine, cli, device)
        try:
            yield made
        finally:
            made.stop()


def drop_in(name: str) -> str:
    """The text of one of host_tools/etc/ssh."""
    return (etc_dir() / "ssh" / f"understudy-{name}.conf").read_text()
