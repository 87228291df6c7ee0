# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""conf.c and message.c by themselves, under ASan and UBSan, against a second reading of the same rules."""

import os
import random
import subprocess
from collections.abc import Iterable

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.login.fake_broker import message
from tests.login.module_replies import BAD, GOOD, hexed, is_text, mutated, read_reply
from tests.login.module_support import PAM, PROBE, STRICT, built_fixture  # noqa: F401

from understudy.broker.messages import pack, read_request
from understudy_device.protocol import STATUSES

pytestmark = pytest.mark.usefixtures("built")

Word = bytes | None


def probe(*calls: tuple[str | Word, ...]) -> list[list[str]]:
    """The words of the result of each call: a name, then values."""
    lines = [" ".join([str(name), *(hexed(value) for value in values)]) for name, *values in calls]
    done = subprocess.run(
        [PROBE], input="\n".join(lines) + "\n", capture_output=True, text=True, env={**os.environ, **STRICT}
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    results = [line.split(" ") for line in done.stdout.splitlines()]
    assert len(results) == len(calls)
    return results


def _bytes(word: str) -> bytes:
    return bytes.fromhex(word.replace("-", ""))


# --- the module's arguments ---

DEFAULT = ["taken", b"/run/understudy/broker.sock".hex(), "15", "0", "0"]
LONGEST = "/" + "s" * 106


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ([], DEFAULT),
        (["socket=/s"], ["taken", b"/s".hex(), *DEFAULT[2:]]),
        (["socket=" + LONGEST], ["taken", LONGEST.encode().hex(), *DEFAULT[2:]]),
        (["socket=/a b/\u00fc"], ["taken", "/a b/\u00fc".encode().hex(), *DEFAULT[2:]]),
        (["timeout=1", "debug"], [*DEFAULT[:2], "1", "0", "1"]),
        (["timeout=60", "enrol"], [*DEFAULT[:2], "60", "1", "0"]),
        (["timeout=09"], [*DEFAULT[:2], "9", "0", "0"]),
    ],
)
def test_arguments_are_taken(arguments: list[str], result: list[str]) -> None:
    assert probe(("conf", *arguments)) == [result]


@pytest.mark.parametrize(
    "argument",
    [
        "",
        "socket",
        "socket=",
        "socket=/",
        "socket=s",
        "socket=run/s",
        "socket=/run/",
        "socket=" + LONGEST + "s",
        "socket=/" + "s" * 5000,
        "socket=/a\tb",
        b"socket=/a\xff",
        "timeout",
        "timeout=",
        "timeout=0",
        "timeout=00",
        "timeout=61",
        "timeout=100",
        "timeout=010",
        "timeout=-1",
        "timeout=+1",
        "timeout= 1",
        "timeout=1 ",
        "timeout=1.5",
        "timeout=0x1",
        "timeout=99999999999999999999",
        "timeout=\u0661",
        "enrol=yes",
        "enroll",
        "Enrol",
        "debug=",
        "use_first_pass",
        "nullok",
        "no_warn",
    ],
)
def test_other_arguments_are_refused(argument: str | bytes) -> None:
    for around in ((), ("debug", "timeout=3")):
        assert probe(("conf", *around, argument, "enrol")) == [["refused", hexed(argument)]]


# --- requests ---

REQUEST = {"user": b"alice", "service": b"sshd", "tty": b"ssh", "rhost": b"::1"}


def written(within: int = 15000, enrol: bool = False, **fields: Word) -> bytes:
    """The request of these fields, empty if it is refused."""
    values = [fields.get(name) for name in ("user", "service", "tty", "rhost", "stage", "answer")]
    ((word,),) = probe(("write", *values, b"" if enrol else None, str(within)))
    return _bytes(word)


def test_the_broker_reads_what_the_module_writes() -> None:
    number = bytes(range(0xA0, 0xB0)).hex()
    assert read_request(written(**REQUEST)) == (
        "login",
        {"id": number, "within": "15000", **{name: value.decode() for name, value in REQUEST.items()}},
    )
    word, fields = read_request(
        written(1, True, user=b"bob", service=b"su", stage=b"code 7", answer="1 2\u00fc".encode())
    )
    assert fields == {
        "id": number,
        "user": "bob",
        "service": "su",
        "within": "1",
        "enrol": "yes",
        "stage": "code 7",
        "answer": "1 2\u00fc",
    }


LIMITS = {"user": 256, "service": 64, "tty": 128, "rhost": 255, "stage": 1017, "answer": 512}


