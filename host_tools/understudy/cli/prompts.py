# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Questions to a person: on stderr and the terminal, or answered by lines of stdin."""

import getpass
import sys

from understudy.cli.output import note
from understudy.secret_input import MAX_TEXT
from understudy.usage import Declined, WrongUsage
from understudy_device.errors import MalformedCode


def at_terminal() -> bool:
    """Whether a person sits at stdin."""
    return sys.stdin.isatty()


def hidden_line(prompt: str) -> str:
    """A line that is not echoed, from the terminal, or the next line of stdin.

    EOFError when there is none.
    """
    if at_terminal():
        try:
            return getpass.getpass(prompt, stream=sys.stderr)
        except (KeyboardInterrupt, EOFError):
            note("")  # ends the prompt's line
            raise
    line = sys.stdin.readline(MAX_TEXT)
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def code(prompt: str) -> str:
    """A one-time code. MalformedCode when there is nobody to type one."""
    try:
        return hidden_line(prompt).strip()
    except EOFError:
        raise MalformedCode("No code was typed.") from None


def line(question: str, usual: str) -> str:
    """A line that may be seen; an empty one, or none, is `usual`."""
    sys.stderr.write(f"{question} [{usual}]: ")
    sys.stderr.flush()
    return sys.stdin.readline(MAX_TEXT).strip() or usual


def yes(question: str) -> bool:
    """Whether the answer is yes; no answer is none."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline(MAX_TEXT)
    if not answer.endswith("\n") or not at_terminal():
        note("")
    return answer.strip().lower() in ("y", "yes")


def make_sure(question: str, skip: bool) -> None:
    """Ask before something that can't be undone, unless `skip`.

    Declined when the answer is not yes; WrongUsage when there is nobody to ask.
    """
    if skip:
        return
    if not at_terminal():
        raise WrongUsage("Nobody is at the terminal to confirm that; give --yes.")
    if not yes(question):
        raise Declined()
