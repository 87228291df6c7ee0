# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A real privacyIDEA: what it says is its word, and whatever else happens is no word at all."""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.cli.support import SECRET, code, hotp
from tests.login.fakes import http, until, web_server
from tests.login.servers import ASKED, PIN, PrivacyIdea, with_certificates
from tests.login.upstreams import ENOUGH, LONG, SHORT, login, outcome, run, said, upstream
from tests.ports import free_port

from understudy.upstream import Says
from understudy.upstream.health import Watched

ACCEPTED, REJECTED = Says("accepted"), Says("rejected")
Make = Callable[[], Watched]


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivacyIdea]:
    with with_certificates(tmp_path_factory.mktemp("privacyidea")) as server:
        yield server


@pytest.fixture
def server(kept: PrivacyIdea) -> PrivacyIdea:
    """The one of all these tests, running."""
    kept.again()
    return kept


@pytest.fixture
def make(server: PrivacyIdea) -> Make:
    """Makes an upstream that asks it."""
    return partial(upstream, "privacyidea", url=server.url, verify=False)


def test_a_right_code_is_accepted_once(make: Make) -> None:
    typed = code()
    assert said(make, login("alice", typed)) == ACCEPTED
    assert said(make, login("alice", typed)) == REJECTED


def test_a_wrong_code_is_rejected(make: Make) -> None:
    assert said(make, login("alice", "000000")) == REJECTED


def test_a_challenge_becomes_a_prompt_whose_answer_counts(make: Make) -> None:
    asked = said(make, login("bob", PIN))
    assert isinstance(asked, Says) and (asked.word, asked.text) == ("prompt", ASKED)
    assert said(make, login("bob", "000000", asked.state)) == REJECTED
    assert said(make, login("bob", hotp(0), asked.state)) == ACCEPTED


@pytest.mark.parametrize("user", ["nobody", "100%", "x" * 300])
def test_a_user_whom_a_healthy_server_does_not_know_is_rejected(make: Make, user: str) -> None:
    # Or anybody could have a server counted as away, by logging in under a name that he made up.
    assert said(make, login(user, "123456")) == REJECTED


def test_a_right_code_that_a_policy_refuses_is_rejected(make: Make) -> None:
    assert said(make, login("dave", code())) == REJECTED


def test_the_realm_of_the_configuration_is_asked(server: PrivacyIdea) -> None:
    options = {"url": server.url, "verify": False}
    assert said(partial(upstream, "privacyidea", realm="elsewhere", **options), _right(server)) == REJECTED
    assert said(partial(upstream, "privacyidea", realm="home", **options), _right(server)) == ACCEPTED


def _right(server: PrivacyIdea):  # type: ignore[no-untyped-def]
    return login("erin", server.fresh())


def test_a_server_that_does_not_know_its_users_just_now_has_said_nothing(
    make: Make, server: PrivacyIdea
) -> None:
    with server.without_directory():
        assert said(make, _right(server)) == "status"
    assert said(make, _right(server)) == ACCEPTED


def test_the_api_key_lets_this_host_ask(make: Make, server: PrivacyIdea, tmp_path: Path) -> None:
    wrong = tmp_path / "key"
    wrong.write_text(server.api_key.read_text().strip()[:-4] + "AAAA")
    wrong.chmod(0o600)
    assert said(make, login("carol", code())) == "secret"
    assert said(partial(make, key_file=wrong), login("carol", code())) == "secret"
    assert said(partial(make, key_file=server.api_key), login("carol", code())) == ACCEPTED


def test_the_server_hears_which_host_asks(make: Make, server: PrivacyIdea) -> None:
    assert said(partial(make, service_id="nas in the cellar"), _right(server)) == ACCEPTED
    assert server.asked[-1].startswith("nas in the cellar/")


def test_a_good_certificate_is_wanted_and_enough(server: PrivacyIdea) -> None:
    make = partial(upstream, "privacyidea", url=server.https["good"])
    assert said(partial(make, ca_file=server.authority), _right(server)) == ACCEPTED
    assert said(make, _right(server)) == "tls"  # the system does not know that authority


@pytest.mark.parametrize("fault", ["wrong-name", "expired", "self-signed"])
def test_a_bad_certificate_gets_no_code(server: PrivacyIdea, fault: str) -> None:
    before = len(server.asked)
    make = partial(upstream, "privacyidea", url=server.https[fault], ca_file=server.authority)
    assert said(make, _right(server)) == "tls"
    assert len(server.asked) == before
    assert said(partial(make, verify=False), _right(server)) == ACCEPTED


def test_a_server_without_tls_where_it_should_be(server: PrivacyIdea) -> None:
    url = server.url.replace("http:", "https:")
    assert said(partial(upstream, "privacyidea", url=url, ca_file=server.authority), _right(server)) == "tls"


