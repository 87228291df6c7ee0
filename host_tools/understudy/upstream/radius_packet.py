# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""RADIUS packets by pyrad: an Access-Request with a password (PAP), and what an answer to it is worth. Pure.

Attributes are given by their numbers, with the bytes as they go out: no dictionary, and none of the
conversions that go with one.
"""

import secrets

from pyrad.packet import AccessAccept, AccessChallenge, AccessReject, AccessRequest, AuthPacket, PacketError

from understudy.upstream import Login, Says
from understudy.upstream.wording import prompt_text
from understudy_device.errors import MalformedCode

MAX_PACKET = 4096  # bytes; RFC 2865 section 3
MAX_VALUE = 253  # bytes of an attribute's value
_MAX_PASSWORD = 128  # bytes; RFC 2865 section 5.2
# RFC 2865 section 5
_USER_NAME = 1
_USER_PASSWORD = 2
_REPLY_MESSAGE = 18
_STATE = 24
_CALLING_STATION_ID = 31
_NAS_IDENTIFIER = 32
_MESSAGE_AUTHENTICATOR = 80  # RFC 3579 section 3.2


class Forged(Exception):
    """A packet that the server has not made for this request, or not with this secret; the text says why."""


class Request:
    """One Access-Request; `data` is sent again as it is when no answer comes (RFC 2865 section 2.5)."""

    def __init__(self, login: Login, state: bytes | None, secret: bytes, nas: str) -> None:
        """MalformedCode when RADIUS has no room for the name or the code."""
        user, code = login.user.encode(), login.code.encode()
        if not 1 <= len(user) <= MAX_VALUE or len(code) > _MAX_PASSWORD:
            raise MalformedCode("The user's name or the code is longer than RADIUS can carry.")
        packet = AuthPacket(AccessRequest, secrets.randbelow(256), secret)
        packet.add_message_authenticator()  # in front: RFC 9765's advice against CVE-2024-3596
        packet[_USER_NAME] = [user]
        packet[_USER_PASSWORD] = [packet.PwCrypt(code)]
        packet[_NAS_IDENTIFIER] = [nas.encode()[:MAX_VALUE]]
        if login.rhost:
            packet[_CALLING_STATION_ID] = [login.rhost.encode()[:MAX_VALUE]]
        if state is not None:
            packet[_STATE] = [state[:MAX_VALUE]]
        self._packet = packet
        self.data: bytes = packet.RequestPacket()

    def says(self, data: bytes) -> Says:
        """What the answer `data` says. Forged for whatever is none."""
        if len(data) > MAX_PACKET:
            raise Forged("an answer that is too long")
        try:
            reply = self._packet.CreateReply(packet=data)
            if not self._packet.VerifyReply(reply, enforce_ma=True):
                raise Forged(self._fault(reply))
        except PacketError as error:
            raise Forged("an answer that is no RADIUS") from error
        if reply.code == AccessAccept:
            return Says("accepted")
        if reply.code == AccessReject:
            return Says("rejected")
        if reply.code == AccessChallenge:
            return _challenge(reply)
        raise Forged("an answer of another kind")

    def _fault(self, reply: AuthPacket) -> str:
        if _MESSAGE_AUTHENTICATOR not in reply and self._packet.VerifyReply(reply):
            return "an answer without Message-Authenticator; the server has to send it"
        return "an answer with a wrong authenticator; is the shared secret right?"


def _challenge(reply: AuthPacket) -> Says:
    """RFC 2865 section 4.4; State comes back as it was, and may be missing."""
    text = b"".join(reply.get(_REPLY_MESSAGE, [])).decode("utf-8", "replace")
    states = reply.get(_STATE, [])
    return Says("prompt", prompt_text(text), states[0] if states else b"")
