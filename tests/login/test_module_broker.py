# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The module and a broker that hangs, drips, breaks off, floods, is not there, or is not the broker.

Nobody gets in, and the deadline holds. That it holds is read from what the module called (c/faults.c): no
call may block but poll, and no poll may wait beyond the deadline, however slow the machine is.
"""

import os
import re
import threading
from pathlib import Path

import pytest
from tests.cli.support import SECONDS
from tests.login.fake_broker import (
    Call,
    FakeBroker,
    Play,
    answers,
    closes,
    drips,
    floods,
    foreign,
    full_backlog,
    hangs,
    hangs_unread,
    message,
    prompt,
    says,
    wait_for_lines,
)
from tests.login.module_support import (  # noqa: F401
    PAM,
    Ended,
    Login,
    attempt,
    built_fixture,
    calls,
    faulty_fixture,
    login_fixture,
)

ACCEPTED = message("accepted")
REJECTED = message("rejected")
UNAVAILABLE = PAM["AUTHINFO_UNAVAIL"]
LATE = "The code can't be checked: The broker did not answer in time."
ABSENT = "The code can't be checked: The broker does not run."


MISBEHAVING: dict[str, Play] = {
    "hangs": hangs,
    "does not read": hangs_unread,
    "hangs after half a reply": drips(ACCEPTED[:-1], 0),
    "drips": drips(message("accepted", "info x"), 0.3),
    "closes": closes(),
    "resets": closes(read=False),
    "closes after half a reply": closes(ACCEPTED[:-1]),
}


@pytest.mark.parametrize("kind", MISBEHAVING)
@pytest.mark.parametrize("way", ["first", "second", "account"])
def test_a_broker_without_a_whole_reply(faulty: Login, kind: str, way: str) -> None:
    plays = [says(prompt())] if way == "second" else []
    with FakeBroker(faulty.socket, *plays, MISBEHAVING[kind]) as broker:
        # Where it waits for a reply it does so in earnest; before that, the prompt has to have come.
        seconds = 3 if plays else 1
        ended = attempt(faulty, *(["account"] if way == "account" else []), seconds=seconds, rests=True)
    assert ended.result == UNAVAILABLE
    assert ended.talk[len(plays) :] == [("error", LATE)]
    assert f"no reply of the broker within {seconds} s" in ended.log
    repeated = broker.requests[len(plays) :]
    # Whatever was sent again was the same question.
    assert len({request.fields["id"] for request in repeated}) <= 1
    assert len({request.fields.get("answer") for request in repeated}) <= 1


def test_a_broker_that_never_accepts(faulty: Login) -> None:
    with full_backlog(faulty.socket):
        ended = attempt(faulty, seconds=15, rests=True)
    assert ended.result == UNAVAILABLE and ended.talk == [("error", LATE)]
    refused = [call for call in calls(faulty) if call[0] == "connect"]
    assert len(refused) > 3 and all(call[2] == 11 for call in refused)  # EAGAIN


@pytest.mark.parametrize("data", [b"x" * 4096, b"understudy/1 accepted\n" + b"info x\n" * 600, b"\0" * 9000])
def test_a_broker_that_floods(faulty: Login, data: bytes) -> None:
    with FakeBroker(faulty.socket, floods(data)) as broker:
        ended = attempt(faulty, seconds=30)
    assert ended.result == PAM["SYSTEM_ERR"] and "is no reply" in ended.log and broker.connections == 1
    assert sum(result for name, result, _, _ in calls(faulty) if name == "recv") <= 16384


@pytest.mark.parametrize("tail", [b"\n", b"x", ACCEPTED, b"\0"])
def test_more_than_a_reply_is_none(login: Login, tail: bytes) -> None:
    with FakeBroker(login.socket, says(ACCEPTED + tail)) as broker:
        ended = login("user=alice")
    assert ended.result == PAM["SYSTEM_ERR"] and "is no reply" in ended.log and broker.connections == 1


# --- time that passes only on the module's clock ---


def test_a_byte_a_second_is_too_slow(faulty: Login) -> None:
    for seconds in (1, 15, 60):
        with FakeBroker(faulty.socket, says(message("accepted", "info " + "x" * 80))):
            ended = attempt(faulty, seconds=seconds, faults="recv:1:9999:slow=1000")
        assert ended.result == UNAVAILABLE and ended.talk == [("error", LATE)]
        received = len([call for call in calls(faulty) if call[0] == "recv"])
        assert seconds / 2 < received <= seconds


def test_byte_by_byte_in_time_is_as_good(faulty: Login) -> None:
    reply = message("accepted", "info a", "info b")
    with FakeBroker(faulty.socket, says(reply)):
        ended = attempt(faulty, seconds=60, faults="recv:1:9999:slow=10,send:1:9999:slow=10")
    assert ended.result == 0 and ended.talk == [("info", r"a\nb")]


def test_all_questions_of_a_login_share_the_deadline(faulty: Login) -> None:
    """Eight replies, each just in time by itself, would be eight deadlines."""
    with FakeBroker(faulty.socket, says(prompt())):
        ended = attempt(
            faulty, *["answer=1"] * 8, seconds=15, faults="recv:1:99:slow=20,recv:100:999:slow=100"
        )
    assert ended.result == UNAVAILABLE and 1 <= len(ended.of("hidden")) < 8


def test_a_broker_that_is_not_there_is_waited_for_five_seconds(faulty: Login) -> None:
    ended = attempt(faulty, seconds=15, rests=True)
    assert ended.result == UNAVAILABLE and ended.talk == [("error", ABSENT)]
    assert "no broker listens at" in ended.log
    times = [value for name, _, _, value in calls(faulty) if name == "clock_gettime"]
    assert 5000 <= times[-1] - times[0] < 15000
    attempts = [call for call in calls(faulty) if call[0] == "connect"]
    assert 10 < len(attempts) < 100 and {call[2] for call in attempts} == {2}  # ENOENT


def test_a_dead_brokers_socket_is_no_broker(faulty: Login) -> None:
    broker = FakeBroker(faulty.socket, says(ACCEPTED))
    broker.start()
    broker.stop(unlink=False)
    ended = attempt(faulty, seconds=15, rests=True)
    assert ended.result == UNAVAILABLE and ended.talk == [("error", ABSENT)]
    assert {call[2] for call in calls(faulty) if call[0] == "connect"} == {111}  # ECONNREFUSED


def test_the_wait_for_a_broker_ends_with_the_deadline(faulty: Login) -> None:
    ended = attempt(faulty, seconds=3, rests=True)
    assert ended.result == UNAVAILABLE and ended.talk == [("error", ABSENT)]


def test_a_broker_that_keeps_breaking_off_is_tried_until_the_deadline(faulty: Login) -> None:
    with FakeBroker(faulty.socket, closes()) as broker:
        ended = attempt(faulty, seconds=15, rests=True)
    assert ended.result == UNAVAILABLE and ended.talk == [("error", LATE)]
    assert 10 < len(broker.requests) < 120  # 15 s, mostly 0.16 s apart
    assert len({request.fields["id"] for request in broker.requests}) == 1


# --- restarts ---


@pytest.mark.parametrize("play", [closes(), closes(read=False), closes(REJECTED[:-1]), closes(ACCEPTED[:9])])
def test_a_lost_reply_is_asked_for_under_the_same_id(login: Login, play: Play) -> None:
    with FakeBroker(login.socket, says(prompt()), play, play, says(ACCEPTED)) as broker:
        ended = login("user=alice", "answer=123456")
    assert ended.result == 0 and ended.talk == [("hidden", "Code: ")]
    first, *again = broker.requests
    assert len({request.fields["id"] for request in again}) == 1 != first.fields["id"]
    assert {request.fields["answer"] for request in again} == {"123456"}
    withins = [int(request.fields["within"]) for request in again]
    assert withins == sorted(withins, reverse=True)


@pytest.mark.parametrize("unlink", [True, False])
def test_a_broker_that_dies_and_comes_back_loses_no_login(faulty: Login, unlink: bool) -> None:
    """It dies with the question in hand, stays away until that was noticed, and answers it then."""
    asked, dead = threading.Event(), threading.Event()

    def dies(call: Call) -> None:
        call.read()
        asked.set()
        dead.wait()

    broker = FakeBroker(faulty.socket, says(prompt()), dies, says(ACCEPTED))
    broker.start()
    process = faulty.start("user=alice", "answer=123456", env={"CALLS": str(faulty.calls)})
    assert asked.wait(SECONDS)
    dead.set()
    broker.stop(unlink)
    error = 2 if unlink else 111  # ENOENT, ECONNREFUSED
    wait_for_lines(faulty.calls, f"connect -1 {error}", 2)
    with broker:
        ended = faulty.ended(process)
    assert ended.result == 0 and ended.talk == [("hidden", "Code: ")]
    assert [request.fields.get("answer") for request in broker.requests] == [None, "123456", "123456"]
    assert broker.requests[1].fields["id"] == broker.requests[2].fields["id"]


# --- who listens ---


def asked(login: Login, socket: Path | None = None) -> Ended:
    """An account request, which needs no answer."""
    login.stack(socket=socket)
    return login("user=alice", "account")


def refused(ended: Ended, why: str) -> bool:
    """Whether it was refused because of who listens, and told so."""
    told = ended.talk == [("error", "The code can't be checked: The broker's socket is not trusted.")]
    return ended.result == UNAVAILABLE and told and why in ended.log


@pytest.mark.parametrize("mode", [0o755, 0o700, 0o500, 0o711])
def test_a_folder_of_its_owner_alone_is_trusted(login: Login, mode: int) -> None:
    with FakeBroker(login.socket, says(ACCEPTED)):
        login.run.chmod(mode)
        assert asked(login).result == 0


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777, 0o2770, 0o702])
def test_a_folder_that_others_may_write_to_is_not(login: Login, mode: int) -> None:
    with FakeBroker(login.socket, says(ACCEPTED)) as broker:
        login.run.chmod(mode)
        assert refused(asked(login), "can be written to by others")
    assert not any(request.raw for request in broker.requests)  # and nothing was told


def test_a_link_to_a_folder_is_not_trusted(login: Login) -> None:
    link = login.folder / "link"
    link.symlink_to(login.run)
    with FakeBroker(login.socket, says(ACCEPTED)):
        assert refused(asked(login, link / login.socket.name), "is a link")


def owned(login: Login, uid: int) -> None:
    """Give the socket's folder to somebody, who can come there."""
    login.folder.chmod(0o755)
    os.chown(login.run, uid, -1)


