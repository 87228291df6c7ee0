# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Has a code judged by network servers, device and policy, in turn; no code is good at two of them."""

import base64
import time
from collections.abc import Callable

from understudy.broker.asked import Asked, Reply, accepted, prompt
from understudy.broker.journal import ALERT, NOTICE, Journal
from understudy.broker.memory import Accepted
from understudy.broker.outbox import Outbox
from understudy.broker.policy import (
    ACCEPTED,
    CHALLENGE,
    DEVICE,
    DEVICE_FIRST,
    DEVICE_ONLY,
    NOBODY,
    ORDER,
    SERVER,
    Outcome,
    deciding,
    is_emergency,
)
from understudy.client import new_id
from understudy.configuration import Configuration
from understudy.statuses import error_for
from understudy.upstream import Login, Says, unreachable
from understudy.upstream.health import Watched
from understudy_device.errors import BadRequest, Replayed, UnderstudyError, UnknownUser, Unreachable
from understudy_device.protocol import MADE_DIGITS

CHALLENGED = "challenge"  # the stage of a server's own prompt; its state follows
_BURN_SHARE = 0.5  # of the time that is left: a device that hangs must not keep out whom the server let in
_SERVER_SHARE = 0.6  # of the time that is left: the device needs some, too
_SAID_SECONDS = 120.0  # that a server's word is kept for the same question
_MOST_STATE = 512  # bytes
_GONE = "The 2FA server can't be reached any more; log in again."
TOO_SILENT = "The 2FA server has not answered for too long; the device may not decide alone."
_INFO_EMERGENCY = "Emergency login: neither the 2FA server nor the device could be asked. It is logged."


