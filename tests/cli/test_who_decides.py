# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The table of the README, cell by cell: what a server and the device say, and what comes of it.

The device and the server are scripted here: it takes 60 combinations of what real ones are brought to in
test_server_down and test_upstreams.
"""

import asyncio
import base64
import time
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from understudy.broker.asked import Asked, prompt
from understudy.broker.journal import Journal
from understudy.broker.judge import Judge
from understudy.broker.login import Desk
from understudy.broker.messages import Question, unpack
from understudy.broker.outbox import Outbox
from understudy.broker.policy import markdown
from understudy.configuration import Configuration, Emergency, Service
from understudy.statuses import error_for
from understudy.upstream import Login, Says, unreachable
from understudy.upstream.health import Watched
from understudy_device.errors import Disabled, UnderstudyError

SERVERS = ("yes", "no", "silent", "down")
DEVICES = {
    "yes": "accepted",
    "no": "rejected",
    "throttled": "throttled",
    "clock unset": "clock-unset",
    "sealed": "sealed",
    "absent": "no-device",
}
# By hand, a letter a device. S, s: in, refused by the server; D, d, w: in, refused, has to wait by the
# device; E: emergency accounts only; r: refused, but a recovery code would do.
EXPECTED = {
    "upstream-first": {"yes": "SSSSSS", "no": "ssssss", "silent": "DdwrEE", "down": "DdwrEE"},
    "device-first": {"yes": "DdwSSS", "no": "Ddwsss", "silent": "DdwrEE", "down": "DdwrEE"},
    "device-only": dict.fromkeys(SERVERS, "DdwrEE"),
}
CELLS = [
    (mode, server, device, EXPECTED[mode][server][number])
    for mode in EXPECTED
    for server in SERVERS
    for number, device in enumerate(DEVICES)
]
TEXTS = {
    "S": "**in**, server",
    "s": "refused, server",
    "D": "**in**, device",
    "d": "refused, device",
    "w": "has to wait, device",
    "E": "nobody: emergency accounts",
    "r": "nobody: recovery codes",
}


@dataclass
class Server:
    """Says `word`; "silent" and "down" can't be reached."""

    word: str
    name: str = "scripted"
    asked: int = 0

    async def check(self, login: Login, seconds: float) -> Says:
        self.asked += 1
        if self.word in ("silent", "down"):
            raise unreachable("timeout" if self.word == "silent" else "refused")
        return Says({"yes": "accepted", "no": "rejected"}.get(self.word, self.word))

    async def close(self) -> None:
        pass


@dataclass
class Scene:
    """A server, a device, a policy, and what the device was asked."""

    folder: Path
    mode: str = "upstream-first"
    server: Server = field(default_factory=lambda: Server("yes"))
    device: str = "accepted"
    used: bool = False
    state: str = "active"
    nullok: bool = False
    uid: int = 0
    numbers: list[str] = field(default_factory=list)
    emergency: tuple[str, ...] = ()
    heard: list[str] = field(default_factory=list)
    log: StringIO = field(default_factory=StringIO)
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.configuration = Configuration(emergency=Emergency(self.emergency))
        journal = Journal(self.log, levels=False)
        self.outbox = Outbox(self.folder / "reports.json", self.ask, self.clock, journal)
        watched = Watched(self.server, 30.0, self.clock, lambda state, reason: journal.write(1, state))
        self.judge = Judge(self.configuration, watched, self.outbox, self.clock, journal)
        self.desk = Desk(self.ask, lambda _: (), self.judge, self.outbox, journal)
        self.number = 0

    def clock(self) -> float:
        return self.now

    async def ask(self, key: str, command: str, fields: Any, number: str, deadline: Any) -> Any:
        self.heard.append(command)
        self.numbers.append(number)
        if command == "burn" and self.device != "no-device":
            return {"status": "ok", "used": self.used}
        if command == "user_state" and self.device not in ("no-device", "sealed", "timeout", "busy"):
            return {"status": "ok", "state": self.state, "usable": self.state == "active", "wait": 0}
        if self.device == "accepted":
            return {"status": "accepted"}
        raise error_for(self.device, seconds=30)

    def login(
        self, code: str | None = "123456", user: str = "alice", stage: str = "code", **more: Any
    ) -> Any:
        """The reply, or the refusal."""
        self.number += 1
        fields = {"id": f"{self.number:032x}", "service": "test", "within": 20.0, **more}
        answer = {} if code is None else {"stage": stage, "answer": code}
        question = Question("login", user=user, **{**fields, **answer})
        settings = Service(mode=self.mode, nullok=self.nullok)
        try:
            return asyncio.run(self.desk.login(question, settings, self.uid))
        except UnderstudyError as error:
            return error


