# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The question all of it is about: verify. And for a code that went astray: user resync."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from understudy.cli import prompts, text
from understudy.cli.connect import client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer
from understudy.client import Client, Fields
from understudy.statuses import explain, text_for
from understudy_device.errors import BadRequest, MalformedCode, UnderstudyError
from understudy_device.protocol import COMMANDS, VERDICTS

Credential = Annotated[
    str | None,
    typer.Option("--credential", metavar="NAME", help="Which of the user's. By default the first."),
]

# Of two in a row.
Code1 = Annotated[
    str | None, typer.Argument(metavar="[CODE1]", help="A code; asked for when it is left out.")
]
Code2 = Annotated[
    str | None, typer.Argument(metavar="[CODE2]", help="The code right after it; asked for, too.")
]


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


def register_resync(group: typer.Typer) -> None:
    """Add `resync` to the `user` group."""
    command(
        group,
        "resync",
        examples=("understudy user resync alice", "understudy user resync alice 123456 654321"),
    )(resync)


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

    def ask(device: Client) -> Answer:
        reply = ask_verdict(device, "verify", name, typed)
        fields = {"user": name, "message": text_for("accepted"), **reply}
        del fields["status"]
        return Answer(fields, f"accepted: {text_for('accepted')}", "accepted", "bold green")

    return _judged(options, name, ask)


def resync(
    options: Options,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user.")],
    code1: Code1 = None,
    code2: Code2 = None,
    credential: Credential = None,
) -> Answer:
    """Find an authenticator again whose clock or counter has run away, by two codes in a row.

    Neither code works for a login then. What is wrong with them is the exit code, as for verify.
    """
    first = code1 if code1 is not None else prompts.code(f"Code for {name}: ")
    second = code2 if code2 is not None else prompts.code("The next code: ")

    def ask(device: Client) -> Answer:
        codes = {"code1": checked_code(first), "code2": checked_code(second)}
        reply = device.request("resync", user=name, credential=credential, **codes)
        fields = {"user": name, "drift": reply["drift"], "counter": reply["counter"]}
        return Answer(fields, f"Found {name}'s authenticator again: {_found(fields)}.")

    return _judged(options, name, ask)


def _found(fields: dict[str, Any]) -> str:
    if fields["drift"] is None:
        return f"the next code is that of counter {fields['counter']}"
    return text.drift(fields["drift"])


def _judged(options: Options, name: str, ask: Callable[[Client], Answer]) -> Answer:
    """What `ask` answers; a verdict other than accepted is an answer as well, on stdout."""
    try:
        with client(options) as device:
            return ask(device)
    except UnderstudyError as error:
        if error.status not in VERDICTS:
            raise
        message = explain(error)
        fields = {"user": name, "message": message, **error.fields}
        return Answer(fields, f"{error.status}: {message}", error.status, "bold red")


def checked_code(typed: str) -> str:
    """A typed code as it is sent; MalformedCode for what can't be one."""
    try:
        COMMANDS["verify"][2]["code"].check("code", typed.strip())
    except BadRequest:
        raise MalformedCode() from None
    return typed.strip()


def ask_verdict(
    device: Client, command_name: str, name: str, code: str, credential: str | None = None
) -> Fields:
    """Send a typed code (`verify` or `user_confirm`)."""
    return device.request(command_name, user=name, credential=credential, code=checked_code(code))
