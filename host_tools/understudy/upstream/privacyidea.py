# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""privacyIDEA's `POST /validate/check`, by httpx.

Source: privacyIDEA's documentation, "Validate endpoints", and its source (api/validate.py, lib/error.py).
"""

import asyncio
import json
import re
import ssl
from collections.abc import Callable
from typing import Any

import h11
import httpx

from understudy.upstream import Login, Says, unreachable
from understudy.upstream.names import Names
from understudy.upstream.wording import prompt_text
from understudy_device.errors import MalformedCode, Unreachable
from understudy_device.protocol import FIRMWARE

MAX_BODY = 65536  # bytes
_TRANSACTION = re.compile(r"[0-9A-Za-z-]{1,64}")
_OK = 200
_CLIENT_ERRORS = range(400, 500)
# Codes of lib/error.py by which a server that is well refuses this user or this code. Anything else (its
# directory, its database, its subscription) keeps it from judging.
_REFUSALS = {
    401: "validate: a policy says no",
    403: "authenticate: also what its hardening policies make of every other",
    904: "user: it knows none of this name",
    905: "parameter: a name it does not take",
    1007: "token: locked",
}
_MAX_ERROR = 99999
_NOT_US = (401, 403)  # what a missing or wrong API key gets (ERR303), and all other of its policies


class PrivacyIdea:
    """One privacyIDEA server."""

    def __init__(
        self,
        url: str,
        *,
        context: ssl.SSLContext,
        key: bytes | None,
        service_id: str | None,
        realm: str | None,
        names: Names,
    ) -> None:
        """`url`: where `/validate/check` is below; httpx.InvalidURL or ValueError when it is none."""
        self._url = httpx.URL(url.rstrip("/") + "/validate/check")
        self._host = self._url.raw_host.decode()
        self._port = self._url.port or (443 if self._url.scheme == "https" else 80)
        if not 1 <= self._port <= 65535:
            raise ValueError("port")
        self.name = f"privacyidea {self._url.host}:{self._port}"
        self._realm = realm
        self._names = names
        self._last = ""  # the address that answered last
        self._headers = [
            (b"Host", self._url.netloc),
            (b"User-Agent", f"{service_id or 'understudy'}/{FIRMWARE}".encode()),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
        ]
        if key is not None:
            self._headers.append((b"Authorization", key))
        # A connection for each login: one that was kept may have been closed at the other end, and what was
        # sent on it can't be sent again, as the code may have been used. The transport itself, not a client:
        # no redirects, no cookies, no proxy from the environment.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._transport = httpx.AsyncHTTPTransport(verify=context, limits=limits)

    async def check(self, login: Login, seconds: float) -> Says:
        """What the server says within `seconds`. Unreachable; MalformedCode when `login.state` is none."""
        form = self._form(login)
        end = asyncio.get_running_loop().time() + seconds
        step = "dns"
        try:
            async with asyncio.timeout_at(end):
                addresses = await self._names.addresses(self._host, self._port)
                step = "timeout"
                return judged(*await self._first(self._known_first(addresses), form, end))
        except TimeoutError:
            raise unreachable(step, f"nothing within {seconds:g} s") from None

    async def close(self) -> None:
        """Nothing is kept open, and logins that wait go on waiting."""

    def _form(self, login: Login) -> dict[str, str]:
        form = {"user": login.user, "pass": login.code}
        if self._realm:
            form["realm"] = self._realm
        if login.state is not None:
            transaction = login.state.decode("ascii", "replace")
            if not _TRANSACTION.fullmatch(transaction):
                raise MalformedCode("The question that was answered is none of this server's.")
            form["transaction_id"] = transaction
        return form

    def _known_first(self, addresses: list[str]) -> list[str]:
        return sorted(addresses, key=lambda address: address != self._last)

    async def _first(self, addresses: list[str], form: dict[str, str], end: float) -> tuple[int, bytes]:
        """The answer of the first address that takes a connection. Once it has, no other is tried: the code
        is on its way."""
        failure: httpx.TransportError | None = None
        for position, address in enumerate(addresses):
            patience = (end - asyncio.get_running_loop().time()) / (len(addresses) - position)
            try:
                return await self._post(address, form, patience)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise _why(failure)

    async def _post(self, address: str, form: dict[str, str], patience: float) -> tuple[int, bytes]:
        """Status and body. httpx.ConnectError and .ConnectTimeout as they come, all else as Unreachable."""
        request = httpx.Request(
            "POST",
            self._url.copy_with(host=address),
            headers=self._headers,
            data=form,
            # The certificate is to be for the name, not for the address.
            extensions={"sni_hostname": self._host, "timeout": {"connect": patience}},
        )
        try:
            response = await self._transport.handle_async_request(request)
            self._last = address
            try:
                return response.status_code, await _body(response)
            finally:
                await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise
        except httpx.TransportError as error:
            raise _why(error) from error


async def _body(response: httpx.Response) -> bytes:
    """The body, as it came over the wire."""
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > MAX_BODY:
            raise unreachable("malformed", f"more than {MAX_BODY} bytes")
    return bytes(body)


_CAUSES: tuple[tuple[type[BaseException], str, Callable[[Any], str]], ...] = (
    (ssl.SSLCertVerificationError, "tls", lambda error: error.verify_message),
    (ssl.SSLError, "tls", lambda error: error.reason or ""),
    (ConnectionRefusedError, "refused", lambda error: ""),
    (TimeoutError, "timeout", lambda error: ""),
    (h11.RemoteProtocolError, "malformed", lambda error: "not HTTP, or cut off"),
    (OSError, "network", lambda error: error.strerror or ""),
)


def _why(error: httpx.TransportError | None) -> Unreachable:
    """The reason, from what lies under httpx's error. Nothing of what a server has said goes into it."""
    cause: BaseException | None = error
    while cause is not None:
        for kind, reason, detail in _CAUSES:
            # anyio puts an OSError of its own, without a number, around the system's.
            if isinstance(cause, kind) and not (type(cause) is OSError and cause.errno is None):
                return unreachable(reason, detail(cause))
        cause = cause.__cause__ or cause.__context__
    return unreachable("network", "the connection was closed")


