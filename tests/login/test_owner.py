# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The thread that owns the device, where it is slow to open: no job's deadline may make it begin anew."""

import io
import threading
from collections.abc import Iterator

import pytest
from tests.cli.support import SECONDS

from understudy.broker.journal import Journal
from understudy.broker.owner import Job, Owner
from understudy.deadline import Deadline
from understudy_device.errors import LinkTimeout, NoDevice


class Opened:
    """An open device, as far as the owner looks at it."""

    class client:
        """With what the journal tells of it."""

        class connection:
            """It needs a port and a name."""

            url = "port"

            class hello:
                """Of the device."""

                device = "0" * 16

    def idle(self) -> None:
        """It is there."""

    def close(self) -> None:
        """Nothing to let go."""


class Slow:
    """Opens a device when it is let, and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self.begun = threading.Event()
        self.let = threading.Event()
        self.seconds = 0.0

    def __call__(self, deadline: Deadline) -> Opened:
        self.calls += 1
        self.seconds = deadline.left
        self.begun.set()
        assert self.let.wait(SECONDS)
        return Opened()


@pytest.fixture
def slow() -> Slow:
    """What takes its time."""
    return Slow()


@pytest.fixture
def owner(slow: Slow) -> Iterator[Owner]:
    """An owner whose device is slow to open."""
    owner = Owner(slow, Journal(io.StringIO(), levels=False))
    owner.start()
    yield owner
    slow.let.set()
    owner.end()


def test_a_deadline_that_passes_while_the_device_is_opened(owner: Owner, slow: Slow) -> None:
    """The device is open for whoever comes next, and the late one is not served any more."""
    done = []
    deadline = Deadline(SECONDS)
    late = owner.put("alice", Job(lambda _: done.append("late"), deadline))
    assert slow.begun.wait(SECONDS)
    assert slow.seconds > 10  # more than a login has
    deadline._end = 0.0  # it passes
    slow.let.set()
    assert isinstance(late.exception(SECONDS), LinkTimeout)
    assert owner.put("bob", Job(lambda _: "in time", Deadline(SECONDS))).result(SECONDS) == "in time"
    assert done == [] and slow.calls == 1


def test_what_got_lost_is_done_again_over_another_connection(owner: Owner, slow: Slow) -> None:
    slow.let.set()
    tries = []

    def work(_: object) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise NoDevice()
        return "done"

    assert owner.put("alice", Job(work, Deadline(SECONDS))).result(SECONDS) == "done"
    assert slow.calls == 3
