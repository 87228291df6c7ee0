# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The way in: composes the commands, and turns whatever comes up into a message and an exit code, once."""

import os
import sys
import traceback
from collections.abc import Callable, Sequence

import typer
from understudy_device.errors import UnderstudyError
from understudy_device.protocol import FIRMWARE, VERSION

from understudy.cli import clock, devices, hosts, settings, simulate, status, user, verify
from understudy.cli.options import Options, callback
from understudy.cli.output import Answer, Output
from understudy.statuses import EXIT_INTERRUPTED, EXIT_PIPE, EXIT_USAGE

app = typer.Typer(
    help="Two-factor codes that work when the network does not: manage an Understudy device and ask it for verdicts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module in (simulate, devices, hosts, status, verify, user, settings, clock):
    _module.register(app)


@callback(app, examples=("understudy claim", "understudy user add alice", "understudy verify alice"))
def understudy(
    options: Options, version: bool = typer.Option(False, "--version", metavar="", help="Print the version.")
) -> Answer:
    """Two-factor codes that work when the network does not: manage an Understudy device and ask it for verdicts."""
    if not version:
        raise typer.BadParameter("a command is missing")
    return Answer({"version": FIRMWARE, "protocol": VERSION}, f"understudy {FIRMWARE} (protocol {VERSION})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. Nothing is raised."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = words[: words.index("--")] if "--" in words else words
    output = Output("--json" in options)
    try:
        return _guarded(lambda: _run(words), output, "--debug" in options)
    except BrokenPipeError:
        # Python flushes stdout once more at exit; let it have something that takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE


def _run(words: list[str]) -> int:
    result = typer.main.get_command(app).main(words, prog_name="understudy", standalone_mode=False)
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _guarded(action: Callable[[], int], output: Output, debug: bool) -> int:
    try:
        code = action()
    except BrokenPipeError:
        raise
    except UnderstudyError as error:
        _trace(debug)
        return output.failure(error)
    except (KeyboardInterrupt, typer.Abort):
        code = EXIT_INTERRUPTED
    except typer.TyperException as error:
        _trace(debug)
        return (
            output.trouble("usage", _usage(error))
            if error.exit_code == EXIT_USAGE
            else output.trouble("internal", str(error))
        )
    except Exception as error:
        _trace(debug)
        # The type only: the text of somebody else's exception may quote what it choked on.
        return output.trouble(
            "internal", f"something went wrong inside ({type(error).__name__}); --debug shows where"
        )
    return output.trouble("interrupted", "stopped") if code == EXIT_INTERRUPTED else code


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "understudy"
    return f"{error.format_message().rstrip('.')}. Try `{path} --help`."


def _trace(debug: bool) -> None:
    if debug:
        traceback.print_exc()
