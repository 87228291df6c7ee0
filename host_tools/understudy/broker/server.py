# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The socket: who asks, what, and by when; every question gets one reply, whatever happens."""

import asyncio
import grp
import json
import os
import pwd
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from understudy.broker.asked import Reply, not_required, refusal
from understudy.broker.attach import Attachment
from understudy.broker.journal import ALERT, INFO, NOTICE, WARNING, Journal
from understudy.broker.login import Desk, GroupsOf
from understudy.broker.messages import (
    ACCOUNT,
    ATTACH,
    BYPASS,
    END,
    LOGIN,
    MAX_REQUEST,
    STATUS,
    Question,
    bypass_seconds,
    pack,
    question,
    read_request,
)
from understudy.broker.owner import Owner
from understudy.configuration import Configuration
from understudy.host_clock import since_boot
from understudy_device.errors import BadRequest, Busy, Denied, LinkTimeout, UnderstudyError

_READ_SECONDS = 5.0  # for a request to come in, and for a reply to be taken
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid; unix(7)
BACKLOG = 512
_ACCEPTED = 16  # logins that `status` tells of
_USERS_SHARE = 8  # of the connections at once, a user may have every eighth, and all users half


@dataclass(frozen=True)
class Peer:
    """Who is at the other end, as the kernel says."""

    pid: int
    uid: int

    @property
    def is_root(self) -> bool:
        """Whether it may ask for anyone."""
        return self.uid == 0


