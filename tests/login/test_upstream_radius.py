# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A real FreeRADIUS, alone, in company, and over a network that loses, doubles and forges."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pyrad.packet import AccessAccept, AuthPacket
from tests.cli.support import code, hotp
from tests.login.fakes import Wire, until, wire
from tests.login.servers import ASKED, PIN, FreeRadius
from tests.login.upstreams import ENOUGH, LONG, SHORT, login, outcome, run, said, upstream
from tests.ports import free_port

from understudy.upstream import Login, Says
from understudy.upstream.health import Watched
from understudy.upstream.names import Names
from understudy.upstream.radius import Radius, Server
from understudy_device.errors import MalformedCode

ACCEPTED, REJECTED = Says("accepted"), Says("rejected")
SECRET = FreeRadius.SECRET.encode()
CODE, REJECT = 0, 3  # where a packet's code is; Access-Reject


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FreeRadius]:
    with FreeRadius(tmp_path / "radius") as server:
        yield server


@pytest.fixture
def other(tmp_path: Path) -> Iterator[FreeRadius]:
    with FreeRadius(tmp_path / "other") as server:
        yield server


def asking(server: FreeRadius, *addresses: str, **keys: object) -> Callable[[], Watched]:
    """Makes an upstream that asks `server`, or what is at `addresses`, with the secret of `server`."""
    servers = list(addresses or (server.address,))
    return partial(upstream, "radius", **{"servers": servers, "key_file": server.secret_file, **keys})


def test_a_right_code_is_accepted_once(server: FreeRadius) -> None:
    typed = code()
    assert said(asking(server), login("alice", typed)) == ACCEPTED
    assert said(asking(server), login("alice", typed)) == REJECTED


@pytest.mark.parametrize("user", ["alice", "nobody", "x" * 253])
def test_a_wrong_code_is_rejected(server: FreeRadius, user: str) -> None:
    assert said(asking(server), login(user, "000000")) == REJECTED


def test_a_rejection_that_the_server_delays_is_waited_for(tmp_path: Path) -> None:
    with FreeRadius(tmp_path / "slow", reject_delay=1) as server:
        assert said(asking(server), login("alice", "000000")) == REJECTED
        assert len(server.asked) == 1


def test_a_challenge_becomes_a_prompt_whose_answer_counts(server: FreeRadius) -> None:
    asked = said(asking(server), login("bob", PIN))
    assert isinstance(asked, Says) and (asked.word, asked.text) == ("prompt", ASKED)
    assert said(asking(server), login("bob", "000000", asked.state)) == REJECTED
    assert said(asking(server), login("bob", hotp(0), asked.state)) == ACCEPTED


def test_the_server_hears_who_asks_and_for_whom(server: FreeRadius) -> None:
    typed = 'a "quoted" \\ ü'
    said(asking(server, service_id="nas"), login("bob", typed))
    heard = json.loads(server.asked[0])
    assert heard["NAS_IDENTIFIER"] == '"nas"' and heard["CALLING_STATION_ID"] == '"192.0.2.7"'
    assert heard["USER_NAME"] == '"bob"' and "ü" in heard["USER_PASSWORD"]
    said(asking(server), login("bob", typed))
    assert json.loads(server.asked[1])["NAS_IDENTIFIER"] == f'"{socket.gethostname()}"'


def test_nobody_listens(server: FreeRadius) -> None:
    server.stop()
    assert said(asking(server), login("alice", code())) == "refused"
    server.start()
    assert said(asking(server), login("alice", code())) == ACCEPTED


def test_killed_in_the_midst_of_a_request(server: FreeRadius) -> None:
    async def work() -> object:
        waiting = asyncio.create_task(outcome(asking(server)(), login("alice", code())))
        await until(lambda: len(server.asked) == 1)
        server.kill()
        return await waiting

    with server.busy():
        assert run(work()) == "refused"


def test_a_server_that_hangs_is_not_waited_for(server: FreeRadius) -> None:
    with server.busy():
        assert said(asking(server), login("alice", code()), SHORT) == "timeout"
    with server.frozen():
        assert said(asking(server), login("alice", code(1)), SHORT) == "timeout"


