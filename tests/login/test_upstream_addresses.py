# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""privacyIDEA's name and its addresses: which are tried, and what is never sent twice. Scripted servers."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.login.fakes import Web, http, web_server
from tests.login.upstreams import ENOUGH, LONG, SHORT, login, run, upstream
from tests.ports import free_port

from understudy.upstream import Says
from understudy.upstream.names import Names
from understudy.upstream.privacyidea import PrivacyIdea
from understudy_device.errors import MalformedCode, Unreachable

ACCEPTED = Says("accepted")
GOOD = http("200 OK", b'{"result": {"status": true, "value": true, "authentication": "ACCEPT"}}')
ASKED = login("alice", "123456")


def _privacyidea(port: int, *addresses: str) -> PrivacyIdea:
    """One whose name has these addresses."""

    def lookup(host: str, port: int) -> list[Any]:
        assert host == "otp.example.net"
        return [(None, None, None, "", (address, port)) for address in addresses]

    return PrivacyIdea(
        f"http://otp.example.net:{port}/pi/",
        context=ssl.create_default_context(),
        key=None,
        service_id=None,
        realm=None,
        names=Names(lookup),
    )


async def _outcome(made: PrivacyIdea, seconds: float = LONG) -> Says | str:
    try:
        return await made.check(ASKED, seconds)
    except Unreachable as error:
        return str(error.fields["reason"])


def test_the_next_address_is_tried_when_nobody_listens_at_one() -> None:
    async def work() -> tuple[object, Web]:
        async with web_server(GOOD) as web:
            return await _outcome(_privacyidea(web.port, "127.0.0.2", "127.0.0.1")), web

    said, web = run(work())
    assert said == ACCEPTED
    (head,) = web.asked
    assert head.startswith(b"POST /pi/validate/check HTTP/1.1\r\n")
    assert b"\r\nHost: otp.example.net:%d\r\n" % web.port in head


def test_nobody_listens_at_any_of_them() -> None:
    made = _privacyidea(free_port(), "127.0.0.2", "127.0.0.3")
    assert run(_outcome(made)) == "refused"


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port of 127.0.0.2 where connections are neither taken nor refused: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.2", free_port()))
        server.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_an_address_that_swallows_all_does_not_use_up_the_patience(deaf: int) -> None:
    async def work() -> list[object]:
        async with web_server(GOOD, at=("127.0.0.1", deaf)) as web:
            made = _privacyidea(deaf, "127.0.0.2", "127.0.0.1")
            outcomes: list[object] = [await _outcome(made, 2 * ENOUGH)]
            outcomes.append(await _outcome(_privacyidea(deaf, "127.0.0.2"), SHORT / 2))
            return [*outcomes, len(web.asked)]

    assert run(work()) == [ACCEPTED, "timeout", 1]


def test_the_address_that_has_answered_is_the_first_from_then_on(deaf: int) -> None:
    async def work() -> list[object]:
        async with web_server(GOOD, at=("127.0.0.1", deaf)):
            made = _privacyidea(deaf, "127.0.0.2", "127.0.0.1")
            # The second one is too short for half of it to be lost.
            return [await _outcome(made, 2 * ENOUGH), await asyncio.wait_for(_outcome(made, LONG), LONG / 3)]

    assert run(work()) == [ACCEPTED, ACCEPTED]


def test_a_code_that_is_on_its_way_is_not_sent_elsewhere() -> None:
    async def work() -> list[object]:
        here = ("127.0.0.1", free_port())
        async with (
            web_server(b"", at=here) as first,
            web_server(GOOD, at=("127.0.0.2", first.port)) as second,
        ):
            said = await _outcome(_privacyidea(first.port, "127.0.0.1", "127.0.0.2"))
            return [said, len(first.asked), len(second.asked)]

    assert run(work()) == ["network", 1, 0]


def test_each_login_has_a_connection_of_its_own() -> None:
    """A kept one may be dead, and then nobody knows whether the code was used."""

    async def work() -> list[object]:
        async with web_server(GOOD, ends=False) as web:
            made = upstream("privacyidea", url=web.url, verify=False)
            return [(await made.check(ASKED, LONG)).word for _ in range(3)] + [len(web.asked)]

    assert run(work()) == ["accepted", "accepted", "accepted", 3]


def test_a_proxy_in_the_environment_sees_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> list[object]:
        async with web_server(GOOD) as proxy, web_server(GOOD) as web:
            for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            made = upstream("privacyidea", url=web.url, verify=False)
            return [await made.check(ASKED, LONG), len(proxy.asked), len(web.asked)]

    assert run(work()) == [ACCEPTED, 0, 1]


@pytest.mark.parametrize("state", [b"", b"\xff", b"a b", b"1\n", b"1" * 65])
def test_a_question_that_is_nobodys_is_not_asked(state: bytes) -> None:
    made = _privacyidea(free_port(), "127.0.0.1")
    with pytest.raises(MalformedCode):
        run(made.check(login("alice", "123456", state), LONG))
