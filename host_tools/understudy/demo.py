# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`python -m understudy.demo`: the whole of it against a simulated device, command by command.

Runs real commands in a temporary directory. The authenticator's part is played by zxing-cpp, which reads the QR
code from its file, and by PyPI's pyotp. Exit code 0 when every command ended as it should.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from understudy.simulate import BOARDS
from understudy.statuses import exit_code

_SECONDS = 120.0
_EXPIRED = -600  # seconds from now
_STEP = 30  # seconds
_COMMAND = (sys.executable, "-m", "understudy")


class DemoFailed(Exception):
    """A command did not end as it should."""


class Authenticator:
    """A phone: scans the QR code, shows codes."""

    def __init__(self, picture: Path) -> None:
        # Imported here: what only developers have installed.
        import zxingcpp  # noqa: PLC0415
        from PIL import Image  # noqa: PLC0415

        import pyotp  # noqa: PLC0415

        found = zxingcpp.read_barcodes(Image.open(picture).convert("L"))
        self._totp: Any = pyotp.parse_uri(found[0].text)

    def code(self, seconds: int = 0) -> str:
        """The code of `seconds` from now."""
        return str(self._totp.at(int(time.time()) + seconds))

    def wrong_code(self) -> str:
        """One that no step nearby has."""
        near = {self.code(n * _STEP) for n in range(-4, 5)}
        return next(text for text in map("{:06d}".format, range(10)) if text not in near)


class Stage:
    """Runs commands below `folder` and shows them as a person would have typed them."""

    def __init__(self, folder: Path, board: str) -> None:
        self._folder = folder
        self._board = board
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY")}
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            self._env[name] = str(folder)

    def _start(self, *words: str, **pipes: Any) -> subprocess.Popen[str]:
        print(f"\n$ understudy {' '.join(words)}", flush=True)
        return subprocess.Popen([*_COMMAND, *words], cwd=self._folder, env=self._env, text=True, **pipes)

    def run(self, *words: str, status: str = "ok") -> None:
        """Run a command that has to end with `status`."""
        self._end(self._start(*words), status)

    @staticmethod
    def _end(process: subprocess.Popen[str], status: str, typed: str | None = None) -> None:
        process.communicate(typed, timeout=_SECONDS)
        print(f"exit {process.returncode}", flush=True)
        if process.returncode != exit_code(status):
            raise DemoFailed(f"expected exit code {exit_code(status)} ({status})")

    def enrol(self, name: str) -> Authenticator:
        """Add a user; scan the QR code while the command waits for a first code."""
        picture = self._folder / f"{name}.png"
        process = self._start("user", "add", name, "--qr-file", picture.name, stdin=subprocess.PIPE)
        end = time.monotonic() + _SECONDS
        while not picture.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        if not picture.exists():
            process.kill()
            raise DemoFailed("no QR code was written")
        authenticator = Authenticator(picture)
        picture.unlink()
        # The code before the present one is still taken, and leaves the present one for what comes next.
        typed = authenticator.code(-_STEP)
        print(f"(the authenticator has scanned it, and shows {typed})", flush=True)
        self._end(process, "ok", typed + "\n")
        return authenticator

    @contextmanager
    def powered(self, clock: str) -> Iterator[None]:
        """A simulated device while inside; what it has stored stays."""
        options = ["--clock", clock] if self._board == "linux" else []
        process = self._start(
            "simulate", "--board", self._board, "--state", "flash", *options, stdout=subprocess.PIPE
        )
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise DemoFailed("the simulator did not start")
            print(port, flush=True)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=_SECONDS)


def _say(text: str) -> None:
    print(f"\n--- {text}", flush=True)


def _play(stage: Stage, board: str) -> None:
    with stage.powered("host"):
        _say("A new device gets its admin.")
        stage.run("claim", "--yes", "--name", "demo")
        if board != "linux":
            stage.run("clock", "set", "--from-host")  # a Pico does not know the time when it gets power
        _say("A user gets a secret; it is made on the device and shown once.")
        phone = stage.enrol("alice")
        _say("A right code, the same once more, a wrong one, one from ten minutes ago.")
        code = phone.code()
        stage.run("verify", "alice", code, status="accepted")
        stage.run("verify", "alice", code, status="replayed")
        stage.run("verify", "alice", phone.wrong_code(), status="rejected")
        stage.run("verify", "alice", phone.code(_EXPIRED), status="rejected")
    _say("The power goes, and comes back; the device has lost the time, but nothing else.")
    with stage.powered("unset"):
        stage.run("verify", "alice", phone.code(_STEP), status="clock-unset")
        stage.run("clock", "set", "--from-host")
        stage.run("verify", "alice", phone.code(_STEP), status="accepted")
        stage.run("status")


def main() -> int:
    """Play it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m understudy.demo", description=__doc__)
    parser.add_argument("--board", choices=BOARDS, default="linux")
    board = parser.parse_args().board
    with tempfile.TemporaryDirectory(prefix="understudy-demo-") as folder:
        try:
            _play(Stage(Path(folder), board), board)
        except (DemoFailed, subprocess.TimeoutExpired) as error:
            print(f"\nThe demo failed: {error}", file=sys.stderr)
            return 1
    print(
        "\nAll as it should be; nothing is left running. By hand, in one terminal:\n"
        f"    understudy simulate --board {board}\n"
        "and in another:\n"
        "    understudy claim\n"
        "    understudy user add YOU      (scan the code with a phone)\n"
        "    understudy verify YOU"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
