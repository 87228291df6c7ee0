# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The way out from the console: local-bypass."""

import os
import sys
from typing import Annotated

import typer

from understudy.broker.messages import BYPASS, MAX_BYPASS
from understudy.broker_client import exchange
from understudy.cli import text, times
from understudy.cli.options import Options, command
from understudy.cli.output import Answer
from understudy.configuration import load, usual_path
from understudy.statuses import error_for
from understudy.terminals import is_of_the_machine
from understudy.usage import WrongUsage
from understudy_device.errors import Denied


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(
        app,
        "local-bypass",
        examples=("understudy local-bypass --for 15m", "understudy local-bypass --for 0s"),
    )(local_bypass)


def local_bypass(
    options: Options,
    duration: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long: 90s, 15m, a day at most; 0s ends it.")
    ],
) -> Answer:
    """Let logins at the machine itself in without a code for a while.

    For root at the console, when neither the device nor the server can help. Each such login is in the log,
    and in the device's audit log as soon as it is there again. Logins over the network are asked as ever.
    """
    seconds = 0 if duration == "0s" else times.duration(duration)
    if seconds > MAX_BYPASS:
        raise WrongUsage("--for: a day at most")
    terminal = _terminal()
    if os.geteuid() != 0 or not is_of_the_machine(terminal):
        raise Denied("Only root may do that, and only at a terminal of the machine itself (the console).")
    socket = load(usual_path()).broker.socket
    word, fields = exchange(socket, BYPASS, [("seconds", str(seconds)), ("tty", terminal)])
    if word != "ok":
        raise error_for(word, dict(fields).get("error", ""))
    said = (
        f"Logins at this machine need no code for {text.duration(seconds)}." if seconds else "It has ended."
    )
    return Answer({"seconds": seconds}, said)


def _terminal() -> str:
    try:
        return os.ttyname(sys.stdin.fileno())
    except (OSError, ValueError):
        return ""