def judged(status: int, body: bytes) -> Says:
    """What an answer says. Unreachable for all that is no privacyIDEA's word."""
    if status != _OK and status not in _CLIENT_ERRORS:
        raise unreachable("status", str(status))
    answer = _parsed(body)
    result = answer.get("result")
    if not isinstance(result, dict):
        raise _refusal(status)
    if status != _OK or result.get("status") is not True:
        code = _error_code(result)
        if result.get("status") is False and status != _OK and code in _REFUSALS:
            return Says("rejected")
        raise _refusal(status, f"ERR{code}" if code else "")
    return _judgement(result, answer.get("detail"))


def _error_code(result: dict[str, Any]) -> int:
    error = result.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int and 0 < code <= _MAX_ERROR else 0


def _judgement(result: dict[str, Any], detail: Any) -> Says:
    """`result.authentication` came with privacyIDEA 3.7; where it is missing, `value` says it all."""
    word = (result.get("value"), result.get("authentication"))
    if word in ((True, "ACCEPT"), (True, None)) and word[0] is True:
        return Says("accepted")
    if word[0] is False:
        if word[1] == "CHALLENGE" or (word[1] is None and _transaction(detail)):
            return _challenge(detail)
        if word[1] in ("REJECT", "DECLINED", None):
            return Says("rejected")
    raise unreachable("malformed", "it contradicts itself")


def _challenge(detail: Any) -> Says:
    transaction = _transaction(detail)
    if not transaction:
        raise unreachable("malformed", "a challenge without a transaction")
    text = detail.get("message")
    return Says("prompt", prompt_text(text if isinstance(text, str) else ""), transaction.encode())


def _transaction(detail: Any) -> str:
    found = detail.get("transaction_id") if isinstance(detail, dict) else None
    return found if isinstance(found, str) and _TRANSACTION.fullmatch(found) else ""


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    return answer if isinstance(answer, dict) else {}


def _refusal(status: int, detail: str = "") -> Unreachable:
    if status == _OK:
        return unreachable("malformed", detail or "not privacyIDEA's JSON")
    if status in _NOT_US:
        return unreachable("secret", f"{status} {detail}".strip() + "; is the API key right?")
    return unreachable("status", f"{status} {detail}".strip())
