# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What programs say to syslog: a real datagram socket at /dev/log."""

import re
import select
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.cli.support import wait_for

# As glibc's syslog() and journald's clients write it: <priority>Mmm dd hh:mm:ss tag[pid]: message
_LINE = re.compile(
    r"<(\d+)>(?:\w{3} [ \d]\d \d\d:\d\d:\d\d )?(?:([^\s:\[]+)(?:\[(\d+)\])?: )?(.*)", re.DOTALL
)


@dataclass(frozen=True)
class Entry:
    """One line: `priority` 0 (emergency) to 7 (debug), `facility` as in RFC 5424 (10: authpriv)."""

    priority: int
    facility: int
    tag: str
    pid: int
    text: str


class Journal:
    """Reads the socket at `path` until it is closed; whoever writes to it never waits."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        path.chmod(0o666)
        self._entries: list[Entry] = []
        self._closed, self._close = socket.socketpair()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._close.close()
        self._thread.join()
        self._closed.close()
        self._socket.close()

    def _read(self) -> None:
        while True:
            ready, _, _ = select.select([self._socket, self._closed], [], [])
            if self._socket in ready:
                self._take(self._socket.recv(65536))
            elif self._closed in ready:
                return

    def _take(self, data: bytes) -> None:
        found = _LINE.fullmatch(data.decode(errors="replace").rstrip("\0\n"))
        assert found is not None, data
        number = int(found[1])
        self._entries.append(Entry(number & 7, number >> 3, found[2] or "", int(found[3] or 0), found[4]))

    def entries(self, tag: str = "") -> list[Entry]:
        """What has been said so far, by programs whose tag begins with `tag`, oldest first."""
        return [entry for entry in self._entries if entry.tag.startswith(tag)]

    @property
    def text(self) -> str:
        """All of it, a line each."""
        return "".join(f"{entry.tag}[{entry.pid}]: {entry.text}\n" for entry in self._entries)

    def wait_for(self, words: str) -> Entry:
        """The first entry with `words` in it, waited for."""

        def said() -> list[Entry]:
            return [entry for entry in self._entries if words in entry.text]

        wait_for(lambda: bool(said()))
        return said()[0]
