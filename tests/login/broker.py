# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A broker as a process over a provisioned device, and questions to it as any client asks them."""

import json
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.support import SECONDS, Cli, wait_for

from understudy.broker.messages import END, MAX_REPLY, pack, unpack
from understudy.deadline import Deadline

WITHIN = 20000  # ms
PATIENCE = "deadline = 60\n"


def patient(text: str) -> str:
    """A configuration with a deadline that a busy machine does not reach, unless it has one."""
    if "deadline" in text:
        return text
    if "[login]\n" in text:
        return text.replace("[login]\n", f"[login]\n{PATIENCE}")
    return f"login.{PATIENCE}{text}"


@dataclass(frozen=True)
class Told:
    """A reply: its word and its fields."""

    word: str
    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """The values of a field."""
        return [value for key, value in self.fields if key == name]

    def __getitem__(self, name: str) -> str:
        (value,) = self.all(name)
        return value


class Provisioned:
    """A claimed device with users, kept as files, so that every test can have one of its own at once."""

    USERS = ("alice", "bob", "carol", "dave")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        cli = Cli(folder)
        with cli.simulator("--link", "port", "--state", "state/device"):
            cli.ok("claim", "--yes", "--name", "admin")
            for name in self.USERS:
                cli.add(name)
            cli.ok("pair", "--new-identity", "verifier.json", "--name", "broker", "--yes")

    def copy(self, folder: Path) -> Cli:
        """A copy of it in `folder`, switched off."""
        shutil.copytree(self.folder, folder)
        return Cli(folder)

    @contextmanager
    def device(self, folder: Path, *options: str) -> Iterator[Cli]:
        """A copy of it in `folder`, running; its port is `folder`/port."""
        cli = self.copy(folder)
        with cli.simulator("--link", "port", "--state", "state/device", *options):
            yield cli


class Broker:
    """`understudy serve` on a configuration below `cli.folder`; `log` is what the journal would have."""

    def __init__(self, cli: Cli, port: str, configuration: str = "", identity: str = "verifier.json") -> None:
        """`configuration`: TOML after [device] and [broker], which are written here."""
        self.cli = cli
        self.folder = cli.folder / "broker"
        self.folder.mkdir(mode=0o755, exist_ok=True)
        self.socket = self.folder / "broker.sock"
        self.file = cli.configuration
        self.file.parent.mkdir(mode=0o700, exist_ok=True)
        self.log = self.folder / "journal"
        self.port = port
        self.identity = cli.folder / identity
        self.process: subprocess.Popen[str] | None = None
        self.configure(configuration)

    def configure(self, text: str, clients: int = 1024) -> None:
        """Write the configuration; see `patient`."""
        device = f'[device]\nport = "{self.port}"\nidentity = "{self.identity}"\ntell_time = "never"\n'
        self.file.write_text(
            f'{patient(text)}\n{device}[broker]\nsocket = "{self.socket}"\nclients = {clients}\n'
        )
        self.file.chmod(0o600)

    def start(self, *, connected: bool = True) -> None:
        """Start it, and wait until it says, as systemd would hear it, that it is ready; and until it has the
        device: before that, a command would go past it, and the two meet at the port."""
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard, self.log.open("ab") as log:
            heard.bind(str(path))
            heard.settimeout(0.05)
            env = self.cli.env | {"NOTIFY_SOCKET": str(path)}
            words = ("serve", "--config", str(self.file))
            self.process = self.cli.start(
                *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=env
            )
            end = Deadline(SECONDS)
            while not (_datagram(heard) or "").startswith("READY=1"):
                assert self.process.poll() is None and not end.passed, self.log.read_text()
        if connected:
            wait_for(lambda: bool(self.status()["connected"]))

    def reload(self, text: str, clients: int = 1024) -> None:
        """Write another configuration, and have it taken."""
        before = self.log.read_text().count("\nreloaded")
        self.configure(text, clients)
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.log.read_text().count("\nreloaded") > before)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(SECONDS)
            assert "Traceback" not in self.log.read_text(), self.log.read_text()
            self.process = None

    def ask(self, word: str, **fields: object) -> Told:
        """One question; `id` and `within` are made up when not given."""
        return ask(self.socket, word, **fields)

    def login(self, user: str, code: str | None = None, **fields: object) -> Told:
        """A login: the first question, or with a code the second."""
        answer = {} if code is None else {"stage": "code", "answer": code}
        return self.ask("login", **{"user": user, "service": "test", **answer, **fields})

    def status(self) -> Any:
        """What it says of itself."""
        return json.loads("".join(self.ask("status").all("json")))


def _datagram(heard: socket.socket) -> str | None:
    try:
        return heard.recv(4096).decode()
    except TimeoutError:
        return None


def ask(path: Path, word: str, **fields: object) -> Told:
    """One question to the broker at the socket `path`."""
    if word in ("login", "account"):
        fields = {"id": secrets.token_hex(16), "within": WITHIN, **fields}
    data = raw(path, pack(word, [(name, str(value)) for name, value in fields.items()]))
    found, pairs = unpack(data, MAX_REPLY)
    return Told(found, tuple(pairs))


def raw(path: Path, data: bytes) -> bytes:
    """Send bytes, return what comes until the other end closes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(path))
        connection.sendall(data)
        received = b""
        while more := connection.recv(65536):
            received += more
        assert received == b"" or received.endswith(END)
        return received