def test_nobody_listens() -> None:
    make = partial(upstream, "privacyidea", url=f"http://localhost:{free_port()}", verify=False)
    assert said(make, login("alice", code())) == "refused"


def test_killed_in_the_midst_of_a_request(make: Make, server: PrivacyIdea) -> None:
    async def work() -> object:
        before = len(server.asked)
        asking = asyncio.create_task(outcome(make(), _right(server)))
        await until(lambda: len(server.asked) > before)
        server.kill()
        return await asking

    with server.busy():
        assert run(work()) == "network"
    assert said(make, _right(server)) == "refused"
    server.start()
    assert said(make, _right(server)) == ACCEPTED


def test_a_server_that_hangs_is_not_waited_for(make: Make, server: PrivacyIdea) -> None:
    with server.busy():
        before = len(server.asked)
        assert said(make, _right(server), ENOUGH) == "timeout"
        assert len(server.asked) == before + 1
    with server.frozen():  # the kernel takes the connection, and nobody reads it
        assert said(make, _right(server), SHORT) == "timeout"
    assert said(make, _right(server)) == ACCEPTED


def test_an_answer_is_never_asked_for_twice(make: Make, server: PrivacyIdea) -> None:
    with server.busy():
        before = len(server.asked)
        assert said(make, _right(server), ENOUGH) == "timeout"
    assert said(make, login("nobody", "1")) == REJECTED  # it has come to an end with the other
    assert len(server.asked) == before + 2


def test_many_at_once(make: Make, server: PrivacyIdea) -> None:
    async def work() -> list[object]:
        made = make()  # the first one to end closes it, and takes nothing from the others
        return await asyncio.gather(*(outcome(made, login("dave", "000000")) for _ in range(20)))

    assert run(work()) == [REJECTED] * 20


# From here on servers that follow a script: no real one can be made to say these things.

GOOD = b'{"result": {"status": true, "value": true, "authentication": "ACCEPT"}}'
JSON = "Content-Type: application/json"


def test_the_scripted_server_is_believed() -> None:
    assert _scripted(http("200 OK", GOOD, JSON)) == ACCEPTED


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http("500 Internal Server Error", GOOD), "status"),
        (http("503 Service Unavailable", b""), "status"),
        (http("502 Bad Gateway", b"<html>"), "status"),
        (http("204 No Content", b""), "status"),
        (http("302 Found", b"", "Location: /elsewhere"), "status"),
        (http("404 Not Found", b"<html>"), "status"),
        (http("400 Bad Request", b'{"result": {"status": false, "error": {"code": 907}}}'), "status"),
        (http("400 Bad Request", GOOD), "status"),
        (http("401 Unauthorized", b"<html>"), "secret"),
        (http("200 OK", b"<html>Welcome to this hotel's network</html>"), "malformed"),
        (http("200 OK", b""), "malformed"),
        (http("200 OK", GOOD[:-1]), "malformed"),
        (http("200 OK", b"[" * 60000), "malformed"),
        (http("200 OK", GOOD + b" " * 65536), "malformed"),
        (http("200 OK", gzip.compress(GOOD), "Content-Encoding: gzip"), "malformed"),
        (http("200 OK", GOOD, "Content-Length: 5"), "malformed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed"),
        (b"\xff" * 2000 + b"\r\n\r\n", "malformed"),
        (b"\xff" * 2000, "network"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200000 + b"\r\n\r\n", "malformed"),
        (b"", "network"),
        (http("200 OK", GOOD)[:60], "malformed"),
        (http("200 OK", GOOD)[:-3], "malformed"),
    ],
)
def test_what_is_no_answer(answer: bytes, reason: str) -> None:
    assert _scripted(answer) == reason


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        ((b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), 0.05),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" "), 0.05),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), 0.05),
    ],
)
def test_a_slow_drip_ends_with_the_patience(pieces: tuple[bytes, ...], pause: float) -> None:
    assert _scripted(*pieces, pause=pause, seconds=SHORT) == "timeout"


def test_an_answer_that_never_ends_is_not_kept() -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert _scripted(start, b"1000\r\n" + b" " * 4096 + b"\r\n", pause=0.001) == "malformed"


def test_a_whole_answer_counts_though_the_connection_stays_open() -> None:
    assert _scripted(http("200 OK", GOOD), ends=False) == ACCEPTED


def _scripted(*pieces: bytes, pause: float = 0.0, ends: bool = True, seconds: float = LONG) -> object:
    async def work() -> object:
        async with web_server(*pieces, pause=pause, ends=ends) as web:
            made = upstream("privacyidea", url=web.url, verify=False)
            return await outcome(made, login("alice", SECRET), seconds)

    return run(work())
