# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a login is answered: who needs a code, what is asked, what the verdict means for the user.

Nothing of a login is kept between its questions: what has to come back is in the reply's `stage`.
"""

import asyncio
import time
from collections.abc import Callable, Collection

from understudy.broker import enrolment
from understudy.broker.asked import Ask, Asked, Reply, accepted, not_required, prompt
from understudy.broker.journal import ALERT, Journal
from understudy.broker.judge import CHALLENGED, TOO_SILENT, Judge
from understudy.broker.memory import Grace, LocalBypass
from understudy.broker.messages import Question
from understudy.broker.outbox import Outbox
from understudy.broker.policy import DEVICE_ONLY, UPSTREAM_FIRST
from understudy.client import Fields, new_id
from understudy.configuration import Configuration, Service
from understudy.terminals import is_of_the_machine
from understudy_device.errors import (
    BadRequest,
    ClockUnset,
    Disabled,
    Expired,
    Pending,
    Throttled,
    UnderstudyError,
    UnknownUser,
    Unreachable,
)

CODE = "code"
_NEVER_GRACE = ("sshd",)

GroupsOf = Callable[[str], Collection[str]]


class Desk:
    """Answers one question at a time, for as many at once as come."""

    def __init__(self, ask: Ask, groups_of: GroupsOf, judge: Judge, outbox: Outbox, journal: Journal) -> None:
        """`groups_of` may block: it is called in a thread."""
        self._ask = ask
        self._groups_of = groups_of
        self._judge = judge
        self._outbox = outbox
        self._journal = journal
        self._grace = Grace(time.monotonic)
        self.bypass = LocalBypass(time.monotonic)

    def tell_of_bypass(self) -> None:
        """Have it in the device's audit log that the local bypass was used."""
        self._outbox.report("local-bypass", "root", int(time.time()))

    async def covers(self, question: Question, configuration: Configuration) -> bool:
        """Whether this login needs a code."""
        if not configuration.for_service(question.service).mfa:
            return False
        cover = configuration.cover
        if not (cover.groups or cover.except_groups):
            return configuration.is_covered(question.user, self._groups_of)
        # In a thread: the name service may ask a server.
        return await asyncio.to_thread(configuration.is_covered, question.user, self._groups_of)

    async def login(self, question: Question, settings: Service, uid: int) -> Reply:
        """The reply to a login that needs a code."""
        asked = Asked(self._ask, question, settings, uid)
        stage = question.stage
        if stage is None:
            return await self._begin(asked)
        if stage == CODE or stage.startswith(CHALLENGED + " "):
            reply = await self._judge.judge(asked)
            # What others than root say of the terminal and the service is only their word.
            if reply.word == "accepted" and reply.by != "emergency" and asked.is_root:
                self._grant(question)
            return reply
        if stage == enrolment.ENROL and self._may_enrol(asked):
            return await enrolment.confirm(asked)
        raise BadRequest("stage: not one of this version")

    async def account(self, question: Question, settings: Service, uid: int) -> Reply:
        """Whether the user may log in at all, code or not."""
        asked = Asked(self._ask, question, settings, uid)
        is_bypassed = self._is_bypassed(asked)
        try:
            state = (await asked("user_state", {"user": question.user}, new_id()))["state"]
        except UnderstudyError:
            if is_bypassed:
                return not_required("local-bypass")
            if self._judge.upstream is not None or question.user in self._judge.configuration.emergency.users:
                return not_required("unknown")  # the device is not the only one who decides
            raise
        if state == "clock-unset" and is_bypassed:
            return not_required("local-bypass")
        _refuse(state)
        return accepted("device", verdict=state)

    async def _begin(self, asked: Asked) -> Reply:
        question = asked.question
        if self._is_bypassed(asked):
            self._journal.write(ALERT, "local-bypass", user=question.user, tty=question.tty)
            self._outbox.report("local-bypass", question.user, int(time.time()))
            return not_required("local-bypass")
        place = (question.user, question.service, question.tty)
        if asked.is_root and question.service not in _NEVER_GRACE and self._grace.use(*place):
            return not_required("grace")
        asks_server = self._judge.may_ask_server(asked)
        if asks_server and self._judge.mode(asked) == UPSTREAM_FIRST:
            return self._prompt(asked)
        try:
            # Not under an id that is kept: the state is to be fresh.
            found = await asked("user_state", {"user": question.user}, new_id())
        except UnderstudyError as error:
            return self._prompt(asked) if asks_server else self._judge.undecided(error, asked)
        return await self._by_state(asked, found, asks_server)

    async def _by_state(self, asked: Asked, found: Fields, asks_server: bool) -> Reply:
        state, settings = found["state"], asked.settings
        _refuse(state)
        if state != "unknown" and found["usable"]:
            if found["wait"]:
                raise Throttled(seconds=found["wait"])
            return self._prompt(asked)
        if state == "pending" and self._may_enrol(asked):
            if not self._judge.is_too_silent(asked):
                return await enrolment.begin(asked)
            if not asks_server:
                raise Unreachable(TOO_SILENT)
        if asks_server:
            return self._prompt(asked)  # the server may know who it is
        if settings.nullok and self._judge.mode(asked) == DEVICE_ONLY:
            return not_required("nullok")
        if state == "unknown":
            raise UnknownUser(f"{asked.question.user} has no authenticator on the device; ask an admin.")
        raise Pending()

    @staticmethod
    def _prompt(asked: Asked) -> Reply:
        return prompt(asked.settings.text, asked.settings.echo, CODE)

    @staticmethod
    def _may_enrol(asked: Asked) -> bool:
        # Others than root can't vouch for a first factor.
        return asked.question.may_enrol and asked.is_root and asked.settings.enrol

    def _grant(self, question: Question) -> None:
        grace = self._judge.configuration.grace
        if question.service not in _NEVER_GRACE and not question.rhost:
            self._grace.grant(question.user, question.service, question.tty, grace.unlocks, grace.seconds)

    def _is_bypassed(self, asked: Asked) -> bool:
        question = asked.question
        is_local = not question.rhost and is_of_the_machine(question.tty)
        return self.bypass.left > 0 and asked.is_root and is_local


def _refuse(state: str) -> None:
    """Raise what a user's state says, whatever is typed."""
    if state == "disabled":
        raise Disabled()
    if state == "expired":
        raise Expired()
    if state == "clock-unset":
        raise ClockUnset("The clock is not set, and this user may log in at certain dates only.")