@pytest.mark.parametrize(("name", "limit"), LIMITS.items())
def test_every_value_has_its_limit(name: str, limit: int) -> None:
    fields = {**REQUEST, "stage": b"s", "answer": b"a"}
    assert written(**{**fields, name: b"x" * limit})
    assert not written(**{**fields, name: b"x" * (limit + 1)})
    assert not written(**{**fields, name: b"x" * 100000})
    assert not written(**{**fields, name: b"a\nanswer b"})
    assert not written(**{**fields, name: b"\xc3"})


def test_the_longest_request_fits() -> None:
    whole = written(60000, True, **{name: b"x" * limit for name, limit in LIMITS.items()})
    assert whole.endswith(b"\n\n") and len(whole) < 4096
    assert read_request(whole)[1]["stage"] == "x" * 1017


@pytest.mark.parametrize("within", [0, -1, -2147483648])
def test_no_request_without_time(within: int) -> None:
    assert not written(within, **REQUEST)


# --- texts ---


def test_every_character_of_up_to_two_bytes_and_the_edges_of_the_longer_ones() -> None:
    heads = [bytes((a, b)) for a in range(1, 256) for b in range(1, 256)]
    tails = [b"", b"\x80", b"\xbf", b"\xc0", b"\x80\x80", b"\xbf\xbf", b"\x80\x7f", b"\xbfA"]
    cases = [one for one in (*heads, *(bytes((a,)) for a in range(1, 256)))]
    cases += [head + tail for head in heads if head[0] >= 0xE0 for tail in tails]
    results = probe(*(("text", case, "9") for case in cases))
    wrong = [case for case, (got,) in zip(cases, results, strict=True) if (got == "1") != is_text(case)]
    assert wrong == []


# --- replies ---


def check_replies(cases: Iterable[bytes]) -> list[list[str]]:
    """Read all of them both ways."""
    asked = list(cases)
    results = probe(*(("parse", case) for case in asked))
    for case, result in zip(asked, results, strict=True):
        assert result == read_reply(case), case
    return results


def test_whole_replies_are_read() -> None:
    results = check_replies(GOOD)
    assert ["bad"] not in results
    accepted = [case for case, result in zip(GOOD, results, strict=True) if result[1] == str(PAM["SUCCESS"])]
    assert all(case.startswith(b"understudy/1 accepted\n") for case in accepted) and accepted


@pytest.mark.parametrize("case", BAD, ids=lambda case: repr(case[:40]))
def test_other_replies_are_refused(case: bytes) -> None:
    assert check_replies([case]) == [["bad"]]


def test_what_the_broker_writes_is_read() -> None:
    case = pack("prompt", [("info", "a"), ("prompt", "Code: "), ("echo", "on"), ("stage", "x")])
    assert check_replies([case])[0][:2] == ["prompt", str(PAM["SYSTEM_ERR"])]


def test_every_beginning_of_a_reply_is_none() -> None:
    for whole in GOOD[-5:]:
        step = 1 if len(whole) < 2000 else 61
        beginnings = [whole[:size] for size in range(0, len(whole), step)]
        assert all(result == ["bad"] for result in check_replies(beginnings))


def test_the_end_is_found_wherever_the_pieces_end() -> None:
    data = message("accepted", "info a") + b"rest"
    end = data.index(b"\n\n") + 2
    for size in range(len(data) + 1):
        want = str(end if size >= end else 0)
        assert probe(*(("end", data[:size], str(seen)) for seen in range(min(size, end - 1) + 1))) == [
            [want] for _ in range(min(size, end - 1) + 1)
        ]


def test_thousands_of_damaged_replies() -> None:
    chance = random.Random(5)
    results = check_replies(mutated(chance) for _ in range(30000))
    read = [result for result in results if result != ["bad"]]
    assert len(read) > 2000  # the others, too, are far from noise
    assert {int(result[1]) for result in read} >= {0, 4, 7, 9, 25}


LINES = st.lists(
    st.tuples(
        st.sampled_from(["info", "error", "prompt", "echo", "stage", "seconds", "x-y"]),
        st.one_of(st.sampled_from(["on", "off", ""]), st.text(max_size=20)),
    ).map(lambda pair: f"{pair[0]} {pair[1]}"),
    max_size=12,
)


@given(st.lists(st.tuples(st.sampled_from([*STATUSES, "prompt", "other"]), LINES), min_size=40, max_size=80))
@settings(
    max_examples=25, deadline=None, phases=(Phase.reuse, Phase.generate)
)  # a program a try: no shrinking
def test_replies_of_any_fields(cases: list[tuple[str, list[str]]]) -> None:
    check_replies(message(status, *lines) for status, lines in cases)