class Judge:
    """Judges what was typed; `upstream` and `configuration` may be replaced at any time."""

    def __init__(
        self,
        configuration: Configuration,
        upstream: Watched | None,
        outbox: Outbox,
        clock: Callable[[], float],
        journal: Journal,
        is_there: Callable[[], bool] = lambda: False,
    ) -> None:
        """`clock`: monotonic seconds; `is_there`: whether the device is open now."""
        self.configuration = configuration
        self.upstream = upstream
        self._outbox = outbox
        self._clock = clock
        self._journal = journal
        self._accepted = Accepted(clock)
        self._said: dict[str, tuple[float, Says]] = {}
        self._start = clock()
        self._is_there = is_there

    def mode(self, asked: Asked) -> str:
        """Who is asked in which order."""
        return asked.settings.mode if self.upstream is not None else DEVICE_ONLY

    def may_ask_server(self, asked: Asked) -> bool:
        """Whether a server would be asked now."""
        return self.upstream is not None and self.mode(asked) != DEVICE_ONLY and not self.upstream.is_down

    async def judge(self, asked: Asked) -> Reply:
        """The reply to a typed code. Raises the error of a refusal."""
        question = asked.question
        if self._accepted.is_used(question.user, str(question.answer), question.id):
            raise Replayed()
        heard: dict[str, UnderstudyError | Says] = {}
        # An answer to a server's own question is for the server alone.
        steps = deciding((SERVER,) if _is_challenged(asked) else ORDER[self.mode(asked)])
        source = next(steps)
        while True:
            word = await self._word(source, asked, heard)
            try:
                source = steps.send(word)
            except StopIteration as end:
                return self._reply(end.value, asked, heard)

    def undecided(self, error: UnderstudyError, asked: Asked) -> Reply:
        """When `error` is all that anybody can say: the emergency accounts' way in, or the error."""
        # A device that is only busy is there: whoever asks a lot must not make an emergency.
        silent = error.status == "timeout" and not self._is_there()
        if not self._is_named(asked) or not (silent or is_emergency(Outcome(error.status, NOBODY))):
            raise error
        self._tell_of_emergency(asked, error.status)
        return accepted("emergency", ("info", _INFO_EMERGENCY), verdict="emergency")

    def _is_named(self, asked: Asked) -> bool:
        return asked.is_root and asked.question.user in self.configuration.emergency.users

    def _tell_of_emergency(self, asked: Asked, reason: str) -> None:
        question = asked.question
        self._journal.write(
            ALERT,
            "emergency",
            user=question.user,
            service=question.service,
            tty=question.tty,
            rhost=question.rhost,
            reason=reason,
        )
        self._outbox.report("emergency", question.user, int(time.time()))

    def _reply(self, outcome: Outcome, asked: Asked, heard: dict[str, UnderstudyError | Says]) -> Reply:
        said = heard.get(outcome.by)
        if outcome.word == ACCEPTED:
            return accepted(outcome.by)
        if outcome.word == CHALLENGE and isinstance(said, Says):
            stage = f"{CHALLENGED} {base64.urlsafe_b64encode(said.state or b'').decode()}"
            return prompt(said.text or asked.settings.text, asked.settings.echo, stage)
        error = said if isinstance(said, UnderstudyError) else error_for(outcome.word)
        if outcome.by == NOBODY and _is_challenged(asked):
            raise Unreachable(_GONE)
        if outcome.by == NOBODY:
            known = heard.get(DEVICE, heard.get(SERVER))
            error = known if isinstance(known, UnderstudyError) else error
            return self.undecided(error, asked)
        error.fields["by"] = outcome.by
        raise error

    async def _word(self, source: str, asked: Asked, heard: dict[str, UnderstudyError | Says]) -> str:
        try:
            if source == SERVER:
                said = await self._server(asked)
                heard[SERVER] = said
                return said.word
            await self._device(asked)
            return ACCEPTED
        except UnderstudyError as error:
            heard[source] = error
            return error.status

    async def _device(self, asked: Asked) -> None:
        """Returns when the device accepts."""
        question = asked.question
        is_too_silent = self.is_too_silent(asked)
        if is_too_silent or self.mode(asked) == DEVICE_FIRST:
            # First of all whether it is there: without it, it is an emergency.
            found = await asked("user_state", {"user": question.user}, new_id())
            if is_too_silent and not (self._is_named(asked) and _is_made(str(question.answer))):
                raise Unreachable(TOO_SILENT)
            if found["state"] == "unknown":
                raise UnknownUser()  # whom the server may know: no guess is to be counted
        await asked("verify", {"user": question.user, "code": question.answer})
        if not self._accepted.take(question.user, str(question.answer), question.id):
            raise Replayed()
        if is_too_silent:
            self._tell_of_emergency(asked, "max-silence")

    def is_too_silent(self, asked: Asked) -> bool:
        """Whether the server has not answered for so long that the device may not decide alone."""
        most = self.configuration.upstream.max_silence
        if not most or self.upstream is None or self.mode(asked) == DEVICE_ONLY:
            return False
        silent = self.upstream.silent_for
        return (self._clock() - self._start if silent is None else silent) > most

    async def _server(self, asked: Asked) -> Says:
        question = asked.question
        number = asked.number(f"server {question.user}\n{question.stage}\n{question.answer}")
        if self.upstream is None:
            raise unreachable("down")
        self._said = {key: one for key, one in self._said.items() if self._clock() - one[0] < _SAID_SECONDS}
        if number in self._said:  # the same question: it has used the code up, and its reply got lost
            return self._said[number][1]
        login = Login(
            question.user, str(question.answer), question.service, question.rhost, _state(question.stage)
        )
        seconds = min(self.configuration.upstream.patience, asked.deadline.left * _SERVER_SHARE)
        try:
            says = await self.upstream.check(login, seconds)
        except Unreachable as error:
            self._journal.write(NOTICE, "unreachable", user=question.user, reason=error.message)
            raise
        if says.word == ACCEPTED:
            await self._burn(asked)
        self._said[number] = (self._clock(), says)
        return says

    async def _burn(self, asked: Asked) -> None:
        """Let the device know that the code was used. Replayed, when it knew that already."""
        question = asked.question
        user, code = question.user, str(question.answer)
        if not self._accepted.take(user, code, question.id):
            raise Replayed()
        soon = asked.deadline.within(asked.deadline.left * _BURN_SHARE)
        try:
            reply = await asked("burn", {"user": user, "code": code}, deadline=soon)
        except UnderstudyError:
            self._outbox.burn(user, code)
            return
        if reply["used"]:
            raise Replayed()


def _is_made(answer: str) -> bool:
    """Whether it has as many digits as a recovery code."""
    return bool(sum(one.isdecimal() for one in answer) == MADE_DIGITS)


def _is_challenged(asked: Asked) -> bool:
    return asked.question.stage is not None and asked.question.stage.startswith(CHALLENGED)


def _state(stage: str | None) -> bytes | None:
    """The server's own state, out of a stage that a prompt has brought back. BadRequest."""
    if stage is None or not stage.startswith(CHALLENGED):
        return None
    try:
        state = base64.b64decode(stage[len(CHALLENGED) + 1 :], altchars=b"-_", validate=True)
    except ValueError:
        raise BadRequest("stage: not one of this version") from None
    if len(state) > _MOST_STATE:
        raise BadRequest("stage: too long")
    return state
