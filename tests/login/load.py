# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Load on a broker: clients that ask as the PAM module does, books of verdicts, a device to unplug."""

import os
import random
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.support import SECONDS, Cli
from tests.login.crowd import Person

from understudy.broker.messages import END, MAX_REPLY, pack, unpack
from understudy.deadline import Deadline
from understudy.device_process import environment
from understudy.paths import firmware_dir
from understudy.simulate import Plan, linux_command
from understudy.simulator.pty_port import PtyPort
from understudy_device.protocol import STATUSES

WITHIN = 15.0  # seconds that a client waits, as the module does
FIRST_PAUSE, LAST_PAUSE = 0.01, 0.16  # seconds between two attempts, as the module's
UNDECIDED = {name for name, (_, _, pam) in STATUSES.items() if pam == "AUTHINFO_UNAVAIL"} | {"late"}


class Books:
    """What was asked and answered; `errors` is what must not have happened."""

    def __init__(self) -> None:
        self.words = Counter[str]()
        self.errors: list[str] = []
        self.cuts = 0  # of the device's power, so far
        self.burnt = 0  # codes of which it is not known whether one was used when the power was cut
        self._accepted: set[tuple[str, int]] = set()
        self._changed = threading.Condition()

    def verdict(self, person: Person, counter: int | None, word: str, allowed: set[str], why: str) -> None:
        """Note an answer; `counter` is that of a code that may be accepted, None when it may not."""
        with self._changed:
            self.words[word] += 1
            if word not in allowed:
                self.errors.append(f"{person.name} {counter}: {word}, {why}")
            if word == "accepted" and counter is not None:
                if (person.name, counter) in self._accepted:
                    self.errors.append(f"{person.name} {counter}: accepted twice")
                self._accepted.add((person.name, counter))
            self._changed.notify_all()

    @property
    def decided(self) -> int:
        """Answers that the device has judged."""
        return sum(count for word, count in self.words.items() if word not in UNDECIDED)

    def wait_for(self, verdicts: int, seconds: float = SECONDS) -> None:
        """Return when so many more were given; fail at a deadline, or at the first error."""
        with self._changed:
            wanted = self.decided + verdicts
            assert self._changed.wait_for(lambda: self.errors or self.decided >= wanted, seconds), self.words
            assert not self.errors, self.errors


class Client(threading.Thread):
    """One person who logs in again and again until `over`: by right codes mostly, else by used ones, wrong
    ones, or those of `other`."""

    def __init__(
        self, path: Path, person: Person, other: Person, books: Books, seed: str, within: float
    ) -> None:
        """`path`: of the broker's socket; `within`: seconds that one login waits."""
        super().__init__(daemon=True)
        self.person = person
        self._path = path
        self._other = other
        self._books = books
        self._within = within
        self._random = random.Random(f"{seed} {person.name}")
        self.over = threading.Event()

    def run(self) -> None:
        """Log in until it is over; what comes up is an error of the books."""
        try:
            while not self.over.is_set():
                self._right()
                if self._random.random() < 0.3:
                    self._never_accepted()
        except Exception as error:
            self._books.verdict(self.person, None, "crashed", set(), repr(error))

    def _right(self) -> None:
        """The next code, typed until there is a verdict, as a person would."""
        person, counter = self.person, self.person.counter
        code = person.fresh()
        word, was_undecided = "", False
        while word in UNDECIDED | {""} and not (was_undecided and self.over.is_set()):
            cuts = self._books.cuts
            word, repeats = self._ask(code)
            # It may have been used up by a question that got no answer, or that was cut short on the device,
            # between the use of a code and the event that tells of it; never is it accepted again.
            was_cut = self._books.cuts != cuts
            self._books.burnt += word == "replayed" and not was_undecided
            allowed = {"accepted"} | UNDECIDED | ({"replayed"} if was_undecided or was_cut else set())
            self._books.verdict(person, counter, word, allowed, f"asked {repeats + 1} times under its id")
            was_undecided = was_undecided or word in UNDECIDED

    def _never_accepted(self) -> None:
        """One that is used, wrong or somebody else's. Only one: the next right one forgets it."""
        person = self.person
        code, right = self._random.choice(
            [
                (person.code(person.counter - 1), "replayed"),
                (person.wrong(), "rejected"),
                (self._other.code(person.counter), "rejected"),
            ]
        )
        word, _ = self._ask(code)
        self._books.verdict(person, None, word, {right} | UNDECIDED, f"not {right}")

    def _ask(self, code: str) -> tuple[str, int]:
        """(the verdict on a code, how often its question was asked again), perhaps after one for a prompt."""
        if self._random.random() < 0.5:
            word, _ = asked(self._path, self.person.name, None, self._within)
            self._books.verdict(self.person, None, word, {"prompt"} | UNDECIDED, "no prompt")
            if word != "prompt":
                return word, 0
        word, repeats = asked(self._path, self.person.name, code, self._within)
        return word, repeats


