# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The way in: composes the commands, and turns whatever comes up into a message and an exit code, once."""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import typer

from understudy.cli import (
    audit,
    boards,
    bypass,
    clock,
    config,
    credential,
    devices,
    doctor,
    group,
    hosts,
    reset,
    screen,
    serve,
    settings,
    setup,
    simulate,
    status,
    user,
    verify,
)
from understudy.cli.options import Options, callback
from understudy.cli.output import Answer, Output
from understudy.statuses import EXIT_INTERRUPTED, EXIT_PIPE, EXIT_USAGE, explain
from understudy_device.errors import UnderstudyError
from understudy_device.protocol import FIRMWARE, VERSION

app = typer.Typer(
    help="Two-factor codes that work when the network does not.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_MODULES = (
    simulate,
    serve,
    boards,
    devices,
    hosts,
    status,
    screen,
    verify,
    user,
    credential,
    group,
    settings,
    config,
    clock,
    audit,
    bypass,
    doctor,
    setup,
    reset,
)
for _module in _MODULES:
    _module.register(app)


@callback(app, examples=("understudy claim", "understudy user add alice", "understudy verify alice"))
def understudy(
    options: Options, version: bool = typer.Option(False, "--version", metavar="", help="Print the version.")
) -> Answer:
    """Two-factor codes that work when the network does not.

    Manages an Understudy device over its serial port, and asks it whether a code is right.
    """
    if not version:
        raise typer.BadParameter("a command is missing")
    return Answer({"version": FIRMWARE, "protocol": VERSION}, f"understudy {FIRMWARE} (protocol {VERSION})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. Nothing is raised."""
    if sys.stdout is None:  # closed by the caller, who wants the exit code only
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = words[: words.index("--")] if "--" in words else words
    output = Output("--json" in options)
    try:
        return _guarded(lambda: _run(words, output), output, "--debug" in options)
    except BrokenPipeError:
        # Python flushes stdout once more at exit; let it have something that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE


def daemon() -> int:
    """`understudyd`: the command `serve` under its own name."""
    return main(["serve", *sys.argv[1:]])


def _run(words: list[str], output: Output) -> int:
    try:
        result = typer.main.get_command(app).main(words, prog_name="understudy", standalone_mode=False)
    except SystemExit as leaving:
        if leaving.code == 1:
            raise BrokenPipeError from leaving  # what typer makes of one
        return EXIT_USAGE if leaving.code else 0
    if isinstance(result, Answer):
        return output.answer(result)
    if result == EXIT_INTERRUPTED:
        raise KeyboardInterrupt
    sys.stdout.flush()  # a help page
    return 0


def _guarded(action: Callable[[], int], output: Output, debug: bool) -> int:
    try:
        return action()
    except BrokenPipeError:
        raise
    except BaseException as error:
        if debug:
            traceback.print_exc()
        return output.trouble(*_explain(error))


def _explain(error: BaseException) -> tuple[str, str, dict[str, Any]]:
    """Status, message and further fields for whatever came up."""
    if isinstance(error, UnderstudyError):
        return error.status, explain(error), error.fields
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return "interrupted", "stopped", {}
    if isinstance(error, typer.TyperException) and error.exit_code == EXIT_USAGE:
        return "usage", _usage(error), {}
    # The type only: the text of somebody else's exception may quote what it choked on.
    return "internal", f"something went wrong inside ({type(error).__name__}); --debug shows where", {}


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "understudy"
    # BadParameter's prefix says nothing; without a verb there is no message, as help has been printed.
    message = error.format_message().removeprefix("Invalid value: ").rstrip(".") or "a command is missing"
    return f"{message}. Try `{path} --help`."
