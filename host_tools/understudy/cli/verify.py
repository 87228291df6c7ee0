# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The question all of it is about: verify."""

from typing import Annotated

import typer

from understudy.cli import prompts
from understudy.cli.connect import client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer
from understudy.client import Client, Fields
from understudy.statuses import explain, text_for
from understudy_device.errors import BadRequest, MalformedCode, UnderstudyError
from understudy_device.protocol import COMMANDS, VERDICTS


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(
        app,
        "verify",
        examples=(
            "understudy verify alice",
            "understudy verify alice 123456",
            "echo 123456 | understudy verify alice --json",
        ),
    )(verify)


def verify(
    options: Options,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user.")],
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="The code; asked for when it is left out.")
    ] = None,
) -> Answer:
    """Ask the device whether a user's code is right, now.

    The verdict is the exit code, too: see `understudy exit-codes`.
    """
    typed = code if code is not None else prompts.code(f"Code for {name}: ")
    try:
        with client(options) as device:
            reply = ask_verdict(device, "verify", name, typed)
    except UnderstudyError as error:
        if error.status not in VERDICTS:
            raise
        message = explain(error)
        fields = {"user": name, "message": message, **error.fields}
        return Answer(fields, f"{error.status}: {message}", error.status, "bold red")
    fields = {"user": name, "message": text_for("accepted"), **reply}
    del fields["status"]
    return Answer(fields, f"accepted: {text_for('accepted')}", "accepted", "bold green")


def ask_verdict(device: Client, command_name: str, name: str, code: str) -> Fields:
    """Send a typed code (`verify` or `user_confirm`).

    What can't be a code is MalformedCode before it is sent.
    """
    try:
        COMMANDS[command_name][2]["code"].check("code", code.strip())
    except BadRequest:
        raise MalformedCode() from None
    return device.request(command_name, user=name, code=code.strip())
