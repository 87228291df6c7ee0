# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A whole site: a machine for logins, a provisioned device, the broker between them."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.support import SECONDS, Cli, wait_for
from tests.login.machine import Machine

from understudy.paths import etc_dir

CONFIG = Path("/etc/understudy/understudy.toml")
SOCKET = Path("/run/understudy/broker.sock")
PASSWORD = "a long password"


class Site:
    """`machine`, the device's admin `cli`, and a broker with the identity of a verifier.

    The broker runs inside the machine, under the names and paths that it has in real life. The users' codes are
    those of tests.cli.support.code(), unless they enrol themselves.
    """

    def __init__(self, machine: Machine, cli: Cli, port: str) -> None:
        """`port` is the device's, and `cli` has claimed it."""
        self.machine, self.cli, self.port = machine, cli, port
        self.identity = cli.folder / "verifier.json"
        cli.ok("pair", "--new-identity", str(self.identity), "--role", "verifier", "--yes")
        self.log = machine.path("/var/log/understudyd")
        self.process: subprocess.Popen[bytes] | None = None
        machine.install_module()

    def configure(self, text: str = "", tell_time: str = "never") -> None:
        """Write the configuration: `text` and what is needed to reach the device."""
        device = f'[device]\nport = "{self.port}"\nidentity = "{self.identity}"\ntell_time = "{tell_time}"\n'
        self.machine.write(CONFIG, f"{text}\n{device}", mode=0o640)

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
        wait_for(lambda: self._said("ready ") and self._said("device "))

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

    def person(self, name: str, *options: str, password: str = PASSWORD, groups: tuple[str, ...] = ()) -> None:
        """A user of the machine, and of the device; `options` for the latter as with `user add`. Before the
        broker is started, which has the port from then on."""
        self.machine.add_user(name, password, groups=groups)
        self.cli.add(name, *options)

    def stack(self, name: str, service: str = "") -> None:
        """Install one of host_tools/etc/pam as an admin would, as `service` if that is not its name."""
        self.machine.write(f"/etc/pam.d/{service or name}", (etc_dir() / "pam" / name).read_text())


@contextmanager
def site(folder: Path, *options: str) -> Iterator[Site]:
    """A Site on the simulated device with `options` as with `understudy simulate`; the broker is the test's
    to start."""
    cli = Cli(folder / "host")
    with Machine(folder / "machine") as machine, cli.simulator(*options) as port:
        cli.env["UNDERSTUDY_PORT"] = port
        cli.ok("claim", "--yes", "--name", "test host")
        made = Site(machine, cli, port)
        try:
            yield made
        finally:
            made.stop()


def drop_in(name: str) -> str:
    """The text of one of host_tools/etc/ssh."""
    return (etc_dir() / "ssh" / f"understudy-{name}.conf").read_text()
