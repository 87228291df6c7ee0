# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A pseudo-terminal that stands for a serial port."""

import os
import pty
import tty
from pathlib import Path
from types import TracebackType

_CHUNK = 4096


class PtyPort:
    """A context manager; `path` is what a client opens, `fileno()` is for select."""

    def __init__(self, link: Path | None = None) -> None:
        """
        :param link: a symbolic link to make, so that the port has the same name each time; one that is there
            is replaced
        :raises FileExistsError: `link` is there and is no symbolic link
        """
        self._master, self._slave = pty.openpty()
        self._link = link
        # The slave stays open here. Otherwise reading gives EIO whenever no client has it open, and the
        # terminal settings go back to cooked when the last client closes it.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        if link is not None:
            try:
                _point(link, self.path)
            except OSError:
                self._close_files()
                raise

    def __enter__(self) -> "PtyPort":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        link = self._link
        if link is not None and link.is_symlink() and os.readlink(link) == self.path:
            link.unlink(missing_ok=True)
        self._close_files()

    def _close_files(self) -> None:
        os.close(self._master)
        os.close(self._slave)

    def fileno(self) -> int:
        """The master's file descriptor."""
        return self._master

    def read(self) -> bytes:
        """What a client has written, at most 4 KiB; empty if nothing."""
        try:
            return os.read(self._master, _CHUNK)
        except BlockingIOError:
            return b""

    def write(self, data: bytes | bytearray) -> int:
        """Give bytes to the client; returns how many there was room for."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0


def _point(link: Path, target: str) -> None:
    if os.path.lexists(link) and not link.is_symlink():
        raise FileExistsError(f"{link} is there and is no symbolic link")
    temporary = link.with_name(f"{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
