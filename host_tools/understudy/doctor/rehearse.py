# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Rehearsals: what each user would meet at a login while something is away. Nothing is changed by them.

The decisions are the broker's own code; only its sources are pretended. Of the device nothing is asked but
`user_state`, beforehand. What is typed is taken for a right code of the user's.
"""

import asyncio
import io
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from understudy.broker.asked import Reply, refusal
from understudy.broker.enrolment import ENROL
from understudy.broker.journal import Journal
from understudy.broker.judge import Judge
from understudy.broker.login import Desk, GroupsOf
from understudy.broker.messages import ACCOUNT, LOGIN, Question
from understudy.broker.outbox import Outbox
from understudy.client import Fields
from understudy.configuration import Configuration, Service
from understudy.deadline import Deadline
from understudy.doctor.situations import CLOCK_UNSET, DEVICE_GONE, EVERYTHING_GONE, SERVER_DOWN
from understudy.upstream import Login, Says, unreachable
from understudy.upstream.health import Watched
from understudy_device.errors import (
    BadRequest,
    ClockUnset,
    Disabled,
    Expired,
    NoDevice,
    Pending,
    Throttled,
    UnderstudyError,
    UnknownUser,
)
from understudy_device.protocol import MADE_DIGITS

_NO_SERVER = (SERVER_DOWN, CLOCK_UNSET, EVERYTHING_GONE)  # with one, the clock would not matter
_NO_DEVICE = (DEVICE_GONE, EVERYTHING_GONE)

# What a user meets.
CODE = "code"
RECOVERY = "recovery-codes"
EMERGENCY = "emergency"
ENROLS = "enrols"
NO_CODE = "no-code"
REFUSED = "refused"
LET_IN = "let-in"  # the stack takes a refusal for nothing

_WITHIN = 10.0  # seconds; of a login
_LONG = 86400.0  # seconds that a server once found to be down stays so
_FIRST_CODE = 100000
_NO_URI = "otpauth://totp/Understudy:rehearsal?secret=AAAAAAAAAAAAAAAA"


@dataclass(frozen=True)
class Met:
    """What `user` meets at `service`; `by`: who decided; `message`: what is said to a user who is refused."""

    user: str
    service: str
    outcome: str
    by: str = ""
    message: str = ""
    through: str = "broker"

    @property
    def is_well(self) -> bool:
        """Whether there is a way in, and none that should not be."""
        return self.outcome not in (REFUSED, LET_IN)


@dataclass(frozen=True)
class Scene:
    """What a rehearsal needs to know.

    `state_of`: the device's `user_state`, which raises its errors; `is_late`: the 2FA server was silent for
    longer than max_silence allows.
    """

    situation: str
    configuration: Configuration
    state_of: Callable[[str], Mapping[str, Any]]
    groups_of: GroupsOf
    is_late: bool = False

    @property
    def later(self) -> "Scene | None":
        """The same once max_silence has passed; None where that makes no difference."""
        upstream = self.configuration.upstream
        differs = self.situation in _NO_SERVER and self.situation not in _NO_DEVICE
        if upstream.kind is None or not upstream.max_silence or not differs:
            return None
        return replace(self, is_late=True)


class _Server:
    """A 2FA server that takes every code, or is away."""

    name = "rehearsal"

    def __init__(self, is_there: bool) -> None:
        self._is_there = is_there

    async def check(self, login: Login, seconds: float) -> Says:
        if not self._is_there:
            raise unreachable("timeout")
        return Says("accepted")

    async def close(self) -> None:
        pass


class _NoOutbox(Outbox):
    """Nothing is reported, as nothing has happened."""

    def __init__(self) -> None:
        pass

    def report(self, event: str, user: str, time: int) -> None:
        pass

    def burn(self, user: str, code: str) -> None:
        pass

    def __len__(self) -> int:
        return 0

    async def flush(self) -> None:
        pass


class RehearsalDesk(Desk):
    """The broker's desk over pretended sources; `seen` has its replies, in order."""

    def __init__(self, scene: Scene) -> None:
        self.seen: list[Reply] = []
        self._scene = scene
        configuration, journal = scene.configuration, Journal(io.StringIO(), levels=False)
        upstream = None
        if configuration.upstream.kind is not None:
            upstream = _known(_Server(scene.situation not in _NO_SERVER))
        ahead = 0.0
        judge = Judge(configuration, upstream, _NoOutbox(), lambda: time.monotonic() + ahead, journal)
        if scene.is_late:
            ahead = configuration.upstream.max_silence + 1
        super().__init__(self._pretended, scene.groups_of, judge, _NoOutbox(), journal)
        self._next_code = _FIRST_CODE

    @property
    def configuration(self) -> Configuration:
        """What holds at these logins."""
        return self._scene.configuration

    @property
    def groups_of(self) -> GroupsOf:
        """The groups that a user is in."""
        return self._scene.groups_of

    def new_code(self, recovery: bool) -> str:
        """Something to type that was not typed before: a phone's code, or a recovery code."""
        self._next_code += 1
        return str(self._next_code).zfill(MADE_DIGITS) if recovery else str(self._next_code)

    async def login(self, question: Question, settings: Service, uid: int) -> Reply:
        """As the broker's, and kept."""
        try:
            reply = await super().login(question, settings, uid)
        except UnderstudyError as error:
            self.seen.append(refusal(error, str(error.fields.get("by", ""))))
            raise
        self.seen.append(reply)
        return reply

    async def _pretended(
        self, _key: str, command: str, fields: Fields, _number: str, _deadline: Deadline
    ) -> Fields:
        """In the place of the device."""
        if self._scene.situation in _NO_DEVICE:
            raise NoDevice()
        if command == "user_state":
            return dict(self._scene.state_of(str(fields["user"])))
        if command == "verify":
            self._verify(str(fields["user"]), str(fields["code"]))
            return {}
        if command in ("enrol", "enrol_confirm"):
            return {"uri": _NO_URI, "credential": "phone", "codes": []}
        if command in ("burn", "report"):
            return {"used": False}
        raise BadRequest()

    def _verify(self, user: str, code: str) -> None:
        state = self._scene.state_of(user)
        errors = {
            "unknown": UnknownUser,
            "disabled": Disabled,
            "expired": Expired,
            "clock-unset": ClockUnset,
        }
        if state["state"] in errors:
            raise errors[state["state"]]()
        if not state["usable"]:
            raise Pending()
        if state["wait"]:
            raise Throttled(seconds=state["wait"])
        if self._scene.situation == CLOCK_UNSET and len(code) < MADE_DIGITS:
            raise ClockUnset()


