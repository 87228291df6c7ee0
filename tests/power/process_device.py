# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device as a real process over its flash file: main.py on the Linux port, spoken to through pipes as
over a serial line, with real handshakes; killed at any moment."""

import json
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.power.engine import Reply
from tests.power.requests import ADMIN, OTHER, VERIFIER, Request, filled
from tests.power.world import START

from parts import Host
from understudy_device import protocol, wire
from understudy_device.protocol import COMMANDS, PAIRING

ROOT = Path(__file__).resolve().parents[2]
SECTORS = 12
SIZE = SECTORS * 4096
_SECONDS = 60.0  # for an answer, on a busy machine


class Gone(Exception):
    """The process has ended."""


class Process:
    """One run of it, with the face of `session.Session`: one frame in, one frame out."""

    def __init__(self, flash: Path, *, prefix: Sequence[str] = (), size: int = SIZE) -> None:
        """`prefix`: a command that runs the command after it, such as unshare."""
        command = [sys.executable, "-s", str(ROOT / "firmware" / "main.py")]
        options = {
            "--board-file": ROOT / "boards" / "linux" / "board.json",
            "--flash": flash,
            "--flash-size": size,
            "--clock": START,
        }
        command += [str(word) for pair in options.items() for word in pair]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment["PYTHONPATH"] = str(ROOT / "build" / "firmware-packages")
        self._errors = flash.parent / f"{flash.name}.stderr"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*prefix, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                cwd=ROOT / "firmware",
            )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._reader = wire.LineReader()

    def send(self, kind: int, payload: bytes) -> None:
        """Send a frame."""
        try:
            os.write(self._in, wire.encode(kind, payload))
        except BrokenPipeError:
            raise Gone(self.errors()) from None

    def receive(self, seconds: float = _SECONDS) -> tuple[int, bytes] | None:
        """The next frame; None when there is none in time. Raises Gone."""
        end = time.monotonic() + seconds
        while select.select([self._out], [], [], max(0.0, end - time.monotonic()))[0]:
            chunk = os.read(self._out, 65536)
            if not chunk:
                raise Gone(self.errors())
            for line in self._reader.feed(chunk):
                frame = wire.decode(line)
                if frame is not None:
                    return frame
        return None

    def handle(self, kind: int, payload: bytes) -> tuple[int, bytes]:
        """As `session.Session.handle`."""
        self.send(kind, payload)
        frame = self.receive()
        assert frame is not None, "the process does not answer"
        return frame

    def limit_file_size(self, size: int) -> None:
        """Let every write at or behind `size` fail, as on a full disk, or -1 for none."""
        hard = resource.RLIM_INFINITY
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard if size < 0 else size, hard))

    def errors(self) -> str:
        """What it has written to its standard error."""
        return self._errors.read_text(errors="replace")

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(_SECONDS)

    def close(self) -> None:
        """Let go of what is left of it."""
        self.kill()
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()


class ProcessDevice:
    """A process and its hosts. The replies are as those of `engine.Running.ask`; `off` is a kill -9."""

    def __init__(self, flash: Path, **options: Any) -> None:
        self._flash, self._options = flash, options
        self._hosts = {name: Host(name.encode()) for name in (ADMIN, VERIFIER, OTHER)}
        self._number = 0
        self.start()

    def start(self) -> None:
        """Start the process on what is on its file."""
        self.process = Process(self._flash, **self._options)
        self._open: Host | None = None  # whose session there is

    def know(self, other: "ProcessDevice") -> None:
        """Take over what the hosts of `other` know of the device."""
        self._hosts = other._hosts

    def off(self) -> None:
        """Kill it."""
        self.process.close()

    def __enter__(self) -> "ProcessDevice":
        return self

    def __exit__(self, *_: object) -> None:
        self.off()

    # Requests.

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """The replies, in order. Raises Gone."""
        return [self._ask(request) for request in requests]

    def _ask(self, request: Request) -> Reply:
        status = self.post(request)
        if status is not None:
            return status
        frame = self.process.receive()
        assert frame is not None, f"{request} is not answered"
        return self.read(frame)

    def post(self, request: Request) -> Reply | None:
        """Send the request over a session of its host; a reply only if there can be none."""
        if request.cmd in ("hello", "state"):
            self._open = None
            return {"status": "ok", **self._hosts[ADMIN].hello(self.process)}
        if request.cmd == "tidy":  # it does so by itself
            return {"status": "ok"}
        host = self._hosts[request.who]
        self._host = host
        if COMMANDS[request.cmd][0] == PAIRING:
            self._open = None
            host.start_pairing(self.process)
            for other in self._hosts.values():
                other.device_key = host.device_key
        elif self._open is not host:
            self._open = None
            kind, payload = host.open(self.process)
            if kind == protocol.FAULT:
                return {"status": payload.decode()}
            self._open = host
        self._number += 1
        fields = filled(request, host.wrap())
        data = {"id": f"{os.getpid():08x}{self._number:08x}", "cmd": request.cmd, **fields}
        self.process.send(protocol.DATA, host.send.encrypt_with_ad(b"", json.dumps(data).encode()))
        return None

    def read(self, frame: tuple[int, bytes]) -> Reply:
        """The reply that a frame carries."""
        kind, payload = frame
        if kind == protocol.FAULT:
            self._open = None
            return {"status": payload.decode()}
        reply: Reply = json.loads(self._host.receive.decrypt_with_ad(b"", payload))
        return reply

    def ask_and_kill(self, request: Request, seconds: float) -> Reply | None:
        """Ask, and kill the process after so long; the reply, if it had left by then."""
        reply = self.post(request)
        if reply is not None:
            self.process.kill()
            return reply
        frame = self.process.receive(seconds)
        self.process.kill()
        if frame is None:
            try:
                frame = self.process.receive(1.0)  # what stands in the pipe
            except Gone:
                return None
        return None if frame is None else self.read(frame)