def letter(reply: Any) -> str:
    """What came of it, as in EXPECTED."""
    if isinstance(reply, UnderstudyError):
        by = reply.fields.get("by", "nobody")
        if by == "nobody":
            return "n"
        return "w" if reply.status == "throttled" else {"server": "s", "device": "d"}[by]
    assert reply.word == "accepted"
    return {"server": "S", "device": "D", "emergency": "E"}[reply.by]


@pytest.mark.parametrize(("mode", "server", "device", "expected"), CELLS)
def test_a_cell(tmp_path: Path, mode: str, server: str, device: str, expected: str) -> None:
    scene = Scene(tmp_path, mode, Server(server), DEVICES[device])
    assert letter(scene.login()) == {"E": "n", "r": "n"}.get(expected, expected)
    assert scene.server.asked == (mode == "upstream-first" or (mode == "device-first" and expected in "SsrE"))
    # A named emergency account: in only where nobody could judge a recovery code.
    named = Scene(tmp_path, mode, Server(server), DEVICES[device], emergency=("alice",))
    assert letter(named.login()) == {"r": "n"}.get(expected, expected)
    assert ("emergency user=alice" in named.log.getvalue()) == (expected == "E")


def test_the_table_says_so() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown().splitlines()[2:]]
    wanted = [
        [mode, server, *(TEXTS[one] for one in EXPECTED[mode][server])]
        for mode in ("upstream-first", "device-first")
        for server in SERVERS
    ]
    assert rows == [*wanted, ["device-only", "(not asked)", *(TEXTS[one] for one in "DdwrEE")]]


# No code is good at two of them.


def test_what_the_server_accepts_is_burnt_at_the_device(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert letter(scene.login()) == "S" and scene.heard == ["burn"]
    assert scene.login().status == "replayed"  # by another question, whoever would be asked
    assert scene.server.asked == 1


def test_what_the_device_accepted_the_server_may_not_accept_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("down"))
    assert letter(scene.login()) == "D"
    scene.server.word, scene.now = "yes", scene.now + 31
    assert scene.login().status == "replayed"
    # After a restart of the broker the device still knows.
    fresh = Scene(tmp_path, used=True)
    assert fresh.login().status == "replayed"


def test_a_repeated_question_gets_the_servers_word_again_and_does_not_ask_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for _ in range(3):
        assert letter(scene.login(id="ab" * 16)) == "S"
    assert scene.server.asked == 1


def test_a_code_is_burnt_later_when_the_device_is_away(tmp_path: Path) -> None:
    scene = Scene(tmp_path, device="no-device")
    assert letter(scene.login()) == "S" and len(scene.outbox) == 1
    scene.device = "accepted"
    asyncio.run(scene.outbox.flush())
    assert len(scene.outbox) == 0 and scene.heard[-1] == "burn"
    assert not (tmp_path / "reports.json").exists()  # no code is ever written down


# Health.


def test_a_server_that_is_down_is_not_asked_for_a_while(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("down"))
    for number in range(5):
        assert letter(scene.login(str(number))) == "D"
    assert scene.server.asked == 1 and scene.log.getvalue().count("down\n") == 1
    scene.now += 30
    scene.server.word = "yes"
    assert letter(scene.login("77")) == "S" and scene.log.getvalue().count("up\n") == 1


def test_a_server_silent_for_too_long_leaves_nothing_to_the_device(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("yes"))
    object.__setattr__(scene.configuration.upstream, "max_silence", 100.0)
    assert letter(scene.login("1")) == "S"
    scene.server.word, scene.now = "down", scene.now + 99
    assert letter(scene.login("2")) == "D"
    scene.now += 40
    assert scene.login("3").status == "unreachable"
    assert scene.login("01234-56789").status == "unreachable"