def test_a_wrong_secret_gets_no_answer_at_all(server: FreeRadius, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another secret\n")
    wrong.chmod(0o600)
    assert said(asking(server, key_file=wrong), login("alice", code()), ENOUGH) == "timeout"
    assert "Shared secret is incorrect" in (server.folder / "log").read_text()
    assert server.asked == []


@pytest.mark.parametrize(("user", "typed"), [("alice", "1" * 129), ("x" * 254, "123456")])
def test_what_radius_can_not_carry_is_no_trouble_of_the_server(
    server: FreeRadius, user: str, typed: str
) -> None:
    with pytest.raises(MalformedCode):
        said(asking(server), login(user, typed))


@pytest.mark.parametrize("state", [b"", b"\x01", b"\xff" * 300])
def test_a_question_that_is_nobodys(server: FreeRadius, state: bytes) -> None:
    with pytest.raises(MalformedCode):
        said(asking(server), login("bob", hotp(0), state))


# Several servers.


def test_the_next_server_is_asked_when_one_is_away(server: FreeRadius, other: FreeRadius) -> None:
    made = asking(server, server.address, other.address)()
    server.stop()
    assert run(outcome(made, login("alice", code()))) == ACCEPTED
    server.start()
    assert run(outcome(made, login("alice", code()))) == REJECTED  # the one that has answered knows the code
    assert (len(server.asked), len(other.asked)) == (0, 2)


def test_the_next_server_is_asked_when_one_is_silent(server: FreeRadius, other: FreeRadius) -> None:
    make = asking(server, server.address, other.address)
    with server.frozen():
        assert said(make, login("alice", code()), 2 * ENOUGH) == ACCEPTED


def test_all_of_them_are_away(server: FreeRadius) -> None:
    nobody = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    server.stop()
    assert said(asking(server, server.address, nobody), login("alice", code())) == "refused"
    assert said(asking(server, "[::1]:1", nobody), login("alice", code())) == "refused"


def test_the_answer_to_a_challenge_goes_to_who_asked(server: FreeRadius, other: FreeRadius) -> None:
    made = asking(server, server.address, other.address)()
    server.stop()
    asked = run(outcome(made, login("bob", PIN)))
    server.start()
    assert isinstance(asked, Says)
    again = asking(server, server.address, other.address)
    assert said(again, login("bob", hotp(0), asked.state)) == ACCEPTED
    assert (len(server.asked), len(other.asked)) == (0, 2)


def test_one_that_answers_after_the_next_was_asked_is_heard(server: FreeRadius) -> None:
    async def work() -> object:
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()

        def lookup(host: str, port: int) -> list[object]:
            loop.call_soon_threadsafe(asked.set)
            raise OSError

        servers = [Server("127.0.0.1", server.port), Server("nowhere.example", 1812)]
        made = Radius(servers, SECRET, "nas", Names(lookup))
        with server.busy():
            waiting = asyncio.create_task(made.check(login("alice", code()), LONG / 2))
            await asked.wait()
        return await waiting

    assert run(work()) == ACCEPTED


def test_of_several_servers_the_one_with_another_secret_is_told(server: FreeRadius) -> None:
    async def work() -> object:
        async with wire(server.address, answers=lambda data: [_flipped(data, 30)]) as net:
            nobody = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
            return await outcome(asking(server, nobody, net.address)(), login("alice", code()), ENOUGH)

    assert run(work()) == "secret"


# A network between the two, which the test has in its hands.


def _over(server: FreeRadius, asked: Login, seconds: float = LONG, **altered: object) -> tuple[object, Wire]:
    async def work() -> tuple[object, Wire]:
        async with wire(server.address, **altered) as net:  # type: ignore[arg-type]
            return await outcome(asking(server, net.address)(), asked, seconds), net

    return run(work())


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _signed(net_request: bytes, secret: bytes, message_authenticator: bool) -> bytes:
    """An Access-Accept for a request, by whoever knows `secret`."""
    request = AuthPacket(packet=net_request, secret=secret)
    reply = request.CreateReply(message_authenticator=message_authenticator)
    reply.code = AccessAccept
    return bytes(reply.ReplyPacket())


def test_the_network_in_the_test_carries(server: FreeRadius) -> None:
    said_it, net = _over(server, login("alice", code()))
    assert said_it == ACCEPTED and net.heard


def test_a_lost_request_is_sent_again(server: FreeRadius) -> None:
    lost: list[bytes] = []

    def lossy(data: bytes) -> list[bytes]:
        lost.append(data)
        return [data] if len(lost) > 1 else []

    assert _over(server, login("alice", code()), requests=lossy)[0] == ACCEPTED
    assert len(server.asked) == 1 and lost[0] == lost[1]


def test_a_lost_answer_is_given_again_and_the_code_counts_once(server: FreeRadius) -> None:
    lost: list[bytes] = []

    def lossy(data: bytes) -> list[bytes]:
        lost.append(data)
        return [data] if len(lost) > 1 else []

    assert _over(server, login("alice", code()), answers=lossy)[0] == ACCEPTED
    assert len(server.asked) == 1 and lost[0] == lost[1]


def test_answers_that_come_more_than_once(server: FreeRadius) -> None:
    assert _over(server, login("alice", code()), answers=lambda data: [data] * 5)[0] == ACCEPTED
    assert _over(server, login("alice", "000000"), answers=lambda data: [data] * 5)[0] == REJECTED


@pytest.mark.parametrize("at", [CODE, 1, 4, 19, 22, 30])
def test_a_changed_answer_is_none(server: FreeRadius, at: int) -> None:
    asked = login("alice", "000000")
    assert _over(server, asked, ENOUGH, answers=lambda data: [_flipped(data, at)])[0] == "secret"
    assert _over(server, asked, answers=lambda data: [_flipped(data, at), data])[0] == REJECTED


@pytest.mark.parametrize(
    "junk", [b"", b"\x02", b"\x02" * 20, b"\x00" * 4096, b"\x02\x01\x00\x14" + b"\xff" * 9000]
)
def test_garbage_is_passed_over(server: FreeRadius, junk: bytes) -> None:
    assert _over(server, login("alice", code()), answers=lambda data: [junk, data])[0] == ACCEPTED


@pytest.mark.parametrize(
    ("secret", "message_authenticator"), [(b"a guess", True), (b"a guess", False), (SECRET, False)]
)
def test_a_forged_acceptance_opens_nothing(
    server: FreeRadius, secret: bytes, message_authenticator: bool
) -> None:
    """The last of them is what CVE-2024-3596 makes of a rejection: all right, less Message-Authenticator."""

    async def work(*, honest: bool) -> object:
        async with wire(server.address, answers=lambda data: []) as net:
            waiting = asyncio.create_task(
                outcome(asking(server, net.address)(), login("alice", "000000"), LONG if honest else ENOUGH)
            )
            await until(lambda: bool(net.heard))
            net.deliver(_signed(net.sent[0], secret, message_authenticator))
            if honest:
                net.deliver(net.heard[0])
            return await waiting

    assert run(work(honest=False)) == "secret"
    assert run(work(honest=True)) == REJECTED


def test_who_knows_the_secret_is_the_server(server: FreeRadius) -> None:
    """Or the test above would prove nothing."""

    async def work() -> object:
        async with wire(server.address, answers=lambda data: []) as net:
            waiting = asyncio.create_task(outcome(asking(server, net.address)(), login("alice", "000000")))
            await until(lambda: bool(net.heard))
            net.deliver(_signed(net.sent[0], SECRET, True))
            return await waiting

    assert run(work()) == ACCEPTED


def test_an_answer_to_another_request_is_none(server: FreeRadius) -> None:
    async def work() -> object:
        async with wire(server.address) as net:
            assert await outcome(asking(server, net.address)(), login("alice", code())) == ACCEPTED
        async with wire(server.address, answers=lambda data: []) as later:
            waiting = asyncio.create_task(outcome(asking(server, later.address)(), login("alice", "000000")))
            await until(lambda: bool(later.heard))
            # Even under the identifier that is asked under now.
            later.deliver(net.heard[0][:1] + later.sent[0][1:2] + net.heard[0][2:], later.heard[0])
            return await waiting

    assert run(work()) == REJECTED


def test_an_answer_that_comes_too_late_does_nothing(server: FreeRadius) -> None:
    async def work() -> list[object]:
        async with wire(server.address, answers=lambda data: []) as net:
            slow = asking(server, net.address)()
            first = await outcome(slow, login("alice", code()), SHORT)
            net.deliver(*net.heard)
            second = await outcome(asking(server)(), login("alice", "000000"))
        return [first, second]

    assert run(work()) == ["timeout", REJECTED]


def test_every_request_is_its_own(server: FreeRadius) -> None:
    """Authenticator, port and State: nothing of one login is of use against another."""
    nets = [_over(server, login("alice", "000000"))[1] for _ in range(3)]
    assert len({net.sent[0][4:20] for net in nets}) == 3
    for net in nets:
        assert net.sent[0][20] == 80, "Message-Authenticator comes first"
        assert b"000000" not in net.sent[0]
