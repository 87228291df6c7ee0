# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's clock: clock show, clock set."""

import time as system_time
from typing import Annotated, Any

import typer

from understudy.cli import text, times
from understudy.cli.connect import client
from understudy.cli.options import Options, callback, command
from understudy.cli.output import Answer
from understudy_device.errors import ClockRefused


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="The device's clock.")
    callback(group, examples=("understudy clock", "understudy clock set --from-host"))(clock)
    command(group, "show", examples=("understudy clock show --json",))(show)
    command(
        group,
        "set",
        examples=(
            "understudy clock set --from-host",
            "understudy clock set --time 2026-05-04T12:00:00Z",
            "understudy clock set --time 1777896000 --back",
        ),
    )(change)
    app.add_typer(group, name="clock")


def clock(options: Options) -> Answer:
    """Show or set the device's clock."""
    return show(options)


def show(options: Options) -> Answer:
    """Show the time, and how far the device trusts it."""
    with client(options) as device:
        return _answer(device.request("clock_show"))


def change(
    options: Options,
    from_host: Annotated[
        bool, typer.Option("--from-host", metavar="", help="Take this host's time.")
    ] = False,
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="ISO 8601 with a zone, or Unix seconds.")
    ] = None,
    back: Annotated[
        bool, typer.Option("--back", metavar="", help="Even to before a time that the device has seen.")
    ] = False,
) -> Answer:
    """Set the clock, by --from-host or --time."""
    if from_host == (time is not None):
        raise typer.BadParameter("give one of --from-host and --time TIME")
    named = times.instant(time) if time is not None else None
    with client(options) as device:
        device.open()  # first: it takes a while, and the time must be fresh
        seconds = named if named is not None else round(system_time.time())
        try:
            return _answer(device.request("clock_set", time=seconds, back=back or None))
        except ClockRefused as error:
            raise ClockRefused(
                f"{text.moment(seconds)} lies before a time that the device has seen; --back sets it anyway.",
                **error.fields,
            ) from error


def _answer(reply: dict[str, Any]) -> Answer:
    fields = {name: value for name, value in reply.items() if name != "status"}
    lines = [("clock", text.clock(fields)), ("not before", text.moment(fields.get("floor")))]
    return Answer(fields, text.pairs(lines))