def test_an_emergency_account_gets_past_a_server_silent_for_too_long_by_a_recovery_code(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, server=Server("down"), emergency=("alice",))
    object.__setattr__(scene.configuration.upstream, "max_silence", 100.0)
    scene.now += 101
    assert scene.login("123456").status == "unreachable" and "verify" not in scene.heard
    assert len(scene.outbox) == 0
    assert letter(scene.login("01234-56789")) == "D"
    assert "emergency user=alice" in scene.log.getvalue() and len(scene.outbox) == 1
    scene.uid = 1000
    assert scene.login("01234-56780").status == "unreachable"
    scene.uid, scene.device = 0, "rejected"
    assert letter(scene.login("01234-56781")) == "d"
    scene.device = "no-device"
    assert letter(scene.login("123456")) == "E"


def test_nobody_enrols_while_the_server_is_silent_for_too_long(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("down"), state="pending")
    object.__setattr__(scene.configuration.upstream, "max_silence", 100.0)
    scene.login()  # it is known to be down from here on
    scene.now += 101
    scene.judge.upstream._next = scene.now + 1  # type: ignore[union-attr]
    refused = scene.login(None, may_enrol=True)
    assert refused.status == "unreachable" and "enrol" not in scene.heard


# Emergencies, grace, the local bypass.


def test_an_emergency_is_reported_to_the_device_when_it_is_back(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("down"), device="no-device", emergency=("alice",))
    assert scene.login(None).word == "prompt"  # the server might answer
    assert letter(scene.login()) == "E"
    assert letter(scene.login(None)) == "E"  # known to be down by now: no code is asked for in vain
    assert scene.login("1", user="bob").status == "no-device"
    # A restart of the broker does not lose it.
    again = Scene(tmp_path, device="accepted")
    assert len(again.outbox) == 2
    asyncio.run(again.outbox.flush())
    assert again.heard == ["report", "report"] and len(again.outbox) == 0


