# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""No login waits for a server that is known to be away, and each change is told once."""

import asyncio

import pytest
from tests.login.upstreams import login, run

from understudy.upstream import Login, Says, unreachable
from understudy.upstream.health import Watched
from understudy_device.errors import MalformedCode, Unreachable

RETRY = 30.0
ASKED = login("alice", "123456")
ACCEPTED, REJECTED, PROMPT = Says("accepted"), Says("rejected"), Says("prompt", "More: ", b"x")


class Scripted:
    """An upstream that says what it is told to; while `held` it takes its time."""

    name = "scripted"

    def __init__(self) -> None:
        self.asked = 0
        self.next: Says | Exception = ACCEPTED
        self.held: asyncio.Event | None = None
        self.closed = False

    async def check(self, login: Login, seconds: float) -> Says:
        self.asked += 1
        word = self.next
        if self.held is not None:
            await self.held.wait()
        if isinstance(word, Exception):
            raise word
        return word

    async def close(self) -> None:
        self.closed = True


class Bench:
    """A watched upstream, its clock, and what was told of it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[tuple[str, str]] = []
        self.upstream = Scripted()
        self.watched = Watched(
            self.upstream, RETRY, lambda: self.now, lambda *change: self.told.append(change)
        )

    async def ask(self) -> str:
        """A word, or a reason."""
        try:
            return (await self.watched.check(ASKED, 1.0)).word
        except Unreachable as error:
            return str(error.fields["reason"])

    def words(self, *next_words: Says | Exception) -> list[str]:
        """What comes of a login each time that the upstream has one of these in store."""

        async def work() -> list[str]:
            words = []
            for self.upstream.next in next_words:
                words.append(await self.ask())
            return words

        return run(work())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_every_word_of_the_server_is_handed_on(bench: Bench) -> None:
    assert bench.words(ACCEPTED, REJECTED, PROMPT) == ["accepted", "rejected", "prompt"]
    assert bench.told == []


def test_one_that_was_away_is_not_asked_for_a_while(bench: Bench) -> None:
    assert bench.words(unreachable("refused"), ACCEPTED, ACCEPTED) == ["refused", "down", "down"]
    bench.now += RETRY - 0.001
    assert bench.words(ACCEPTED) == ["down"] and bench.upstream.asked == 1
    bench.now += 0.001
    assert bench.words(ACCEPTED, ACCEPTED) == ["accepted", "accepted"] and bench.upstream.asked == 3


def test_the_while_begins_anew_with_each_failure(bench: Bench) -> None:
    assert bench.words(unreachable("dns")) == ["dns"]
    bench.now += RETRY
    assert bench.words(unreachable("timeout"), ACCEPTED) == ["timeout", "down"]
    bench.now += RETRY - 1
    assert bench.words(ACCEPTED) == ["down"]
    assert bench.watched.state()["reason"] == "timeout"


def test_it_begins_when_the_failure_is_known(bench: Bench) -> None:
    class Slow(Scripted):
        async def check(self, login: Login, seconds: float) -> Says:
            bench.now += RETRY + 1
            return await super().check(login, seconds)

    watched = Watched(Slow(), RETRY, lambda: bench.now, lambda *change: None)

    async def work() -> None:
        watched._upstream.next = unreachable("timeout")  # type: ignore[attr-defined]
        with pytest.raises(Unreachable):
            await watched.check(ASKED, 1.0)

    run(work())
    assert watched.is_down


def test_a_refusal_is_an_answer(bench: Bench) -> None:
    assert bench.words(REJECTED, REJECTED) == ["rejected", "rejected"]
    assert not bench.watched.is_down and bench.watched.state()["state"] == "up"


def test_each_change_is_told_once(bench: Bench) -> None:
    bench.words(ACCEPTED, unreachable("refused"), ACCEPTED)
    bench.now += RETRY
    bench.words(unreachable("tls"))
    bench.now += RETRY
    bench.words(REJECTED, ACCEPTED)
    assert bench.told == [("down", "refused"), ("up", "")]


def test_one_login_tries_it_and_the_others_do_not_wait_for_that(bench: Bench) -> None:
    async def work() -> list[str]:
        held = bench.upstream.held = asyncio.Event()
        trying = asyncio.create_task(bench.ask())
        await asyncio.sleep(0)
        others = [await bench.ask() for _ in range(5)]
        held.set()
        return [await trying, *others, await bench.ask()]

    assert bench.words(unreachable("refused")) == ["refused"]
    bench.now += RETRY
    bench.upstream.next = ACCEPTED
    assert run(work()) == ["accepted", *["down"] * 5, "accepted"]


def test_all_that_were_under_way_say_why_and_it_is_told_once(bench: Bench) -> None:
    async def work() -> list[str]:
        held = bench.upstream.held = asyncio.Event()
        asking = [asyncio.create_task(bench.ask()) for _ in range(5)]
        await asyncio.sleep(0)
        held.set()
        return await asyncio.gather(*asking)

    bench.upstream.next = unreachable("refused")
    assert run(work()) == ["refused"] * 5
    assert bench.told == [("down", "refused")]


def test_a_login_that_is_given_up_leaves_it_as_it_was(bench: Bench) -> None:
    async def work() -> None:
        bench.upstream.held = asyncio.Event()
        asking = asyncio.create_task(bench.ask())
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert bench.words(ACCEPTED) == ["accepted"]
    run(work())
    assert not bench.watched.is_down and bench.told == []
    bench.upstream.held = None
    bench.words(unreachable("refused"))
    bench.now += RETRY
    run(work())  # the one that tried it
    bench.upstream.held = None
    assert bench.words(ACCEPTED) == ["down"]
    bench.now += RETRY
    assert bench.words(ACCEPTED) == ["accepted"]


def test_what_no_server_takes_says_nothing_of_the_server(bench: Bench) -> None:
    with pytest.raises(MalformedCode):
        bench.words(MalformedCode())
    assert bench.watched.silent_for is None and not bench.watched.is_down
    bench.words(unreachable("refused"))
    bench.now += RETRY
    with pytest.raises(MalformedCode):
        bench.words(MalformedCode())
    assert bench.watched.state()["state"] == "down"


def test_its_state_for_the_status(bench: Bench) -> None:
    state = {"name": "scripted", "state": "unknown", "reason": "", "answered": None}
    assert bench.watched.state() == state
    bench.words(ACCEPTED)
    bench.now += 12.7
    assert bench.watched.state() == {**state, "state": "up", "answered": 12}
    bench.words(unreachable("tls", "expired"))
    bench.now += 3
    assert bench.watched.state() == {**state, "state": "down", "reason": "tls", "answered": 15}
    assert bench.watched.silent_for == pytest.approx(15.7)


def test_it_is_closed_with_its_upstream(bench: Bench) -> None:
    run(bench.watched.close())
    assert bench.upstream.closed
