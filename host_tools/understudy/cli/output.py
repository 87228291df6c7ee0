# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The one place that prints: results on stdout (text, or one JSON object), everything else on stderr."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

from rich.console import Console
from rich.progress import Progress

from understudy.statuses import exit_code

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, format (direction marks too), half pairs, line separators


@dataclass(frozen=True)
class Answer:
    """What a command gives back: fields for machines, text for people, a status for the exit code."""

    fields: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    status: str = "ok"
    style: str = ""
    printed: bool = False  # the command has said all there is itself


def printable(text: str) -> str:
    """`text` without anything that could steer a terminal.

    Names and messages come from a device, and may be anyone's.
    """
    return "".join("?" if unicodedata.category(char) in _UNSEEN and char != "\n" else char for char in text)


@contextmanager
def _readable() -> Iterator[None]:
    """Output that can't be written, for a full disk too, is output that nobody reads."""
    try:
        yield
    except OSError as error:
        raise BrokenPipeError(error.errno, error.strerror) from error


class Output:
    """Prints for one command; `as_json` says how."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def answer(self, answer: Answer) -> int:
        """Print a command's answer; return the exit code."""
        if answer.printed:
            return exit_code(answer.status)
        if self._as_json:
            say_json({"status": answer.status, **answer.fields})
        elif answer.text:
            with _readable():
                _say(sys.stdout, answer.text, answer.style)
        return exit_code(answer.status)

    def trouble(self, status: str, message: str, fields: dict[str, Any]) -> int:
        """Print that it went wrong; return the exit code of `status`."""
        if self._as_json:
            say_json({"status": status, "message": message, **fields})
        else:
            _say(sys.stderr, f"understudy: {message}", "bold red")
        return exit_code(status)


def say_json(fields: dict[str, Any]) -> None:
    """One JSON object on a line of stdout."""
    with _readable():
        sys.stdout.write(json.dumps(fields) + "\n")
        sys.stdout.flush()


def say_result(text: str) -> None:
    """A part of the result that a person needs before the command has ended, on stdout."""
    with _readable():
        _say(sys.stdout, text, "")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr while inside, if that is a terminal; the value is told (done, total)."""
    console = Console(file=sys.stderr)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def note(text: str, style: str = "") -> None:
    """A line for people, on stderr."""
    _say(sys.stderr, text, style)


def warn(text: str) -> None:
    """A line that people should not miss, on stderr."""
    note(f"Warning: {text}", "bold yellow")


def draw(picture: str) -> None:
    """Lines with escape sequences of our own making, on stderr."""
    sys.stderr.write(picture + "\n")
    sys.stderr.flush()


def colours_wanted() -> bool:
    """Whether stderr takes colours: a terminal, and no NO_COLOR."""
    console = Console(file=sys.stderr)
    return console.is_terminal and not console.no_color


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # `entry` knows what to do; rich would leave with 1


def _say(stream: TextIO, text: str, style: str) -> None:
    console = _Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.print(printable(text), style=style or None)
    stream.flush()