BROKER, OTHER = 4711, 4712  # users' ids


def test_the_folders_owner_is_trusted(login: Login) -> None:
    owned(login, BROKER)
    with foreign(login.socket, BROKER, ACCEPTED):
        assert asked(login).result == 0


def test_root_is_trusted_in_the_brokers_folder(login: Login) -> None:
    """As with a socket that systemd has made."""
    owned(login, BROKER)
    with FakeBroker(login.socket, says(ACCEPTED)):
        assert asked(login).result == 0


@pytest.mark.parametrize("owner", [0, BROKER])
def test_somebody_else_is_not(login: Login, owner: int) -> None:
    owned(login, owner)
    with foreign(login.socket, OTHER, ACCEPTED):
        assert refused(asked(login), "neither root nor the owner of its folder listens there")


def test_a_file_is_no_broker(login: Login) -> None:
    login.stack("timeout=1")
    login.socket.write_text("")
    ended = login("user=alice", "answer=1")
    assert ended.result == UNAVAILABLE and ended.talk == [("error", ABSENT)]


def test_a_socket_that_may_not_be_used_says_so(login: Login) -> None:
    with FakeBroker(login.socket, says(ACCEPTED)):
        login.stack(socket=login.socket / "below")
        ended = login("user=alice")
    assert ended.result == UNAVAILABLE and "can't be used: Not a directory" in ended.log
    assert ended.talk == [("error", "The code can't be checked: The broker can't be reached.")]


def test_what_goes_wrong_is_told_without_what_was_typed(login: Login) -> None:
    login.stack("timeout=1 debug")
    with FakeBroker(login.socket, says(prompt("C ", "on", "stage-word")), closes()):
        ended = login("user=alice", "answer=typed")
    assert ended.result == UNAVAILABLE and not re.search("typed|stage-word", ended.log)


def test_two_hundred_logins_at_once(login: Login) -> None:
    plays = answers(message("accepted", "info x"))
    login.stack("timeout=60")
    with FakeBroker(login.socket, plays, backlog=4) as broker:
        ended = login("user=alice", "answer=1", "times=5", "threads=40")
    assert ended.results == [0] * 200 and len(broker.requests) == 400
