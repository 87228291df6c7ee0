# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A device without hardware: simulate."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.options import Options, command
from understudy.cli.output import Answer, Output, note
from understudy.network_file import are_servers
from understudy.simulate import BOARDS, INTERPRETERS, Plan, run


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(
        app,
        "simulate",
        examples=(
            "understudy simulate --board linux",
            "understudy simulate --board rpi_pico --link /tmp/understudy",
            "understudy simulate --board linux --state /tmp/device --clock unset",
        ),
    )(simulate)


def simulate(
    options: Options,
    board: Annotated[str, typer.Option(metavar="BOARD", help=f"{' or '.join(BOARDS)}.")] = "linux",
    interpreter: Annotated[
        str, typer.Option(metavar="NAME", help="For linux: cpython or micropython.")
    ] = "cpython",
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the simulated flash lives on.")
    ] = None,
    link: Annotated[Path | None, typer.Option(metavar="PATH", help="A fixed name for the port.")] = None,
    clock: Annotated[
        str,
        typer.Option(
            metavar="CLOCK", help="For linux: host, unset, ntp:SERVER,SERVER,SERVER, or Unix seconds."
        ),
    ] = "host",
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="For rpi_pico: another image.")] = None,
    free: Annotated[
        bool, typer.Option("--free", metavar="", help="For rpi_pico: do not follow the wall clock.")
    ] = False,
    display: Annotated[
        bool,
        typer.Option("--display/--no-display", metavar="", help="For rpi_pico: with an OLED, or without."),
    ] = True,
    screen: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For linux: a file as the display's pixels.")
    ] = None,
) -> Answer:
    """Run a simulated device until Ctrl-C.

    The first line on stdout is its port; its screen appears on stderr.
    """
    if board not in BOARDS:
        raise typer.BadParameter(f"--board: one of {', '.join(BOARDS)}")
    if interpreter not in INTERPRETERS:
        raise typer.BadParameter(f"--interpreter: one of {', '.join(INTERPRETERS)}")
    is_time = clock.isascii() and clock.isdigit()
    is_ntp = clock.startswith("ntp:") and are_servers(clock[4:].split(","))
    if clock not in ("host", "unset") and not is_ntp and not is_time:
        raise typer.BadParameter("--clock: host, unset, ntp:SERVER[:PORT],.., or Unix seconds")
    if board == "linux" and (image is not None or free or not display):
        raise typer.BadParameter("--image, --free and --no-display are for --board rpi_pico")
    if board != "linux" and (clock != "host" or interpreter != "cpython" or screen is not None):
        raise typer.BadParameter("--clock, --interpreter and --screen are for --board linux")
    plan = Plan(board, interpreter, state, link, clock, image, free, display, screen)

    def ready(port: str) -> None:
        # Now and not by the return: the port is of use while this runs.
        Output(options.json).answer(Answer({"port": port}, port))
        note(f"Simulating {board}; stop it with Ctrl-C.")

    try:
        run(plan, ready)
    except (FileExistsError, NotADirectoryError, FileNotFoundError, PermissionError) as error:
        raise typer.BadParameter(f"--state or --link: {error}") from error
    return Answer(printed=True)