def test_grace(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    object.__setattr__(scene.configuration.grace, "unlocks", 2)
    place = {"tty": ":0", "service": "screen"}
    assert scene.login(None, **place).word == "prompt"
    assert letter(scene.login("1", **place)) == "S"
    words = [scene.login(None, **place).word for _ in range(3)]
    assert words == ["not-required", "not-required", "prompt"]
    assert letter(scene.login("2", **place)) == "S"
    for other in ({"tty": ":1"}, {"service": "sudo"}, {"user": "bob"}):
        assert scene.login(None, **{**place, **other}).word == "prompt"
    assert letter(scene.login("3", tty="ssh", service="sshd")) == "S"
    assert scene.login(None, tty="ssh", service="sshd").word == "prompt"
    assert letter(scene.login("4", tty="pts/1", rhost="192.0.2.1")) == "S"
    assert scene.login(None, tty="pts/1", rhost="192.0.2.1").word == "prompt"


def test_the_local_bypass_is_for_terminals_of_the_machine(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("down"), device="no-device")
    scene.desk.bypass.open(900)
    for tty in ("tty1", "/dev/tty3", "ttyS0", "/dev/console"):
        assert scene.login(None, tty=tty).word == "not-required"
    for more in (
        {"tty": "pts/0"},
        {"tty": "ssh"},
        {"tty": ""},
        {"tty": "tty1", "rhost": "192.0.2.1"},
        {"tty": ":0"},
    ):
        assert not isinstance(reply := scene.login(None, **more), UnderstudyError) or reply.status
        assert getattr(reply, "word", "") != "not-required"
    assert len(scene.outbox) == 4 and scene.log.getvalue().count("local-bypass ") == 4
    scene.desk.bypass.open(0)
    assert getattr(scene.login(None, tty="tty1"), "word", "") != "not-required"


def test_a_challenge_is_passed_on_and_its_answer_goes_to_the_server_only(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("prompt"))

    async def check(login: Login, seconds: float) -> Says:
        if login.state is None:
            return Says("prompt", "The code of the SMS: ", b"\x00state")
        assert login.state == b"\x00state"
        return Says("accepted")

    scene.server.check = check  # type: ignore[method-assign]
    asked = scene.login("pin")
    fields = dict(asked.fields)
    assert (asked.word, fields["prompt"]) == ("prompt", "The code of the SMS: ")
    assert letter(scene.login("111", stage=fields["stage"])) == "S" and scene.heard == ["burn"]
    scene.server.check = Server("down").check  # type: ignore[method-assign]
    assert scene.login("222", stage=fields["stage"]).status == "unreachable"
    assert scene.login("1", stage="challenge !").status in ("unreachable", "bad-request")
    assert scene.heard == ["burn"]


def test_the_deadline_is_the_questions(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    question = Question("login", "ab" * 16, "alice", "test", 5.0)
    asked = Asked(scene.ask, question, Service(deadline=60.0), 0)
    assert 4.0 < asked.deadline.left <= 4.5 and time.monotonic() > 0


# What nobody may make of it.


@pytest.mark.parametrize(
    "word", ["busy", "internal", "flash-failed", "bad-request", "unreachable", "throttled"]
)
def test_what_anybody_can_bring_about_is_no_emergency(tmp_path: Path, word: str) -> None:
    scene = Scene(tmp_path, server=Server("down"), device=word, emergency=("alice",))
    for code in (None, "123456", None):
        assert getattr(scene.login(code), "by", "") != "emergency"
    assert len(scene.outbox) == 0


def test_a_device_that_is_there_and_late_is_no_emergency(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("down"), device="timeout", emergency=("alice",))
    assert letter(scene.login()) == "E"  # closed by now: it is gone
    scene.judge._is_there = lambda: True
    assert scene.login("7").status == "timeout"


def test_emergency_grace_and_bypass_are_for_programs_of_root(tmp_path: Path) -> None:
    """What others say of the terminal and the service is only their word."""
    scene = Scene(tmp_path, server=Server("down"), device="no-device", emergency=("alice",), uid=1000)
    scene.desk.bypass.open(900)
    assert scene.login().status == "no-device" and scene.login(None, tty="tty1").status == "no-device"
    assert len(scene.outbox) == 0 and "emergency" not in scene.log.getvalue()
    graced = Scene(tmp_path, uid=1000)
    object.__setattr__(graced.configuration.grace, "unlocks", 2)
    assert letter(graced.login("1", tty=":0")) == "S"
    assert graced.login(None, tty=":0").word == "prompt"


def test_a_server_that_is_away_opens_nothing_to_who_is_not_enrolled_here(tmp_path: Path) -> None:
    scene = Scene(tmp_path, server=Server("down"), state="unknown", nullok=True)
    for _ in range(2):  # the second knows that the server is down
        assert getattr(scene.login(None), "word", "") != "not-required"
        scene.login("1")
    alone = Scene(tmp_path, "device-only", state="unknown", nullok=True)
    assert alone.login(None).word == "not-required"


def test_device_first_counts_no_guess_for_whom_only_the_server_knows(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "device-first", state="unknown")
    assert letter(scene.login()) == "S" and "verify" not in scene.heard


def test_a_challenge_in_device_first_is_answered_by_the_server(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "device-first")
    stage = "challenge " + base64.urlsafe_b64encode(b"s" * 253).decode()
    assert letter(scene.login("1", stage=stage)) == "S" and scene.heard == ["burn"]
    asked = prompt("More: ", False, stage)
    assert dict(unpack(asked.packed(), 16384)[1])["stage"] == stage


def test_the_same_question_with_another_answer_is_another(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert letter(scene.login("1", id="ab" * 16)) == "S"
    scene.server.word = "no"
    assert letter(scene.login("2", id="ab" * 16)) == "s"


def test_a_report_that_the_device_refused_goes_out_under_another_id(tmp_path: Path) -> None:
    scene = Scene(tmp_path, device="throttled")
    scene.outbox.report("emergency", "alice", 5)
    asyncio.run(scene.outbox.flush())
    asyncio.run(scene.outbox.flush())
    scene.device = "accepted"
    asyncio.run(scene.outbox.flush())
    assert len(scene.outbox) == 0 and len(set(scene.numbers)) == 3


def test_a_disabled_user_is_out_even_with_the_bypass_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, state="disabled")
    scene.desk.bypass.open(900)
    question = Question("account", "ab" * 16, "alice", "login", 5.0, "tty1")
    with pytest.raises(Disabled):
        asyncio.run(scene.desk.account(question, Service(), 0))
    scene.device = "no-device"
    assert asyncio.run(scene.desk.account(question, Service(), 0)).word == "not-required"
