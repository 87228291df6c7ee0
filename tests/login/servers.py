# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Real 2FA servers on loopback, each with a folder and a port of its own: privacyIDEA and FreeRADIUS.

Both know the same people. alice, carol and dave have the TOTP secret of tests.cli.support, so their codes are
its code(); bob and erin have the HOTP one, its hotp(), bob with a PIN: who types that alone is asked for the
code.
"""

import base64
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.cli.support import SECONDS, SECRET, first_line, hotp, wait_for
from tests.login.certificates import make_certificates
from tests.ports import free_port
from tools.buildlib.paths import PRIVACYIDEA, UNPACKED

HERE = Path(__file__).parent
HEX = base64.b32decode(SECRET).hex()
PIN = "1234"
ASKED = "please enter otp: "  # what bob's PIN gets
PEOPLE = {
    "alice": {"secret": HEX, "type": "totp", "pin": ""},
    "bob": {"secret": HEX, "type": "hotp", "pin": PIN},
    "carol": {"secret": HEX, "type": "totp", "pin": ""},  # privacyIDEA: only with the API key
    "dave": {"secret": HEX, "type": "totp", "pin": ""},  # privacyIDEA: a policy says no
    "erin": {"secret": HEX, "type": "hotp", "pin": ""},
}


class Server:
    """A process that can be stopped, killed, frozen and started again, at the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[str] | None = None
        self._counter = -1

    @property
    def counter(self) -> int:
        """That of the next code of erin's."""
        return self._counter + 1

    def fresh(self) -> str:
        """A code of erin's that has not been given out yet."""
        self._counter += 1
        return hotp(self._counter)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        raise NotImplementedError

    def again(self) -> None:
        """Start it unless it runs."""
        if self.process is None or self.process.poll() is not None:
            self.start()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal."""
        if self.process is not None:
            self.process.send_signal(number)
            if number != signal.SIGKILL:
                self.process.send_signal(signal.SIGCONT)
            self.process.wait(SECONDS)
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
            self.process = None

    def kill(self) -> None:
        """End it without a chance to say anything."""
        self.stop(signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """While inside it does nothing, and the kernel goes on taking what comes."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While inside it takes requests and does not come to an end with them."""
        with open(self.folder / "gate", "w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    @property
    def asked(self) -> list[str]:
        """A line for each request that it has begun to work on."""
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []


class PrivacyIdea(Server):
    """privacyIDEA, over HTTP at `url`, and over TLS with each certificate at `https[name]`."""

    def __init__(self, folder: Path, certificates: Mapping[str, Path] | None = None) -> None:
        """`certificates`: name to file, the key in front. `folder` may be a copy of another's that was
        stopped; it takes a quarter of a minute to fill an empty one."""
        super().__init__(folder)
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._ports: dict[int, str | None] = {self.port: None}
        self.https: dict[str, str] = {}
        for name, path in (certificates or {}).items():
            port = free_port()
            self._ports[port] = str(path)
            self.https[name] = f"https://localhost:{port}"
        self.api_key = folder / "api-key"

    def start(self) -> None:
        script = HERE / "privacyidea_server.py"
        words = [PRIVACYIDEA / "bin/python", script, self.folder, json.dumps(self._ports)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,  # it ends with us
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={"PATH": os.environ["PATH"], "PEOPLE": json.dumps(PEOPLE)},
            )
        assert first_line(self.process) == "ready", (self.folder / "log").read_text()
        self.api_key.chmod(0o600)

    @property
    def authority(self) -> Path:
        """The certificate of who has signed the good one."""
        return self.folder.parent / "certificates/ca.pem"

    @contextmanager
    def without_directory(self) -> Iterator[None]:
        """While inside it can't look its users up, and answers 500."""
        path = self.folder / "passwd"
        path.rename(path.with_name("passwd.gone"))
        try:
            yield
        finally:
            path.with_name("passwd.gone").rename(path)


@contextmanager
def with_certificates(folder: Path) -> Iterator[PrivacyIdea]:
    """A new one below `folder`, running, that shows each of the tests' certificates."""
    with PrivacyIdea(folder / "server", make_certificates(folder / "certificates")) as server:
        yield server


class FreeRadius(Server):
    """FreeRADIUS from Debian's package; a code counts once. `secret_file` holds the shared secret."""

    SECRET = "a secret that both know"

    def __init__(self, folder: Path, reject_delay: int = 0) -> None:
        """`reject_delay`: seconds; Debian's configuration has 1."""
        super().__init__(folder)
        self.port = free_port(socket.SOCK_DGRAM)
        self.address = f"127.0.0.1:{self.port}"
        self.secret_file = folder / "secret"
        self.secret_file.write_text(self.SECRET + "\n")
        self.secret_file.chmod(0o600)
        (folder / "people.json").write_text(json.dumps(PEOPLE))
        (folder / "gate").touch()
        (folder / "used").touch()
        judge = f"{sys.executable} -I -S {HERE / 'radius_judge.py'} {folder}"
        values = {"delay": str(reject_delay), "folder": str(folder), "judge": judge, "port": str(self.port)}
        text = (HERE / "radiusd.conf").read_text()
        for name, value in {**values, "secret": self.SECRET, "root": str(UNPACKED)}.items():
            text = text.replace(f"@{name}@", value)
        (folder / "radiusd.conf").write_text(text)

    def start(self) -> None:
        libraries = [str(path) for path in sorted(UNPACKED.glob("usr/lib/*-linux-gnu*"))]
        libraries += [str(path) for path in sorted(UNPACKED.glob("lib/*-linux-gnu*"))]
        env = {**os.environ, "LD_LIBRARY_PATH": ":".join([str(UNPACKED / "usr/lib/freeradius"), *libraries])}
        words = [UNPACKED / "usr/sbin/freeradius", "-f", "-l", "stdout", "-d", self.folder]
        words += ["-D", UNPACKED / "usr/share/freeradius"]
        log = self.folder / "log"
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, text=True, env=env
            )
        wait_for(lambda: self._is_ready(log.read_text()))

    def _is_ready(self, text: str) -> bool:
        assert self.process is not None and self.process.poll() is None, text
        return "Ready to process requests" in text
