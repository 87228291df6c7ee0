# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The module between an application and a broker that does all right: what is asked, shown, sent, returned.

All of it under ASan and UBSan, leaks included.
"""

import re

import pytest
from tests.login.fake_broker import FakeBroker, answers, message, prompt, says
from tests.login.module_support import (  # noqa: F401
    APP_PLAIN,
    MODULE,
    PAM,
    Login,
    built_fixture,
    login_fixture,
    short_folder,
)

from understudy_device.protocol import STATUSES

ACCEPTED = message("accepted")


def test_a_code_is_asked_for_and_sent(login: Login) -> None:
    with FakeBroker(login.socket, says(prompt("Code: ", "off", "code 1")), says(ACCEPTED)) as broker:
        ended = login("user=alice", "tty=pts/3", "rhost=192.0.2.7", "answer=123 456")
    assert ended.lines == [("hidden", "Code: "), ("result", "0")]
    first, second = broker.requests
    assert (first.word, second.word) == ("login", "login")
    fields = {"user": "alice", "service": "test", "tty": "pts/3", "rhost": "192.0.2.7"}
    assert first.fields.items() >= fields.items() and second.fields.items() >= fields.items()
    assert first.fields.keys() == fields.keys() | {"id", "within"}
    assert second.fields.keys() == first.fields.keys() | {"stage", "answer"}
    assert (second.fields["stage"], second.fields["answer"]) == ("code 1", "123 456")
    # Another question, another id.
    assert first.fields["id"] != second.fields["id"]
    assert all(re.fullmatch("[0-9a-f]{32}", one.fields["id"]) for one in broker.requests)
    # All the waiting of a login has one deadline.
    assert 15000 >= int(first.fields["within"]) >= int(second.fields["within"]) > 0


def test_ids_never_come_twice(login: Login) -> None:
    with FakeBroker(login.socket, says(message("rejected"))) as broker:
        login("user=alice", "times=200")
    assert len({request.fields["id"] for request in broker.requests}) == 200


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("way", ["login", "account"])
def test_every_status_has_its_code(login: Login, status: str, way: str) -> None:
    words = ["account"] if way == "account" else ["answer=1"]
    play = says(message(status)) if way == "account" else answers(message(status))
    with FakeBroker(login.socket, play) as broker:
        ended = login("user=alice", *words)
    assert {request.word for request in broker.requests} == {way}
    assert ended.result == PAM[STATUSES[status][2]]
    assert (ended.result == 0) == (status == "accepted")


@pytest.mark.parametrize("status", ["Accepted", "accept", "accepted-", "ok", "success", "prompts", "prompt-"])
def test_no_other_word_lets_in(login: Login, status: str) -> None:
    with FakeBroker(login.socket, says(message(status))):
        assert login("user=alice").result in (PAM["SYSTEM_ERR"], PAM["AUTHINFO_UNAVAIL"])
        assert login("user=alice", "account").result in (PAM["SYSTEM_ERR"], PAM["AUTHINFO_UNAVAIL"])


def test_texts_are_shown_in_order_and_joined(login: Login) -> None:
    lines = ["info a", "info b", "error c", "error d", "info e", "error f", "other g", "error h"]
    with FakeBroker(
        login.socket,
        says(prompt("P ", "on", "s", *lines)),
        says(message("throttled", "seconds 40", "error wait", "error 40 s")),
    ):
        ended = login("user=alice", "answer=x")
    assert ended.talk == [
        *(("info", r"a\nb"), ("error", r"c\nd"), ("info", "e"), ("error", "f"), ("error", "h")),
        ("shown", "P "),
        ("error", r"wait\n40 s"),
    ]
    assert ended.result == PAM["MAXTRIES"]


def test_a_picture_of_twenty_lines_is_one_text(login: Login) -> None:
    picture = ["\u2588\u2580\u2584 " * 10] * 20
    with FakeBroker(
        login.socket, says(prompt("C ", "off", "s", *("info " + line for line in picture))), says(ACCEPTED)
    ):
        ended = login("user=alice", "answer=x")
    assert ended.talk == [("info", r"\n".join(picture)), ("hidden", "C ")]


def test_a_percent_sign_is_a_percent_sign(login: Login) -> None:
    text = "%s %n %1$n 100%"
    with FakeBroker(login.socket, says(prompt(text, "on", text, "info " + text)), says(ACCEPTED)) as broker:
        ended = login(f"user={text}", f"rhost={text}", f"answer={text}")
    assert ended.talk == [("info", text), ("shown", text)]
    fields = broker.requests[1].fields
    assert {fields[name] for name in ("user", "rhost", "stage", "answer")} == {text}


def test_eight_prompts_and_no_more(login: Login) -> None:
    typed = [f"answer={number}" for number in range(20)]
    plays = [says(prompt(f"P{number}", "on", f"s{number}")) for number in range(8)]
    with FakeBroker(login.socket, *plays, says(ACCEPTED)) as broker:
        ended = login("user=alice", *typed)
    assert ended.talk == [("shown", f"P{number}") for number in range(8)] and ended.result == 0
    told = [(one.fields["stage"], one.fields["answer"]) for one in broker.requests[1:]]
    assert told == [(f"s{number}", str(number)) for number in range(8)]
    with FakeBroker(login.socket, says(prompt())) as broker:
        ended = login("user=alice", *typed)
    assert len(ended.talk) == 8 and len(broker.requests) == 9
    assert ended.result == PAM["SYSTEM_ERR"] and "asks too much" in ended.log


def test_an_account_is_never_prompted_for(login: Login) -> None:
    with FakeBroker(login.socket, says(prompt())):
        ended = login("user=alice", "account", "answer=1")
    assert not ended.talk and ended.result == PAM["SYSTEM_ERR"]


def test_setcred_succeeds_and_asks_nobody(login: Login) -> None:
    with FakeBroker(login.socket, says(message("rejected"))) as broker:
        assert login("user=alice", "setcred").result == 0
    assert not broker.connections


def test_the_user_is_asked_for_a_name_if_there_is_none(login: Login) -> None:
    with FakeBroker(login.socket, answers(ACCEPTED)) as broker:
        ended = login("answer=alice", "answer=1")
    assert [kind for kind, _ in ended.talk] == ["shown", "hidden"] and ended.result == 0
    assert {request.fields["user"] for request in broker.requests} == {"alice"}


def test_a_name_that_comes_later_is_waited_for(login: Login) -> None:
    with FakeBroker(login.socket, answers(ACCEPTED)) as broker:
        ended = login("again=1", "answer=alice", "answer=1")
    assert [kind for kind, _ in ended.lines if not kind.startswith("syslog")] == [
        *("shown", "incomplete", "shown", "hidden", "result"),
    ]
    assert ended.result == 0 and len(broker.requests) == 2


@pytest.mark.parametrize("name", ["", "a\nb", "a\x7f", "\udcff", "x" * 257])
def test_a_name_that_can_be_none_is_refused(login: Login, name: str) -> None:
    with FakeBroker(login.socket, says(ACCEPTED)) as broker:
        ended = login(f"user={name}")
    assert ended.result == PAM["USER_UNKNOWN"] and "user name is refused" in ended.log
    assert not broker.connections


@pytest.mark.parametrize("value", ["", "a\nanswer 1", "\udcff", "x" * 256])
def test_a_terminal_or_host_that_can_be_none_is_left_out(login: Login, value: str) -> None:
    with FakeBroker(login.socket, says(ACCEPTED)) as broker:
        assert login("user=alice", f"tty={value}", f"rhost={value}").result == 0
    assert broker.requests[0].fields.keys() == {"id", "user", "service", "within"}


def test_a_service_that_can_be_none_is_refused(login: Login) -> None:
    name = "s" * 65
    login.stack(service=name)
    with FakeBroker(login.socket, says(ACCEPTED)) as broker:
        ended = login("user=alice", service=name)
    assert ended.result == PAM["SYSTEM_ERR"] and "service" in ended.log and not broker.connections


@pytest.mark.parametrize("answer", ["12\x0134", "1\n2", "\udcff1", "1" * 513])
def test_an_answer_that_can_be_none_costs_no_guess(login: Login, answer: str) -> None:
    with FakeBroker(login.socket, answers(ACCEPTED)) as broker:
        ended = login("user=alice", f"answer={answer}")
    assert ended.result == PAM["CRED_ERR"] and ended.talk[-1] == ("error", STATUSES["malformed"][1])
    assert len(broker.requests) == 1


@pytest.mark.parametrize(("typed", "sent"), [("", ""), ("12\r\n", "12"), ("\n", ""), (" 12 ", " 12 ")])
def test_what_was_typed_is_sent_as_it_is_but_for_the_line_end(login: Login, typed: str, sent: str) -> None:
    with FakeBroker(login.socket, answers(message("malformed"))) as broker:
        assert login("user=alice", f"answer={typed}").result == PAM["CRED_ERR"]
    assert broker.requests[1].fields["answer"] == sent


# --- arguments ---


@pytest.mark.parametrize(
    "arguments", ["nullok", "timeout=0", "timeout=61", "socket=relative", "debug enroll"]
)
@pytest.mark.parametrize("way", [[], ["account"]])
def test_an_unknown_argument_is_refused_and_logged(login: Login, arguments: str, way: list[str]) -> None:
    login.stack(arguments)
    with FakeBroker(login.socket, says(ACCEPTED)) as broker:
        ended = login("user=alice", *way)
    assert ended.result == PAM["SERVICE_ERR"] and not broker.connections
    assert f"argument refused: {arguments.rsplit(maxsplit=1)[-1]}" in ended.log


def test_enrol_is_told_only_where_it_may_be(login: Login) -> None:
    with FakeBroker(login.socket, answers(ACCEPTED)) as broker:
        login("user=alice", "answer=1")
        login.stack("enrol")
        login("user=alice", "answer=1")
        login("user=alice", "account")
    told = [request.fields.get("enrol") for request in broker.requests]
    assert told == [None, None, "yes", "yes", None]


def test_the_timeout_is_told(login: Login) -> None:
    login.stack("timeout=60")
    with FakeBroker(login.socket, says(ACCEPTED)) as broker:
        login("user=alice")
    assert 50000 < int(broker.requests[0].fields["within"]) <= 60000


def test_debug_tells_syslog_the_status_and_no_code(login: Login) -> None:
    login.stack("debug")
    with FakeBroker(
        login.socket, says(prompt("C ", "on", "stage-word", "info told")), says(message("rejected"))
    ):
        ended = login("user=alice", "answer=typed")
    log = ended.of("syslog-7")
    assert len(log) == 2 and "rejected" in log[1][1]
    assert not any(word in ended.log for word in ("typed", "told", "stage-word"))


# --- silence, and programs that can't converse ---


def test_silent_means_no_texts_but_at_a_login(login: Login) -> None:
    with FakeBroker(login.socket, says(message("disabled", "error a"))):
        ended = login("user=alice", "account", "silent")
    assert ended.talk == [] and ended.result == PAM["PERM_DENIED"]
    with FakeBroker(
        login.socket, says(prompt("C ", "off", "s", "info a")), says(message("rejected", "error b"))
    ):
        ended = login("user=alice", "answer=1", "silent")  # as sudo always has it
    assert ended.talk == [("info", "a"), ("hidden", "C "), ("error", "b")]


def test_without_a_conversation_function_it_says_so(login: Login) -> None:
    with FakeBroker(login.socket, answers(ACCEPTED)):
        ended = login("user=alice", "no-conv")
        assert ended.result == PAM["CONV_ERR"]
        assert "this program can't converse with its user" in ended.log
        assert login("no-conv").result == PAM["CONV_ERR"]


def test_without_a_conversation_function_a_verdict_is_still_one(login: Login) -> None:
    with FakeBroker(login.socket, says(ACCEPTED)):
        assert login("user=alice", "no-conv").result == 0
    with FakeBroker(login.socket, says(message("disabled", "error x"))):
        assert login("user=alice", "no-conv", "account").result == PAM["PERM_DENIED"]


@pytest.mark.parametrize("number", range(1, 4))
def test_a_conversation_that_fails_never_lets_in(login: Login, number: int) -> None:
    first, last = prompt("C ", "off", "s", "info a"), message("accepted", "info b")
    with FakeBroker(login.socket, says(first), says(last)) as broker:
        for what in ("fail", "again"):
            ended = login("user=alice", "answer=1", f"{what}={number}")
            assert ended.result == PAM["CONV_ERR"] and "conversation with the user failed" in ended.log
            broker.connections = 0
        assert login("user=alice", "answer=1", "fail=4").result == 0


@pytest.mark.parametrize("what", ["no-response", "empty-response"])
def test_no_answer_is_none(login: Login, what: str) -> None:
    with FakeBroker(login.socket, answers(ACCEPTED)) as broker:
        ended = login("user=alice", what)
    assert ended.result == PAM["CONV_ERR"] and "gave no answer" in ended.log
    assert len(broker.requests) == 1


def test_a_refusal_stays_one_when_it_cant_be_shown(login: Login) -> None:
    with FakeBroker(login.socket, says(message("throttled", "error x"))):
        assert login("user=alice", "fail=1").result == PAM["MAXTRIES"]


# --- many at once, and what stays behind ---


def test_eight_threads(login: Login) -> None:
    login.stack("timeout=60")
    with FakeBroker(login.socket, answers(message("accepted", "info a", "info b"))) as broker:
        ended = login("user=alice", "answer=1", "times=10", "threads=8")
    assert ended.results == [0] * 80
    assert len({request.fields["id"] for request in broker.requests}) == 160


SECRET = b"what nobody may find 493817"


@pytest.mark.parametrize("status", ["accepted", "rejected", "malformed"])
def test_what_was_typed_or_told_is_nowhere_in_memory(built: None, status: str) -> None:
    word = "secret=" + bytes(byte ^ 0x55 for byte in SECRET).hex()
    told = "info " + SECRET.decode()
    with short_folder() as folder:
        plain = Login(folder, MODULE, APP_PLAIN)
        with FakeBroker(
            plain.socket, says(prompt("C ", "off", "s", told)), says(message(status, told))
        ) as broker:
            ended = plain("user=alice", word)
    assert broker.requests[1].fields["answer"] == SECRET.decode()
    assert ended.of("copies") == [("copies", "0")] and ended.result == PAM[STATUSES[status][2]]
