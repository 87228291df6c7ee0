# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""One question under way, and the replies there are."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from understudy.broker.messages import MAX_REPLY, PROMPT, Question, pack
from understudy.client import Fields
from understudy.configuration import Service
from understudy.deadline import Deadline
from understudy.statuses import explain
from understudy_device.errors import UnderstudyError

_MARGIN = 0.9  # of what the client waits; the reply has to get there, too
_MOST = 250  # characters of a text, of at most 4 bytes each

# What a status means to somebody who logs in, where that is not what it means to an admin.
_TEXTS = {
    "clock-unset": "The clock is not set: use a recovery code.",
    "sealed": "The device is locked up; an admin has to look after it.",
    "pending": "You have to enrol first; ask an admin.",
}

# Asks the device: key of the waiting line, command, fields, request id, deadline.
Ask = Callable[[str, str, Fields, str, Deadline], Awaitable[Fields]]


@dataclass(frozen=True)
class Reply:
    """A word and its fields; for the log the verdict (the word, or what a prompt is for) and who gave it."""

    word: str
    fields: tuple[tuple[str, str], ...] = ()
    verdict: str = ""
    by: str = ""

    def packed(self) -> bytes:
        """As it goes out. What the device or a name puts into a text can't break it."""
        shown = [(name, value if name == "stage" else _line(value)) for name, value in self.fields]
        data = pack(self.word, shown)
        if len(data) > MAX_REPLY:
            raise UnderstudyError("The reply is too long.")
        return data


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:_MOST]


def not_required(why: str = "not-required") -> Reply:
    """No code is asked for; `why` is for the log."""
    return Reply("not-required", (), why)


def accepted(by: str, *fields: tuple[str, str], verdict: str = "accepted") -> Reply:
    """The user may come in."""
    return Reply("accepted", fields, verdict, by)


def refusal(error: UnderstudyError, by: str = "") -> Reply:
    """The end, and why, for the user to see."""
    text = explain(error) if error.message else _TEXTS.get(error.status, explain(error))
    fields = [("error", line) for line in text.split("\n")]
    seconds = error.fields.get("seconds")
    if isinstance(seconds, int):
        fields.append(("seconds", str(seconds)))
    return Reply(error.status, tuple(fields), error.status, by)


def prompt(text: str, echo: bool, stage: str, *before: tuple[str, str]) -> Reply:
    """Ask the user, after the info and error lines of `before`; `stage` comes back with the answer."""
    fields = (*before, ("prompt", text), ("echo", "on" if echo else "off"), ("stage", stage))
    return Reply(PROMPT, fields, f"asked-{stage.partition(' ')[0]}")


class Asked:
    """A question that needs a code: its settings and its deadline, and the device to ask.

    Each command to the device goes under an id of its own; the same question asked again has the same ones.
    """

    def __init__(self, ask: Ask, question: Question, settings: Service, uid: int) -> None:
        self.question = question
        self.settings = settings
        self.is_root = uid == 0
        self.deadline = Deadline(min(settings.deadline, question.within * _MARGIN))
        self._ask = ask
        self._uid = uid

    def __call__(
        self, command: str, fields: Fields, number: str | None = None, deadline: Deadline | None = None
    ) -> Awaitable[Fields]:
        """The device's reply, by the question's deadline or an earlier one. Raises its errors."""
        number = number or self.number(command)
        return self._ask(self.question.user, command, fields, number, deadline or self.deadline)

    def number(self, command: str) -> str:
        """The id of a command for this question, 16 hex digits."""
        # With the uid: what one user was told, another can't have told again.
        name = f"{self._uid} {self.question.id} {command}"
        return hashlib.sha256(name.encode()).hexdigest()[:16]
