# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A real OpenSSH server and client on a loopback port, with Debian's own configuration."""

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.cli.support import SECONDS, Done, wait_for
from tests.cli.terminal import Pty
from tests.login.machine import HOMES, Machine
from tests.ports import free_port

CONFIG = Path("/etc/ssh/sshd_config")
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
DROP_IN = Path("/etc/ssh/sshd_config.d/understudy.conf")


class Sshd:
    """sshd in a Machine while inside; `log` is what it writes to stderr.

    Debian's sshd_config is as the package has it, with `drop_in` beside it; only the port, the address and
    the host key are the test's. The PAM stack is Debian's /etc/pam.d/sshd until a test writes another.
    """

    def __init__(self, machine: Machine, drop_in: str | None = "") -> None:
        """`drop_in`: the text of understudy.conf; None: there is no such file."""
        self.machine = machine
        self.port = free_port()
        self.log = machine.path("/var/log/sshd")
        shipped = machine.path("/usr/share/openssh/sshd_config").read_text()
        machine.write(CONFIG, shipped)
        if drop_in is not None:
            machine.write(DROP_IN, drop_in)
        if not machine.path(HOST_KEY).exists():
            machine.ok("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", HOST_KEY)
        if machine.run("id", "sshd").code:
            machine.ok(
                "useradd", "--system", "--home-dir", "/run/sshd", "--shell", "/usr/sbin/nologin", "sshd"
            )
        host_key = machine.path(f"{HOST_KEY}.pub").read_text()
        machine.write("/etc/ssh/ssh_known_hosts", f"[127.0.0.1]:{self.port} {host_key}")

    def __enter__(self) -> Self:
        words = ["-D", "-e", "-f", str(CONFIG), "-p", str(self.port), "-o", "ListenAddress=127.0.0.1"]
        words += ["-o", f"HostKey={HOST_KEY}", "-o", "PidFile=/run/sshd.pid", "-o", "LogLevel=VERBOSE"]
        with self.log.open("wb") as log:
            self.process = self.machine.start(
                "/usr/sbin/sshd", *words, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_for(self._listens)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(SECONDS)

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), SECONDS).close()
        except ConnectionRefusedError:
            return False
        return True

    def starts(self) -> int:
        """How often it has begun to listen: it does so anew when it is told to read its configuration."""
        return self.log.read_text().count("Server listening on")

    def client(self, login: str, *command: str, options: Mapping[str, str] | None = None) -> list[str]:
        """The ssh command line by which `login` runs `command`, or gets a shell."""
        words = ["ssh", "-p", str(self.port), "-l", login]
        for name, value in {"NumberOfPasswordPrompts": "1", **(options or {})}.items():
            words += ["-o", f"{name}={value}"]
        return [*words, "127.0.0.1", *command]

    def ssh(
        self, login: str, *command: str, user: str = "root", options: Mapping[str, str] | None = None
    ) -> Pty:
        """ssh as a person at a terminal, `user`, has it."""
        return self.machine.terminal(*self.client(login, *command, options=options), user=user)

    def batch(self, login: str, *command: str, user: str = "root") -> Done:
        """ssh with nobody there: BatchMode=yes."""
        return self.machine.run(*self.client(login, *command, options={"BatchMode": "yes"}), user=user)

    def authorize(self, login: str, user: str = "root") -> None:
        """Give `user` a key, if there is none, that `login` lets in."""
        home = Path("/root") if user == "root" else HOMES / user
        key = home / ".ssh/id_ed25519"
        if not self.machine.path(key).exists():
            self.machine.ok("mkdir", "-p", "-m", "700", str(home / ".ssh"), user=user)
            self.machine.ok("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key), user=user)
        public = self.machine.path(f"{key}.pub").read_text()
        self.machine.write(HOMES / login / ".ssh/authorized_keys", public, owner=login)
