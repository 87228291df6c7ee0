# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""RADIUS servers, asked in turn over UDP with one deadline (RFC 2865; retransmission: section 2.5)."""

import asyncio
from dataclasses import dataclass, field

from understudy.upstream import Login, Says, unreachable
from understudy.upstream.names import Names
from understudy.upstream.radius_packet import Forged, Request
from understudy_device.errors import MalformedCode, Unreachable

PORT = 1812
_FIRST_PAUSE = 0.3  # seconds before a request is sent again; doubles
_WORST = ("secret", "timeout", "refused", "dns", "network")  # what is told of several servers


@dataclass(frozen=True)
class Server:
    """Where one listens."""

    host: str
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Radius:
    """Servers that share a secret and know the same codes."""

    def __init__(self, servers: list[Server], secret: bytes, nas: str, names: Names) -> None:
        """`nas`: how they know this host (NAS-Identifier)."""
        self._servers = servers
        self._secret = secret
        self._nas = nas
        self._names = names
        self._preferred = 0  # who answered last
        self.name = "radius " + ", ".join(map(str, servers))

    async def check(self, login: Login, seconds: float) -> Says:
        """What the first of them says that answers within `seconds`. Unreachable; MalformedCode when RADIUS
        can't carry what was typed, or `login.state` is none of theirs."""
        order, state = self._order(login.state)
        asked = [
            _Asked(index, self._servers[index], Request(login, state, self._secret, self._nas))
            for index in order
        ]
        tasks: dict[asyncio.Task[Says], _Asked] = {}
        end = asyncio.get_running_loop().time() + seconds
        try:
            for position, one in enumerate(asked):
                tasks[asyncio.create_task(one.run(self._names))] = one
                now = asyncio.get_running_loop().time()
                said = await _first_word(tasks, one, now + (end - now) / (len(asked) - position))
                if said is not None:
                    return self._own(*said)
            said = await _first_word(tasks, None, end)  # one that was given up may answer yet
            if said is not None:
                return self._own(*said)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        raise _summary([one.trouble for one in asked])

    async def close(self) -> None:
        """Nothing is kept open."""

    def _order(self, state: bytes | None) -> tuple[list[int], bytes | None]:
        """Whom to ask in turn, and State; a challenge's answer is for who made the challenge."""
        if state is None:
            count = len(self._servers)
            return [(self._preferred + step) % count for step in range(count)], None
        if not state or state[0] >= len(self._servers):
            raise MalformedCode("The question that was answered is none of these servers'.")
        return [state[0]], state[1:] or None

    def _own(self, index: int, says: Says) -> Says:
        self._preferred = index
        if says.state is None:
            return says
        return Says(says.word, says.text, bytes([index]) + says.state)


async def _first_word(
    tasks: dict[asyncio.Task[Says], "_Asked"], latest: "_Asked | None", end: float
) -> tuple[int, Says] | None:
    """The first word until `end`, whoever says it; None when there is none, or when `latest` fails."""
    while True:
        waiting = [task for task in tasks if not task.done()]
        left = end - asyncio.get_running_loop().time()
        if not waiting or left <= 0:
            return None
        done, _ = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            error = task.exception()
            if error is None:
                return tasks[task].index, task.result()
            if not isinstance(error, Unreachable):
                raise error
            tasks[task].trouble = error
            if tasks[task] is latest:
                return None


def _summary(troubles: list[Unreachable]) -> Unreachable:
    reasons = [str(one.fields["reason"]) for one in troubles]
    worst = min(reasons, key=_WORST.index)
    return unreachable(worst, "; ".join(one.message for one in troubles))


@dataclass
class _Asked(asyncio.DatagramProtocol):
    """One server that is asked. Until it has said something, `trouble` is what to say of it."""

    index: int
    server: Server
    request: Request
    trouble: Unreachable = field(init=False)

    def __post_init__(self) -> None:
        self.trouble = unreachable("timeout", f"{self.server}")
        self._word: asyncio.Future[Says | Exception] | None = None

    async def run(self, names: Names) -> Says:
        """Ask until there is an answer; ends only by being cancelled otherwise. Unreachable when the name or
        every address is refused."""
        self.trouble = unreachable("dns", f"{self.server}")
        addresses = await names.addresses(self.server.host, self.server.port)
        failure = self.trouble
        for address in addresses:
            self.trouble = unreachable("timeout", f"{self.server}")
            try:
                return await self._exchange(address)
            except ConnectionRefusedError:
                failure = unreachable("refused", f"{self.server}")
            except OSError as error:
                failure = unreachable("network", f"{self.server}: {error.strerror}")
        raise failure

    async def _exchange(self, address: str) -> Says:
        loop = asyncio.get_running_loop()
        self._word = loop.create_future()
        # A socket for each request: its port is one more number that who forges has to guess.
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, remote_addr=(address, self.server.port)
        )
        try:
            pause = _FIRST_PAUSE
            while True:
                transport.sendto(self.request.data)
                await asyncio.wait([self._word], timeout=pause)
                if self._word.done():
                    break
                pause *= 2
        finally:
            transport.close()
        word = self._word.result()
        if isinstance(word, Exception):
            raise word
        return word

    def datagram_received(self, data: bytes, addr: object) -> None:
        """A forged packet changes nothing but what is told in the end."""
        try:
            says = self.request.says(data)
        except Forged as error:
            self.trouble = unreachable("secret", f"{self.server}: {error}")
        else:
            self._end(says)

    def error_received(self, exc: Exception) -> None:
        """The network says that nobody is there."""
        self._end(exc)

    def _end(self, word: Says | Exception) -> None:
        if self._word is not None and not self._word.done():
            self._word.set_result(word)
