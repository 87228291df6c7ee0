# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The command line and the simulator as processes, each with a home directory of its own."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.reference import load_pyotp

SECONDS = 120.0  # for anything a process may take on a busy machine
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # base32, 20 bytes
INTERVAL = 120  # seconds, the most that PyPI's pyotp takes
UNDERSTUDY = (sys.executable, "-m", "understudy")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object that stdout has to be."""
        assert self.out.endswith("\n") and self.out.count("\n") == 1, self
        return json.loads(self.out)


class Cli:
    """Runs `understudy ...` with everything it may write to below `folder`."""

    def __init__(self, folder: Path, seconds: float = 0.0) -> None:
        """`seconds`: that a device may take for a request, if it is to be longer than usual."""
        self.folder = folder
        self._patient = ("--timeout", str(seconds)) if seconds else ()
        self._seconds = SECONDS + seconds
        names = {
            "HOME": "home",
            "XDG_CONFIG_HOME": "config",
            "XDG_STATE_HOME": "state",
            "XDG_RUNTIME_DIR": "run",
        }
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY", "XDG"))
        }
        for name, sub in {**names, "TMPDIR": "tmp"}.items():
            (folder / sub).mkdir(mode=0o700, parents=True, exist_ok=True)
            self.env[name] = str(folder / sub)
        self.env.update({"COLUMNS": "80", "NO_COLOR": "1"})
        self.env["UNDERSTUDY_CONFIG"] = str(self.configuration)

    @property
    def configuration(self) -> Path:
        """Where the configuration is looked for; there is none at first."""
        return self.folder / "etc/understudy.toml"

    @property
    def identity(self) -> Path:
        """Where the identity file is by default."""
        return self.folder / "config/understudy/identity.json"

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command; pipes and environment as in subprocess.Popen."""
        pipes = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "env": self.env,
        }
        return subprocess.Popen([*UNDERSTUDY, *words], cwd=self.folder, text=True, **{**pipes, **options})

    def __call__(self, *words: str, stdin: str = "") -> Done:
        process = self.start(*self._patient, *words)
        try:
            out, err = process.communicate(stdin, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        assert "--debug" in words or "Traceback" not in err, err
        return Done(process.returncode, out, err)

    def ok(self, *words: str, stdin: str = "") -> Done:
        """The same for a command that has to succeed."""
        done = self(*words, stdin=stdin)
        assert done.code == 0, done
        return done

    def json(self, *words: str, stdin: str = "") -> Any:
        """What a command that has to succeed prints with --json."""
        return self.ok(*words, "--json", stdin=stdin).json

    @contextmanager
    def simulator(self, *options: str) -> Iterator[str]:
        """`understudy simulate --board linux` while inside; the value is its port."""
        process = self.start("simulate", "--board", "linux", *options, stdin=subprocess.DEVNULL, stderr=None)
        try:
            yield first_line(process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)
            assert process.stdout is not None
            process.stdout.close()
            assert process.returncode == 0

    def add(self, name: str, *options: str) -> None:
        """Add a user whose secret is SECRET, without a first code."""
        words = (
            "user",
            "add",
            name,
            "--import-secret",
            "-",
            "--no-confirm",
            "--interval",
            str(INTERVAL),
            *options,
        )
        self.ok(*words, stdin=SECRET + "\n")


def first_line(process: "subprocess.Popen[str]") -> str:
    """The first line of a process's stdout, before a deadline."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], SECONDS)
    assert ready, "no line in time"
    return process.stdout.readline().rstrip("\n")


def code(steps: int = 0, now: float | None = None, secret: str = SECRET, interval: int = INTERVAL) -> str:
    """The code of SECRET that lies `steps` from the present one, as PyPI's pyotp has it."""
    moment = int(time.time() if now is None else now) + steps * interval
    return str(load_pyotp().TOTP(secret, interval=interval).at(moment))


def hotp(counter: int, secret: str = SECRET) -> str:
    """The code of SECRET for a counter, as PyPI's pyotp has it."""
    return str(load_pyotp().HOTP(secret).at(counter))


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds; fail at a deadline."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)
