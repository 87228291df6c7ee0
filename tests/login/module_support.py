# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The PAM module in the tests: built with sanitizers, and programs that log in through it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import SECONDS
from tools.buildlib import steps
from tools.buildlib.paths import BUILD, ROOT

MODULE = BUILD / "pam/pam_understudy.so"
SANITIZED = BUILD / "pam/test/sanitized.so"
FAULTS = BUILD / "pam/test/faults.so"
APP = BUILD / "pam/test/app"
APP_PLAIN = BUILD / "pam/test/app-plain"
PROBE = BUILD / "pam/test/probe"
# What a program with sanitizers ends with when they found something; PAM's own codes are on stdout.
STRICT = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}

# Linux-PAM's numbers, security/_pam_types.h.
PAM = {
    "SUCCESS": 0,
    "SERVICE_ERR": 3,
    "SYSTEM_ERR": 4,
    "PERM_DENIED": 6,
    "AUTH_ERR": 7,
    "CRED_INSUFFICIENT": 8,
    "AUTHINFO_UNAVAIL": 9,
    "USER_UNKNOWN": 10,
    "MAXTRIES": 11,
    "ACCT_EXPIRED": 13,
    "CRED_UNAVAIL": 15,
    "CRED_EXPIRED": 16,
    "CRED_ERR": 17,
    "CONV_ERR": 19,
    "IGNORE": 25,
}


@pytest.fixture(name="built", scope="session")
def built_fixture() -> None:
    """The module and the programs of tests/login/c, up to date."""
    with steps.locked("pam-test"):
        done = subprocess.run(["make", "-s", "pam-test"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Ended:
    """What came of a run: (kind, text) of each line of `app`, in order."""

    lines: list[tuple[str, str]]

    def of(self, *kinds: str) -> list[tuple[str, str]]:
        """The lines of these kinds."""
        return [line for line in self.lines if line[0] in kinds]

    @property
    def results(self) -> list[int]:
        """The PAM codes, one a login."""
        return [int(text) for kind, text in self.lines if kind == "result"]

    @property
    def result(self) -> int:
        """The PAM code of the only login."""
        (result,) = self.results
        return result

    @property
    def talk(self) -> list[tuple[str, str]]:
        """What the user saw: info, error, hidden (a prompt without echo), shown."""
        return self.of("info", "error", "hidden", "shown")

    @property
    def log(self) -> str:
        """What was told to syslog."""
        return "\n".join(text for kind, text in self.lines if kind.startswith("syslog"))


class Login:
    """Logs in through a module: `login("user=alice", "answer=123456")`."""

    def __init__(self, folder: Path, module: Path = SANITIZED, app: Path = APP) -> None:
        """`folder` gets the socket's own folder and PAM's configuration."""
        self.folder = folder
        self.run = folder / "run"
        self.run.mkdir(mode=0o755)
        self.run.chmod(0o755)
        self.socket = self.run / "s"
        self.calls = folder / "calls"
        self.module = module
        self.app = app
        self._services = folder / "pam.d"
        self._services.mkdir()
        # Without it PAM logs that it is missing.
        (self._services / "other").write_text("auth required pam_deny.so\naccount required pam_deny.so\n")
        self.stack()

    def stack(self, arguments: str = "", socket: Path | None = None, service: str = "test") -> None:
        """Write the service's stack: the module alone, whose code is then PAM's."""
        line = (
            f"[default=die success=done ignore=done] {self.module} socket={socket or self.socket} {arguments}"
        )
        text = "".join(f"{kind} {line}\n" for kind in ("auth", "account"))
        (self._services / service).write_text(text)

    def start(self, *words: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        """Start it."""
        return subprocess.Popen(
            [self.app, self._services, options.pop("service", "test"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **STRICT, **(env or {})},
            text=True,
            errors="surrogateescape",
            **options,
        )

    def ended(self, process: "subprocess.Popen[str]") -> Ended:
        """Wait for it to end, which it has to in order: no leak, no sanitizer's complaint."""
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        assert process.returncode == 0 and not err, (process.returncode, out, err)
        ended = Ended([(line.partition(" ")[0], line.partition(" ")[2]) for line in out.splitlines()])
        assert not ended.of("leak"), ended
        return ended

    def __call__(self, *words: str, env: dict[str, str] | None = None, **options: Any) -> Ended:
        """Run it to its end."""
        return self.ended(self.start(*words, env=env, **options))


NONBLOCK, CLOEXEC = 0o4000, 0o2000000  # SOCK_NONBLOCK, SOCK_CLOEXEC; socket(2), Linux
GRND_NONBLOCK, MSG_NOSIGNAL = 1, 0x4000
SLACK_CALLS = 12  # that may follow once the time is up: what is open is closed


def calls(faulty: Login) -> list[tuple[str, int, int, int]]:
    """(name, result, errno, value) of each call of the module."""
    lines = [line.split(" ") for line in faulty.calls.read_text().splitlines()]
    return [(name, int(result), int(error), int(value)) for name, result, error, value in lines]


def check_deadline(faulty: Login, seconds: int) -> None:
    """No call blocks but poll; no poll waits longer than what is left; little is done after the end. What
    passes between two questions is the user's."""
    end, now, after = 0, 0, 0
    made = calls(faulty)
    for (name, result, _error, value), following in zip(made, [*made[1:], ("", 0, 0, 0)], strict=True):
        if name == "clock_gettime" and result == 0:
            if end == 0:
                end = value + seconds * 1000
            elif following[0] == "getrandom":  # a further question
                end += value - now
            now = value
        elif name == "socket":
            assert value & NONBLOCK and value & CLOEXEC
        elif name == "getrandom":
            assert value & GRND_NONBLOCK
        elif name == "send":
            assert value & MSG_NOSIGNAL
        elif name == "poll":
            assert 0 < value <= end - now
        after = after + 1 if end and now >= end else 0
    assert after <= SLACK_CALLS


def attempt(faulty: Login, *words: str, seconds: int = 1, faults: str = "", rests: bool = False) -> Ended:
    """A login with a short deadline, which has to hold."""
    faulty.stack(f"timeout={seconds}")
    env = {"CALLS": str(faulty.calls), "FAULTS": faults, **({"RESTS": "1"} if rests else {})}
    faulty.calls.unlink(missing_ok=True)
    ended = faulty("user=alice", "answer=1", *words, env=env)
    check_deadline(faulty, seconds)
    return ended


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's (107 bytes)."""
    with tempfile.TemporaryDirectory(prefix="u-") as name:
        yield Path(name)


@pytest.fixture(name="login")
def login_fixture(built: None) -> Iterator[Login]:
    """The module with sanitizers, in a program with sanitizers."""
    with short_folder() as folder:
        yield Login(folder)


@pytest.fixture(name="faulty")
def faulty_fixture(built: None) -> Iterator[Login]:
    """The module whose calls can be made to fail, see c/faults.c."""
    with short_folder() as folder:
        yield Login(folder, FAULTS)
