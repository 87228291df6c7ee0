# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a login is answered: who needs a code, what is asked, what the verdict means for the user.

Nothing is kept between two questions of a login: what has to come back is in the reply's `stage`.
"""

import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from understudy import qr
from understudy.broker.messages import MAX_REPLY, PROMPT, Question, pack
from understudy.cli.text import code as shown_code
from understudy.client import Fields, entropy, new_id
from understudy.configuration import Configuration, Login
from understudy.deadline import Deadline
from understudy.statuses import explain
from understudy_device.errors import (
    BadRequest,
    Disabled,
    Expired,
    MalformedCode,
    Pending,
    Rejected,
    Replayed,
    Throttled,
    UnderstudyError,
    UnknownUser,
)

CODE = "code"
ENROL = "enrol"
_MARGIN = 0.9  # of what the client waits; the reply has to get there, too
_ENROL_TEXT = "First code: "
_LOST = "The answer with the new secret was lost."

# Asks the device: key of the waiting line, command, fields, request id, deadline.
Ask = Callable[[str, str, Fields, str, Deadline], Awaitable[Fields]]
GroupsOf = Callable[[str], Collection[str]]


@dataclass(frozen=True)
class Reply:
    """A word, the fields, and for the log the verdict (the word, or what a further prompt is for)."""

    word: str
    fields: tuple[tuple[str, str], ...] = ()
    verdict: str = ""

    def packed(self) -> bytes:
        """As it goes out. What the device or a name puts into a text can't break it."""
        data = pack(self.word, [(name, _line(value)) for name, value in self.fields])
        if len(data) > MAX_REPLY:
            raise UnderstudyError("The reply is too long.")
        return data


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:250]  # of at most 4 bytes each


def refusal(error: UnderstudyError) -> Reply:
    """The end, and why, for the user to see."""
    fields = [("error", explain(error))]
    seconds = error.fields.get("seconds")
    if isinstance(seconds, int):
        fields.append(("seconds", str(seconds)))
    return Reply(error.status, tuple(fields), error.status)


def answer_to(error: Exception) -> Reply:
    """The refusal for whatever came up."""
    return refusal(error if isinstance(error, UnderstudyError) else UnderstudyError())


NOT_REQUIRED = Reply("not-required", (), "not-required")


class Desk:
    """Answers one question at a time, for as many at once as come."""

    def __init__(self, ask: Ask, groups_of: GroupsOf) -> None:
        """`groups_of` may block; it is called where the caller of `login` runs it (see `covered`)."""
        self._ask = ask
        self._groups_of = groups_of

    def covers(self, question: Question, configuration: Configuration) -> bool:
        """Whether this login needs a code. May block on the system's name service."""
        settings = configuration.for_service(question.service)
        return settings.mfa and configuration.is_covered(question.user, self._groups_of)

    async def login(self, question: Question, settings: Login, is_root: bool, uid: int) -> Reply:
        """The reply to a login that needs a code."""
        asked = _Asked(self._ask, question, settings, uid)
        if question.stage is None:
            return await _begin(asked, question.may_enrol and is_root and settings.enrol)
        if question.stage == CODE:
            await asked("verify", {"user": question.user, "code": question.answer})
            return Reply("accepted", (), "accepted")
        if question.stage == ENROL and is_root and settings.enrol:
            return await _confirm(asked)
        raise BadRequest("stage: not one of this version")

    async def account(self, question: Question, settings: Login, uid: int) -> Reply:
        """Whether the user may log in at all, code or not."""
        asked = _Asked(self._ask, question, settings, uid)
        state = (await asked("user_state", {"user": question.user}))["state"]
        if state == "disabled":
            raise Disabled()
        if state == "expired":
            raise Expired()
        return Reply("accepted", (), state)


class _Asked:
    """The device, asked for one question: each command under an id of its own that a repeated question gets
    again."""

    def __init__(self, ask: Ask, question: Question, settings: Login, uid: int) -> None:
        self.question = question
        self.settings = settings
        self._ask = ask
        self._uid = uid
        self._deadline = Deadline(min(settings.deadline, question.within * _MARGIN))

    def __call__(self, command: str, fields: Fields, number: str | None = None) -> Awaitable[Fields]:
        user = self.question.user
        return self._ask(user, command, fields, number or self._number(command), self._deadline)

    def _number(self, command: str) -> str:
        # With the uid: what one user was told, another can't have told again.
        name = f"{self._uid} {self.question.id} {command}"
        return hashlib.sha256(name.encode()).hexdigest()[:16]


async def _begin(asked: _Asked, may_enrol: bool) -> Reply:
    user, settings = asked.question.user, asked.settings
    # Not under an id that is kept: the state is to be fresh.
    found = await asked("user_state", {"user": user}, new_id())
    state = found["state"]
    if state == "unknown":
        if settings.nullok:
            return NOT_REQUIRED
        raise UnknownUser(f"{user} has no authenticator on the device; ask an admin.")
    if state == "disabled":
        raise Disabled()
    if state == "expired":
        raise Expired()
    if not found["usable"]:
        if state == "pending" and may_enrol:
            return await _enrol(asked)
        if settings.nullok:
            return NOT_REQUIRED
        raise Pending()
    if found["wait"]:
        raise Throttled(seconds=found["wait"])
    return _prompt(settings.text, settings, CODE)


def _prompt(text: str, settings: Login, stage: str, *before: tuple[str, str]) -> Reply:
    echo = "on" if settings.echo else "off"
    return Reply(PROMPT, (*before, ("prompt", text), ("echo", echo), ("stage", stage)), f"asked-{stage}")


async def _enrol(asked: _Asked) -> Reply:
    fields = {"user": asked.question.user, "issuer": asked.settings.issuer}
    reply = await asked("enrol", {**fields, "entropy": _mixed(asked)})
    if reply["uri"] is None:  # told already, to somebody who did not get it: another one
        reply = await asked("enrol", {**fields, "entropy": entropy()}, new_id())
    if reply["uri"] is None:
        raise UnderstudyError(_LOST)
    return _prompt(
        _ENROL_TEXT,
        asked.settings,
        ENROL,
        ("info", "Scan this with an authenticator app, then type the first code it shows."),
        *(("info", line) for line in qr.terminal_text(str(reply["uri"]), colour=False).split("\n")),
    )


def _mixed(asked: _Asked) -> str:
    """Bytes for the device's pool that are the same when the question is asked again, and nobody else's."""
    return hashlib.sha256(b"entropy " + asked.question.id.encode()).hexdigest()


async def _confirm(asked: _Asked) -> Reply:
    question = asked.question
    fields = {"user": question.user, "code": question.answer, "entropy": _mixed(asked)}
    try:
        reply = await asked("enrol_confirm", fields)
    except (Rejected, Replayed, MalformedCode) as error:
        text = ("error", f"{explain(error)} Is the phone's time right?")
        return _prompt(_ENROL_TEXT, asked.settings, ENROL, text)
    return Reply("accepted", tuple(_recovery(reply.get("codes"))), "enrolled")


def _recovery(codes: Any) -> list[tuple[str, str]]:
    if not codes:
        return [("info", "You are enrolled. The recovery codes got lost: ask an admin for new ones.")]
    lines = ["You are enrolled. Recovery codes, each for one login without the phone; keep them:"]
    shown = [shown_code(one) for one in codes]
    lines += ["  ".join(shown[at : at + 2]) for at in range(0, len(shown), 2)]
    return [("info", line) for line in lines]
