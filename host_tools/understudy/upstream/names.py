# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Host names to addresses, without a thread for every login that waits for a name server which is silent.

The event loop's own `getaddrinfo` runs in a pool of a few threads that everything shares and that a process
waits for at its end: a name server that does not answer would use them all up.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from understudy.upstream import unreachable

Lookup = Callable[[str, int], Sequence[Any]]  # socket.getaddrinfo's rows; OSError


class Names:
    """Looks names up, each in one thread at a time, however many wait for it."""

    def __init__(self, lookup: Lookup = socket.getaddrinfo) -> None:
        self._lookup = lookup
        self._running: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """The IP addresses of `host`, the best first, at least one. Unreachable("dns")."""
        with suppress(OSError, ValueError):
            return _unique(socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST))
        running = self._running.get((host, port))
        if running is None:
            running = self._start(host, port)
        # Shielded: who stops waiting takes nothing from the others.
        return await asyncio.shield(running)

    def _start(self, host: str, port: int) -> "asyncio.Future[list[str]]":
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()
        self._running[host, port] = found

        def end(addresses: list[str], detail: str) -> None:
            del self._running[host, port]
            if addresses:
                found.set_result(addresses)
            else:
                found.set_exception(unreachable("dns", detail))
                found.exception()  # looked at, even if nobody waits any more

        def work() -> None:
            try:
                result = _unique(self._lookup(host, port)), f"{host} has no address"
            except (OSError, ValueError) as error:  # ValueError: no name at all
                result = [], f"{host}: {getattr(error, 'strerror', None) or 'not a name'}"
            with suppress(RuntimeError):  # the loop is gone, and with it whoever waited
                loop.call_soon_threadsafe(end, *result)

        threading.Thread(target=work, name=f"lookup-{host}", daemon=True).start()
        return found


def _unique(rows: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
