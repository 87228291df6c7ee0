# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What systemd hands to a service and wants to hear from it: sockets, readiness, signs of life.

sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3): environment variables and datagrams, no library.
"""

import os
import socket
from collections.abc import Mapping

_FIRST = 3  # SD_LISTEN_FDS_START
_MILLION = 1_000_000


class HandedSocket(socket.socket):
    """A listening socket that stays as it was handed over.

    Who called listen() last is who answers, to a client (SO_PEERCRED, unix(7)), and asyncio calls it once
    more: the PAM module would then see the broker's user, who does not own a folder that systemd has made.
    """

    def listen(self, backlog: int = 0) -> None:
        """It listens already."""


def handed_socket(environment: Mapping[str, str], pid: int) -> socket.socket | None:
    """The listening socket that systemd has opened for us, or None."""
    if environment.get("LISTEN_PID") != str(pid) or environment.get("LISTEN_FDS", "0") == "0":
        return None
    os.set_inheritable(_FIRST, False)
    return HandedSocket(fileno=_FIRST)


class Notifier:
    """Tells systemd how it is going; nobody where there is no systemd."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        self._path = "\0" + path[1:] if path.startswith("@") else path
        usec = environment.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = (
            int(usec) / _MILLION / 2 if usec.isdigit() else None
        )  # half of what is allowed

    def __call__(self, *lines: str) -> None:
        """Send `NAME=value` lines."""
        if not self._path:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                sender.sendto("\n".join(lines).encode(), self._path)
            except OSError:
                return  # whoever started us has gone; the logins go on