def asked(path: Path, name: str, code: str | None = None, within: float = WITHIN) -> tuple[str, int]:
    """(word of the reply, how often it was asked again); "late" when there is none in time.

    As the module asks: again under the same id while the connection breaks, or nobody listens.
    """
    number, end, pause = secrets.token_hex(16), Deadline(within), FIRST_PAUSE
    repeats = 0
    while not end.passed:
        fields = [("id", number), ("user", name), ("service", "load")]
        fields += [("within", str(max(1, int(end.left * 1000))))]
        fields += [] if code is None else [("stage", "code"), ("answer", code)]
        reply = _attempt(path, pack("login", fields), end)
        if reply is not None:
            return reply, repeats
        time.sleep(min(pause, end.left))
        repeats, pause = repeats + 1, min(2 * pause, LAST_PAUSE)
    return "late", repeats


def _attempt(path: Path, data: bytes, end: Deadline) -> str | None:
    """The word of the reply, or None when the connection did not last that long."""
    received = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(end.left or 0.001)
            connection.connect(str(path))
            connection.sendall(data)
            while not received.endswith(END):
                more = connection.recv(MAX_REPLY)
                if not more:
                    return None
                received += more
        except TimeoutError:
            return "late"
        except OSError:
            return None
    return unpack(received, MAX_REPLY)[0]


@contextmanager
def load(path: Path, crowd: list[Person], seed: str, within: float = WITHIN) -> Iterator[Books]:
    """The second half of a crowd does not log in; the first does, each one all the time, while inside. At the
    end there must have been no error."""
    books, half = Books(), len(crowd) // 2
    clients = [
        Client(path, person, other, books, seed, within)
        for person, other in zip(crowd[:half], crowd[half:], strict=True)
    ]
    for one in clients:
        one.start()
    try:
        yield books
    finally:
        for one in clients:
            one.over.set()
        for one in clients:
            one.join(SECONDS + within)
    assert not any(one.is_alive() for one in clients), seed
    assert not books.errors, (seed, books.errors, books.words)


class Stick:
    """A simulated device on a port of a fixed name that is pulled out and plugged in again."""

    def __init__(self, cli: Cli) -> None:
        self._plan = Plan(
            "linux", state=cli.folder / "device", link=cli.folder / "port", screen=cli.folder / "screen"
        )
        self._port: PtyPort | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def plug(self) -> None:
        """The port is back, and the device gets power."""
        if self._port is None:
            self._port = PtyPort(self._plan.link)
            os.set_blocking(self._port.fileno(), True)  # the device waits for its input in a read
        self._process = subprocess.Popen(
            linux_command(self._plan),
            stdin=self._port.fileno(),
            stdout=self._port.fileno(),
            stderr=subprocess.DEVNULL,
            env=environment(),
            cwd=firmware_dir(),
            start_new_session=True,
        )

    def cut_power(self) -> None:
        """The device is off; its port stays, as a serial line's would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)
            self._process = None

    def unplug(self) -> None:
        """The device is off, and its port has gone."""
        self.cut_power()
        if self._port is not None:
            self._port.__exit__(None, None, None)
            self._port = None

    def hang(self, seconds: float) -> None:
        """The device does nothing for so long."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            self._process.send_signal(signal.SIGCONT)
