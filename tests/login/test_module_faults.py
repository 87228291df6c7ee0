# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Every call of the module that can fail, made to fail: nobody gets in by it, nothing leaks, the deadline
holds; and what passes by itself (EINTR, a lost connection) costs no login."""

import errno
from collections import Counter

import pytest
from tests.login.fake_broker import FakeBroker, answers, message
from tests.login.module_support import (  # noqa: F401
    APP_PLAIN,
    MODULE,
    PAM,
    Ended,
    Login,
    attempt,
    built_fixture,
    calls,
    faulty_fixture,
    short_folder,
)

EVER = 2**31 - 1  # an int; a poll that fails at once is made a hundred thousand times a second
BUF_ERR = 5  # of PAM itself
ACCEPTED = message("accepted", "info in")
REJECTED = message("rejected", "error out")
FAILURES = {*PAM.values(), BUF_ERR} - {PAM["SUCCESS"], PAM["IGNORE"]}

# What a login with one prompt and one text calls, and how often.
CALLS = {
    "pam_get_item": 6,  # user, service, terminal, host; the conversation for a prompt and for a text
    "clock_gettime": 8,
    "getrandom": 2,
    "socket": 2,
    "connect": 2,
    "getsockopt": 2,
    "lstat": 2,
    "send": 2,
    "poll": 2,
    "recv": 2,
    "close": 2,
}
# What the module gets over: once, for as long as there is time; of close there is nothing to get over.
PASSING = {
    "connect": ["EAGAIN", "EINTR", "ENOENT", "ECONNREFUSED", "ECONNRESET"],
    "send": ["EAGAIN", "EINTR", "EPIPE", "ECONNRESET", "ENOTCONN"],
    "poll": ["EINTR"],
    "recv": ["EAGAIN", "EINTR", "ECONNRESET", "ENOTCONN", "ret=0"],
    "getrandom": ["EAGAIN", "EINTR"],
}
HARMLESS = {
    "close": ["EIO", "EINTR"],
    "send": ["short"],
    "recv": ["short"],
}
FATAL = {
    "clock_gettime": ["EINVAL"],
    "getrandom": ["ENOSYS", "EFAULT", "short", "ret=0"],
    "socket": ["EMFILE", "ENFILE", "ENOMEM", "EACCES"],
    "connect": ["EACCES", "EPROTOTYPE", "ENOMEM", "EPERM", "ENOTDIR"],
    "getsockopt": ["ENOPROTOOPT", "ENOTCONN"],
    "lstat": ["EACCES", "ENOENT", "ENOMEM"],
    "send": ["ENOBUFS", "EIO", "EACCES"],
    "poll": ["ENOMEM", "EINVAL", "ret=0"],
    "recv": ["EIO", "ENOMEM", "EBADF"],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, int, str]]:
    """(name, number of the call, what happens) for every call of a login."""
    return [
        (name, number, what)
        for name, faults in table.items()
        for what in faults
        for number in range(1, CALLS[name] + 1)
    ]


def fault(name: str, first: int, last: int, what: str) -> str:
    """As c/faults.c wants it."""
    return f"{name}:{first}:{last}:{getattr(errno, what) if what.startswith('E') else what}"


def run(faulty: Login, reply: bytes, faults: str, seconds: int = 15) -> Ended:
    """A login that is answered `reply`, with a deadline."""
    with FakeBroker(faulty.socket, answers(reply)):
        return attempt(faulty, seconds=seconds, faults=faults, rests=True)


def test_a_login_calls_what_the_tables_say(faulty: Login) -> None:
    ended = run(faulty, ACCEPTED, "")
    assert ended.result == 0 and Counter(name for name, *_ in calls(faulty)) == CALLS
    assert {name for table in (PASSING, HARMLESS, FATAL) for name in table} | {"pam_get_item"} == set(CALLS)


@pytest.mark.parametrize(("name", "number", "what"), cases(FATAL))
def test_what_fails_lets_nobody_in(faulty: Login, name: str, number: int, what: str) -> None:
    # The last look at the clock comes after the verdict, and changes nothing.
    decided = name == "clock_gettime" and number == CALLS[name]
    ended = run(faulty, ACCEPTED, fault(name, number, number, what))
    assert ended.result == (0 if decided else PAM["AUTHINFO_UNAVAIL"])
    ended = run(faulty, REJECTED, fault(name, number, EVER, what))
    assert ended.result == (PAM["AUTH_ERR"] if decided else PAM["AUTHINFO_UNAVAIL"])
    assert decided or ended.talk[-1][1].startswith("The code can't be checked: ")
    assert decided or ended.log


@pytest.mark.parametrize(("name", "number", "what"), cases(PASSING))
def test_what_passes_costs_no_login(faulty: Login, name: str, number: int, what: str) -> None:
    assert run(faulty, ACCEPTED, fault(name, number, number, what)).result == 0
    assert run(faulty, REJECTED, fault(name, number, number, what)).result == PAM["AUTH_ERR"]


@pytest.mark.parametrize(("name", "what"), [(name, what) for name in PASSING for what in PASSING[name]])
def test_what_does_not_pass_ends_by_the_deadline(faulty: Login, name: str, what: str) -> None:
    for number in range(1, CALLS[name] + 1):
        ended = run(faulty, ACCEPTED, fault(name, number, EVER, what), seconds=1)
        assert ended.result == PAM["AUTHINFO_UNAVAIL"] and ended.log


@pytest.mark.parametrize(("name", "what"), [(name, what) for name in HARMLESS for what in HARMLESS[name]])
def test_what_does_no_harm(faulty: Login, name: str, what: str) -> None:
    assert run(faulty, ACCEPTED, fault(name, 1, EVER, what)).result == 0
    assert run(faulty, REJECTED, fault(name, 1, EVER, what)).result == PAM["AUTH_ERR"]


@pytest.mark.parametrize("what", ["ret=4", "ret=29", "null"])
@pytest.mark.parametrize(
    ("number", "result"),
    [
        (1, "SUCCESS"),  # pam_get_user knows the name, too
        (2, "SYSTEM_ERR"),
        (3, "SUCCESS"),  # terminal and host are left out
        (4, "SUCCESS"),
        (5, "CONV_ERR"),
        (6, "CONV_ERR"),
    ],
)
def test_items_that_pam_does_not_give(faulty: Login, number: int, what: str, result: str) -> None:
    ended = run(faulty, ACCEPTED, fault("pam_get_item", number, number, what))
    # Asking for the name another way takes an item, too: the conversation.
    assert ended.result == PAM[result]
    ended = run(faulty, REJECTED, fault("pam_get_item", number, EVER, what))
    assert ended.result in FAILURES


@pytest.mark.parametrize(
    ("what", "result"),
    [
        *[(f"ret={code}", "CONV_ERR") for code in range(1, 33) if code != 30],
        ("ret=-1", "CONV_ERR"),
        ("ret=1000", "CONV_ERR"),
        ("null", "CONV_ERR"),
    ],
)
def test_names_that_pam_does_not_give(faulty: Login, what: str, result: str) -> None:
    """Whatever pam_get_user says, PAM_IGNORE included, no name is a failure."""
    with FakeBroker(faulty.socket, answers(ACCEPTED)) as broker:
        faults = f"pam_get_item:1:1:null,{fault('pam_get_user', 1, 1, what)}"
        ended = attempt(faulty, seconds=15, faults=faults)
    assert ended.result == PAM[result] and "there is no user name" in ended.log and not broker.connections


def test_two_faults_at_once(faulty: Login) -> None:
    for first, second in [("send:1:1:32", "connect:2:2:2"), ("recv:1:1:104", "socket:2:2:24")]:
        ended = run(faulty, ACCEPTED, f"{first},{second}")
        assert ended.result == (0 if "connect" in second else PAM["AUTHINFO_UNAVAIL"])


def test_every_allocation_fails_in_turn(built: None) -> None:
    """Of PAM, of the C library, of the program: the module has none of its own."""
    with short_folder() as folder:
        plain = Login(folder, MODULE, APP_PLAIN)
        with FakeBroker(plain.socket, answers(REJECTED)):
            clean = plain("user=alice", "answer=1", "oom=1000000")
            ((_, count),) = clean.of("allocations")
            assert clean.result == PAM["AUTH_ERR"] and int(count) >= 2
            for number in range(1, int(count) + 1):
                assert plain("user=alice", "answer=1", f"oom={number}").result in FAILURES
        with FakeBroker(plain.socket, answers(ACCEPTED)):
            for number in range(1, int(count) + 1):
                assert plain("user=alice", "answer=1", f"oom={number}").result in FAILURES | {0}
