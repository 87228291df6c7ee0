# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A broker of the tests: a real Unix socket; behind it, connection by connection, whatever a script says."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.cli.support import SECONDS

END = b"\n\n"


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    raw: bytes

    @property
    def word(self) -> str:
        """What it asks for."""
        return self.raw.decode().split("\n", 1)[0].removeprefix("understudy/1 ")

    @property
    def fields(self) -> dict[str, str]:
        """Its fields, each of which may come once."""
        pairs = [line.split(" ", 1) for line in self.raw.decode().removesuffix("\n\n").split("\n")[1:]]
        assert len({name for name, _ in pairs}) == len(pairs), self.raw
        return {name: value for name, value in pairs}


@dataclass
class Call:
    """One connection, as a play sees it."""

    connection: socket.socket
    broker: "FakeBroker"
    request: Request | None = field(default=None)

    def read(self) -> None:
        """Read the request; it is kept in the broker's list."""
        data = b""
        while not data.endswith(END):
            more = self.connection.recv(4096)
            if not more:
                break
            data += more
        self.request = Request(data)
        self.broker.requests.append(self.request)


Play = Callable[[Call], None]


def message(status: str, *lines: str) -> bytes:
    """A reply."""
    return "\n".join([f"understudy/1 {status}", *lines, "", ""]).encode()


def prompt(text: str = "Code: ", echo: str = "off", stage: str = "code", *before: str) -> bytes:
    """A reply that asks for something, with lines to show before."""
    return message("prompt", *before, f"prompt {text}", f"echo {echo}", f"stage {stage}")


def says(data: bytes) -> Play:
    """Answers as a broker should."""

    def play(call: Call) -> None:
        call.read()
        call.connection.sendall(data)

    return play


def answers(data: bytes) -> Play:
    """Asks for a code, and answers `data` to whatever was typed."""

    def play(call: Call) -> None:
        call.read()
        assert call.request is not None
        call.connection.sendall(data if "answer" in call.request.fields else prompt())

    return play


def hangs(call: Call) -> None:
    """Reads the request, and says nothing until the client has gone."""
    call.read()
    call.connection.recv(1)


def hangs_unread(call: Call) -> None:
    """Does not even read."""
    call.broker.over.wait()


def drips(data: bytes, seconds: float = 1.0) -> Play:
    """Answers byte by byte, so far apart."""

    def play(call: Call) -> None:
        call.read()
        for byte in data:
            if call.broker.over.wait(seconds):
                return
            call.connection.sendall(bytes((byte,)))

    return play


def closes(data: bytes = b"", read: bool = True) -> Play:
    """Sends the beginning of an answer, then closes. Unread, the client sees a reset."""

    def play(call: Call) -> None:
        if read:
            call.read()
        call.connection.sendall(data)

    return play


def floods(data: bytes) -> Play:
    """Sends `data` again and again until the client has gone."""

    def play(call: Call) -> None:
        call.read()
        while True:
            call.connection.sendall(data)

    return play


class FakeBroker:
    """Listens at `path`; its n-th connection gets the n-th play, and those after the last play get that.

    with FakeBroker(path, hangs, says(message("accepted"))) as broker: ...; broker.requests
    """

    def __init__(self, path: Path, *plays: Play, backlog: int = 128) -> None:
        self.path = path
        self.plays = plays
        self.requests: list[Request] = []
        self.connections = 0
        self.over = threading.Event()
        self._backlog = backlog
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.stop()

    def start(self) -> None:
        """Begin to listen."""
        self.path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self.path))
        listening.listen(self._backlog)
        self._listening = listening
        self._run(self._accept, listening)

    def stop(self, unlink: bool = True) -> None:
        """Die: connections end, nobody listens. Without `unlink` the file stays, as after SIGKILL."""
        assert self._listening is not None
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(SECONDS)
                assert not thread.is_alive()
        self._threads.clear()
        self._listening.close()
        if unlink:
            self.path.unlink(missing_ok=True)

    def _run(self, target: Callable[[socket.socket], None], connection: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(connection,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self._open.add(connection)
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        number, self.connections = self.connections, self.connections + 1
        with connection, suppress(ConnectionError):
            self.plays[min(number, len(self.plays) - 1)](Call(connection, self))
        self._open.discard(connection)


@contextmanager
def full_backlog(path: Path) -> Iterator[None]:
    """A socket that listens, never accepts, and has no place left for one more."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(0)
        waiting: list[socket.socket] = []
        try:
            while True:
                one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                waiting.append(one)
                one.connect(str(path))
        except BlockingIOError:
            yield
        finally:
            for one in waiting:
                one.close()
            path.unlink()


@contextmanager
def foreign(path: Path, uid: int, reply: bytes) -> Iterator[None]:
    """A process of another user that listens at `path` (which root puts there) and answers `reply`."""
    ready, told = os.pipe()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        os.chmod(path, 0o666)
        child = os.fork()
        if child == 0:
            try:
                os.setresuid(uid, uid, uid)
                listening.listen(8)  # the kernel remembers who calls this
                os.write(told, b"x")
                while True:
                    connection, _ = listening.accept()
                    connection.recv(4096)
                    connection.sendall(reply)
                    connection.close()
            finally:
                os._exit(1)
    os.close(told)
    try:
        assert os.read(ready, 1) == b"x"
        yield
    finally:
        os.close(ready)
        os.kill(child, 9)
        os.waitpid(child, 0)
        path.unlink()


def wait_for_lines(path: Path, words: str, count: int = 1) -> None:
    """Return when a file that is being written has `count` lines that begin with `words`."""
    end = time.monotonic() + SECONDS
    while not path.exists() or sum(line.startswith(words) for line in path.read_text().splitlines()) < count:
        assert time.monotonic() < end, f"no {words} in {path}"
        time.sleep(0.005)
