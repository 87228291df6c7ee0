# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What no real server can be made to do: HTTP servers that follow a script, and a RADIUS server's network."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.cli.support import SECONDS


@dataclass
class Web:
    """A scripted server, and the heads of the requests that it has got."""

    port: int
    asked: list[bytes]

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def web_server(
    *pieces: bytes, pause: float = 0.0, ends: bool = True, at: tuple[str, int] = ("127.0.0.1", 0)
) -> AsyncIterator["Web"]:
    """A server that answers each request with these `pieces` and then closes the connection, or not.

    With a `pause` it goes round with the last piece for ever, one each `pause` seconds.
    """
    asked: list[bytes] = []
    over = asyncio.Event()
    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            while pause and not over.is_set():
                writer.write(pieces[-1])
                await writer.drain()
                await asyncio.sleep(pause)
            if not ends:
                await over.wait()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, *at)
    try:
        yield Web(server.sockets[0].getsockname()[1], asked)
    finally:
        over.set()
        server.close()
        await asyncio.gather(*(task for task in serving if task))


def http(status: str, body: bytes, *headers: str) -> bytes:
    """An answer of HTTP/1.1."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


Altered = Callable[[bytes], list[bytes]]


class Wire(asyncio.DatagramProtocol):
    """A network between a client and a real RADIUS server that loses, doubles and changes what it carries."""

    def __init__(self, server: str, requests: Altered, answers: Altered) -> None:
        """`requests` and `answers` say what becomes of each packet in that direction."""
        host, port = server.split(":")
        self._server = (host, int(port))
        self._requests, self._answers = requests, answers
        self.sent: list[bytes] = []  # what the client has sent
        self.heard: list[bytes] = []  # what the server has answered
        self.first = asyncio.Event()  # a request has come
        self._client: tuple[str, int] | None = None
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr == self._server:
            self.heard.append(data)
            self.deliver(*self._answers(data))
        else:
            self._client = addr
            self.sent.append(data)
            for packet in self._requests(data):
                self.transport.sendto(packet, self._server)
            self.first.set()

    def deliver(self, *packets: bytes) -> None:
        """Give these to the client."""
        assert self._client is not None
        for packet in packets:
            self.transport.sendto(packet, self._client)

    @property
    def address(self) -> str:
        """Where the client finds the server."""
        host, port = self.transport.get_extra_info("sockname")
        return f"{host}:{port}"


def unchanged(data: bytes) -> list[bytes]:
    """The packet as it is."""
    return [data]


@asynccontextmanager
async def wire(
    server: str, requests: Altered = unchanged, answers: Altered = unchanged
) -> AsyncIterator[Wire]:
    """A Wire to the server at HOST:PORT."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: Wire(server, requests, answers), local_addr=("127.0.0.1", 0)
    )
    try:
        yield protocol
    finally:
        transport.close()


async def until(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds; fail at a deadline."""
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.01)
