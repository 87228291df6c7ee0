# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The broker: serve (as a command of its own: understudyd)."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.options import Options, command
from understudy.cli.output import Answer
from understudy.configuration import usual_path

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="The configuration. Else UNDERSTUDY_CONFIG, else the usual."
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(app, "serve", examples=("understudy serve", "understudy serve --config understudy.toml"))(serve)


def serve(options: Options, config: ConfigFile = None) -> Answer:
    """Be the broker that logins ask: own the device's port and answer on a socket, until SIGTERM.

    Which device, who needs a code and all the rest is in the configuration; SIGHUP reads it again.
    """
    # Imported here: of all commands only this one needs it.
    from understudy.broker.daemon import serve as run  # noqa: PLC0415

    run(config or usual_path())
    return Answer(printed=True)
