# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A program on a terminal of 80x24, and what a person sees there."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from tests.cli.support import SECONDS, Cli

COLUMNS, ROWS = 80, 24


class Pty:
    """Runs what `start` starts with all three streams on a pty; `text` is what has come out, CR dropped."""

    def __init__(self, start: Callable[..., "subprocess.Popen[Any]"]) -> None:
        """`start` takes the streams as subprocess.Popen does."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        try:
            self.process = start(stdin=slave, stdout=slave, stderr=slave)
        finally:
            os.close(slave)
        self._data = b""
        self._seen = 0

    @property
    def text(self) -> str:
        """What has come out so far."""
        return self._data.decode(errors="replace").replace("\r", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)
        os.close(self._master)

    def type(self, line: str) -> None:
        """Type a line."""
        self.press(line + "\n")

    def press(self, keys: str) -> None:
        """Type, without an end of line."""
        os.write(self._master, keys.encode())

    def read_until(self, words: str) -> None:
        """Read until `words` have appeared after those awaited before."""
        end = time.monotonic() + SECONDS
        while words not in self.text[self._seen :]:
            assert self._read(end), self.text
        self._seen = self.text.index(words, self._seen) + len(words)

    def wait(self) -> int:
        """Read to the end; return the exit code."""
        end = time.monotonic() + SECONDS
        while self._read(end):
            pass
        return self.process.wait(SECONDS)

    def _read(self, end: float) -> bool:
        assert select.select([self._master], [], [], max(0.0, end - time.monotonic()))[0], self.text
        try:
            data = os.read(self._master, 4096)
        except OSError:  # EIO: the other side is closed
            return False
        self._data += data
        return bool(data)


class Terminal(Pty):
    """`understudy ...` on a terminal."""

    def __init__(self, cli: Cli, *words: str) -> None:
        # A session of its own: without a controlling terminal, passwords are read from stdin.
        super().__init__(partial(cli.start, *words, start_new_session=True))


def without_colours(text: str) -> str:
    """`text` without colour escape sequences."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