def _known(server: _Server) -> Watched:
    """A server of which the broker knows already how it is."""
    watched = Watched(server, _LONG, time.monotonic, lambda state, reason: None)
    with suppress(UnderstudyError):
        asyncio.run(watched.check(Login("", "", ""), _WITHIN))
    return watched


def outcome_of(seen: Sequence[Reply], user: str, service: str) -> Met:
    """What the replies to one login come to."""
    if not seen:
        return Met(user, service, NO_CODE)  # this service or user is not covered
    last = seen[-1]
    if last.word == "accepted":
        return Met(user, service, EMERGENCY if last.by == EMERGENCY else CODE, last.by)
    if last.word == "not-required":
        return Met(user, service, NO_CODE, last.verdict)
    if last.word == "prompt" and ("stage", ENROL) in last.fields:
        return Met(user, service, ENROLS, "device")
    told = " ".join(value for name, value in last.fields if name == "error")
    return Met(user, service, REFUSED, last.by, told)


Try = Callable[[str, str, bool], Met]  # user, service, whether a recovery code is typed


def rehearse(
    situation: str, users: Collection[str], services: Collection[str], attempt: Try, is_late: bool = False
) -> list[Met]:
    """What each of `users` meets at each of `services`; `is_late`: as in Scene."""
    met = []
    for user in users:
        for service in services:
            one = attempt(user, service, False)
            if one.outcome == REFUSED and (situation == CLOCK_UNSET or is_late):
                second = attempt(user, service, True)
                if second.outcome == CODE:
                    one = replace(second, outcome=RECOVERY, message=one.message)
            met.append(one)
    return met


def through_broker(desk: RehearsalDesk, may_enrol: Callable[[str], bool]) -> Try:
    """Logins by the broker's code, without PAM; `may_enrol(service)`: whether its stack says `enrol`."""

    def attempt(user: str, service: str, recovery: bool) -> Met:
        desk.seen.clear()
        asyncio.run(_login(desk, user, service, may_enrol(service), desk.new_code(recovery)))
        return outcome_of(desk.seen, user, service)

    return attempt


async def _login(desk: RehearsalDesk, user: str, service: str, may_enrol: bool, code: str) -> None:
    question = Question(LOGIN, secrets.token_hex(16), user, service, _WITHIN, may_enrol=may_enrol)
    configuration = desk.configuration
    if not await desk.covers(question, configuration):
        return
    settings = configuration.for_service(service)
    try:
        reply = await desk.login(question, settings, 0)
        stage = dict(reply.fields).get("stage")
        if reply.word == "prompt" and stage != ENROL:
            answer = replace(question, id=secrets.token_hex(16), stage=stage, answer=code)
            reply = await desk.login(answer, settings, 0)
        if reply.word == "accepted":
            await desk.account(replace(question, word=ACCOUNT), settings, 0)
    except UnderstudyError as error:
        if desk.seen and desk.seen[-1].word == "accepted":  # it is the account that is refused
            desk.seen.append(refusal(error))