def peer_of(connection: socket.socket) -> Peer:
    """Who has connected (SO_PEERCRED, unix(7))."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _gid = _CREDENTIALS.unpack(data)
    return Peer(pid, uid)


class Server:
    """Answers on a listening socket, many at once."""

    def __init__(
        self,
        configuration: Configuration,
        desk: Desk,
        groups_of: GroupsOf,
        owner: Owner,
        state: Callable[[], dict[str, Any]],
        journal: Journal,
    ) -> None:
        """`state` gives what `status` tells; `configuration` may be replaced at any time."""
        self.configuration = configuration
        self._desk = desk
        self._owner = owner
        self._groups_of = groups_of
        self._state = state
        self._journal = journal
        self._clients: dict[int, int] = {}  # uid: connections
        self._accepted: dict[tuple[str, str], float] = {}  # service and user: when he last got in by a code

    async def serve(self, listening: socket.socket) -> asyncio.Server:
        """Begin to answer."""
        return await asyncio.start_unix_server(
            self._connected, sock=listening, limit=MAX_REQUEST, backlog=BACKLOG
        )

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = peer_of(writer.get_extra_info("socket"))
        if not peer.is_root and not self._has_room(peer):
            writer.write(refusal(Busy()).packed())
            writer.close()
            return
        self._clients[peer.uid] = self._clients.get(peer.uid, 0) + 1
        try:
            word, reply = await self._reply(reader, peer)
            await _send(writer, reply)
            if word == ATTACH:
                await Attachment(self._owner, f"attached {peer.pid}", writer).run(reader)
        except (OSError, TimeoutError):
            pass  # it has gone, or takes nothing: it will see that no reply came
        finally:
            writer.close()
            self._clients[peer.uid] -= 1
            if not self._clients[peer.uid]:
                del self._clients[peer.uid]

    async def _reply(self, reader: asyncio.StreamReader, peer: Peer) -> tuple[str, bytes]:
        """What was asked, and the reply; nothing was asked when that is a refusal."""
        try:
            return await self._answered(reader, peer)
        except UnderstudyError as error:
            self._journal.write(WARNING, "refused", uid=peer.uid, status=error.status, reason=error.message)
            return "", refusal(error).packed()

    async def _answered(self, reader: asyncio.StreamReader, peer: Peer) -> tuple[str, bytes]:
        # First: a connection that is closed over unread bytes loses the reply, too.
        data = await _read(reader)
        if peer.is_root and self._clients[peer.uid] > self.configuration.broker.clients:
            raise Busy()
        word, fields = read_request(data)
        if word in (LOGIN, ACCOUNT):
            return word, (await self._judged(question(word, fields), peer)).packed()
        if word == STATUS:
            return word, pack("ok", json_field(self._told(peer)))
        if word == BYPASS:
            return word, self._bypassed(bypass_seconds(fields), fields.get("tty", ""), peer)
        if not await asyncio.to_thread(self._is_admin, peer):
            raise Denied("Only root and the broker's own group may use the device's port.")
        self._journal.write(NOTICE, "attached", uid=peer.uid, pid=peer.pid)
        return word, pack("ok", ())

    def _told(self, peer: Peer) -> dict[str, Any]:
        """What `status` tells; root, too, who got in by a code lately: service, user, when (`since_boot`)."""
        if not peer.is_root:
            return self._state()
        lately = [(service, user, at) for (service, user), at in self._accepted.items()]
        return {**self._state(), "accepted": lately}

    def _has_room(self, peer: Peer) -> bool:
        """Whether a user's process may connect once more; there is always room for root's logins."""
        most = self.configuration.broker.clients
        users = sum(count for uid, count in self._clients.items() if uid != 0)
        own = self._clients.get(peer.uid, 0)
        return own < max(1, most // _USERS_SHARE) and users < max(1, most // 2)

    def _bypassed(self, seconds: int, tty: str, peer: Peer) -> bytes:
        """Logins at the machine itself need no code for a while; the command sees that root sits there."""
        if not peer.is_root:
            raise Denied("Only root may do that.")
        self._desk.bypass.open(seconds)
        self._journal.write(ALERT, "bypass", seconds=seconds, tty=tty, pid=peer.pid)
        self._desk.tell_of_bypass()
        return pack("ok", ())

    def _is_admin(self, peer: Peer) -> bool:
        """Whether it may speak to the device itself: whoever could open the port, if the broker did not."""
        if peer.uid in (0, os.geteuid()):
            return True
        try:
            return grp.getgrgid(os.getegid()).gr_name in self._groups_of(pwd.getpwuid(peer.uid).pw_name)
        except (KeyError, OSError):
            return False

    async def _judged(self, asked: Question, peer: Peer) -> Reply:
        start = time.monotonic()
        try:
            reply = await self._decided(asked, peer)
        except UnderstudyError as error:
            reply = refusal(error, str(error.fields.get("by", "")))
        except Exception as error:  # a fault of ours is a refusal, and must not end the broker
            self._journal.write(WARNING, "fault", kind=type(error).__name__)
            reply = refusal(UnderstudyError())
        if (asked.word, reply.word) == (LOGIN, "accepted") and reply.by != "emergency" and peer.is_root:
            self._accepted.pop((asked.service, asked.user), None)
            self._accepted[asked.service, asked.user] = since_boot()
            if len(self._accepted) > _ACCEPTED:
                del self._accepted[next(iter(self._accepted))]  # the oldest
        self._journal.write(
            INFO,
            asked.word,
            user=asked.user,
            service=asked.service,
            tty=asked.tty,
            rhost=asked.rhost,
            uid=peer.uid,
            verdict=reply.verdict,
            by=reply.by,
            ms=round((time.monotonic() - start) * 1000),
        )
        return reply

    async def _decided(self, asked: Question, peer: Peer) -> Reply:
        if not peer.is_root and asked.user != await asyncio.to_thread(_name_of, peer.uid):
            raise Denied("Only root may ask for another user.")
        configuration = self.configuration
        settings = configuration.for_service(asked.service)
        try:
            # Each step has its own, earlier deadline; this one is for the name service.
            async with asyncio.timeout(asked.within):
                if not await self._desk.covers(asked, configuration):
                    return not_required()
                if asked.word == ACCOUNT:
                    return await self._desk.account(asked, settings, peer.uid)
                return await self._desk.login(asked, settings, peer.uid)
        except TimeoutError:
            raise LinkTimeout() from None


def json_field(value: dict[str, Any]) -> list[tuple[str, str]]:
    """An object as the fields of a reply: pieces of JSON that belong together, as a line has a limit."""
    text = json.dumps(value)
    return [("json", text[at : at + 900]) for at in range(0, len(text), 900)]


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    async with asyncio.timeout(_READ_SECONDS):
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            return await reader.readuntil(END)
    except TimeoutError:
        raise BadRequest("no whole request came in time") from None
    except asyncio.IncompleteReadError:
        raise BadRequest("a message ends with an empty line") from None
    except asyncio.LimitOverrunError:
        raise BadRequest(f"a message of over {MAX_REQUEST} bytes") from None


def _name_of(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
