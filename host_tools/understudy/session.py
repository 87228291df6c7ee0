# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The secure channel: pairing (Noise XX with a short authentication string) and sessions (Noise KK)."""

import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from understudy.deadline import Deadline
from understudy.link import Connection, Hello, Link
from understudy_device import protocol
from understudy_device.errors import AuthenticationFailed, BadRequest, NoSession, UnderstudyError
from understudy_device.noise import HandshakeState, KeyPair
from understudy_device.pairing import commitment, key_id, pairing_code

HANDSHAKE_SECONDS = 30.0  # for a first try: a Pico takes 0.4 s, an emulated one on a busy machine more


class Session:
    """Encrypted request and reply over a link, after a handshake."""

    def __init__(self, link: Link, ciphers: tuple[Any, Any]) -> None:
        self._link = link
        self._send, self._receive = ciphers

    def exchange(self, request: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Send a request object, return the reply object of the same id. LinkTimeout when none comes."""
        body = json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode()
        self._link.send(protocol.DATA, self._send.encrypt_with_ad(b"", body))
        while True:
            reply = _parse(self.receive(protocol.DATA, deadline))
            if reply.get("id") == request["id"]:
                return reply
            if not reply.get("id"):
                raise BadRequest(str(reply.get("message", "")))
            # Else it is the answer to a request that we gave up waiting for (Ctrl-C).

    def receive(self, kind: int, deadline: Deadline) -> bytes:
        """The plaintext of the next frame of type `kind`.

        NoSession when it is not this session's: a late answer to an older one, or something that was altered.
        """
        message = self._link.receive(kind, deadline)
        try:
            return bytes(self._receive.decrypt_with_ad(b"", message))
        except AuthenticationFailed as error:
            raise NoSession() from error


@dataclass(frozen=True)
class Pairing:
    """A pairing under way: nothing is agreed until a person has compared `code` on both ends."""

    session: Session
    device_key: bytes
    code: str


def begin_pairing(connection: Connection, private_key: bytes, deadline: Deadline) -> Pairing:
    """Run the pairing handshake.

    AuthenticationFailed when the other end breaks its commitment or is another device.
    """
    link = connection.link
    link.drain()
    handshake = _handshake("XX", private_key)
    link.send(protocol.PAIR_1, handshake.write_message(b""))
    promised = handshake.read_message(link.receive(protocol.PAIR_2, deadline))
    _check_key(handshake.remote_static, connection.hello)
    link.send(protocol.PAIR_3, handshake.write_message(secrets.token_bytes(protocol.NONCE)))
    session = Session(link, handshake.split())
    nonce = session.receive(protocol.PAIR_4, deadline)
    # The device had to fix its nonce before it saw ours, or the end that speaks last could try keys until six
    # digits fit.
    if not hmac.compare_digest(commitment(nonce), bytes(promised)):
        raise AuthenticationFailed()
    return Pairing(
        session, bytes(handshake.remote_static), str(pairing_code(handshake.handshake_hash, nonce))
    )


def open_session(
    link: Link, private_key: bytes, host: bytes, device_key: bytes, deadline: Deadline
) -> Session:
    """Open a session as `host` (its key id) with the device that holds the pinned `device_key`.

    AuthenticationFailed when another device answers; what a FAULT names when it refuses.
    """
    link.drain()
    handshake = _handshake("KK", private_key, device_key)
    link.send(protocol.OPEN_1, host + handshake.write_message(b""))
    handshake.read_message(link.receive(protocol.OPEN_2, deadline))
    return Session(link, handshake.split())


def _parse(data: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(data)
    except ValueError:
        reply = None
    if not isinstance(reply, dict) or not isinstance(reply.get("status"), str):
        raise UnderstudyError("The device's answer is not one.")
    return reply


def _handshake(pattern: str, private_key: bytes, device_key: bytes = b"") -> Any:
    own = KeyPair(private_key)
    return HandshakeState(pattern, True, own, device_key, protocol.PROLOGUE, secrets.token_bytes)


def _check_key(device_key: bytes, hello: Hello) -> None:
    if key_id(bytes(device_key)).hex() != hello.device:
        raise AuthenticationFailed("The device does not hold the key that its id is made from.")
