# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's clock: clock show, clock set, clock regain."""

import time as system_time
from typing import Annotated, Any

import typer

from understudy.cli import prompts, text, times
from understudy.cli.connect import client
from understudy.cli.options import Options, callback, command
from understudy.cli.output import Answer, progress
from understudy.cli.verify import Code1, Code2, Credential, checked_code
from understudy.client import Client, Fields
from understudy_device.errors import ClockRefused, Denied
from understudy_device.protocol import MAX_TIME

_HALF = 0.5  # seconds: the device tells whole ones


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
    command(
        group,
        "regain",
        examples=(
            "understudy clock regain alice 123456 654321",
            "understudy clock regain alice --near 2026-05-04T12:00:00Z --range 2d",
        ),
    )(regain)
    app.add_typer(group, name="clock")


def clock(options: Options) -> Answer:
    """Show or set the device's clock."""
    return show(options)


def show(options: Options) -> Answer:
    """Show the time, how far the device trusts it, and how far it is from this host's."""
    with client(options) as device:
        device.open()  # first: it takes a while, and would blur the comparison
        before, started = system_time.time(), system_time.monotonic()
        reply = device.request("clock_show")
        trip = system_time.monotonic() - started
    offset = None  # as the device's time, when that is not known
    if reply["time"] is not None:
        offset = {
            "seconds": round(reply["time"] + _HALF - before - trip / 2, 1),
            "uncertainty": round(trip / 2 + _HALF, 1),
        }
    return _answer({**reply, "offset": offset}, offset)


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
    """Set the clock, by --from-host or --time.

    A verifier may do so by --from-host, within what the device holds possible; an admin freely.
    """
    if from_host == (time is not None):
        raise typer.BadParameter("give one of --from-host and --time TIME")
    named = times.instant(time) if time is not None else None
    with client(options) as device:
        device.open()  # first: it takes a while, and the time must be fresh
        return _answer(_set(device, named, back))


def _set(device: Client, named: int | None, back: bool) -> Fields:
    """Set it; by telling the host's time where this host may do no more."""
    seconds = named if named is not None else int(system_time.time())
    try:
        return device.request("clock_set", time=seconds, back=back or None)
    except ClockRefused as error:
        raise ClockRefused(
            f"{text.moment(seconds)} lies before a time that the device has seen; --back sets it anyway.",
            **error.fields,
        ) from error
    except Denied:
        if named is not None or back:
            raise
    return device.request("clock_tell", time=int(system_time.time()))


def regain(
    options: Options,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user whose codes they are.")],
    code1: Code1 = None,
    code2: Code2 = None,
    credential: Credential = None,
    span: Annotated[
        str, typer.Option("--range", metavar="DURATION", help="How much time to look through.")
    ] = "30d",
    near: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Look on either side of it, rather than after the last time the device has seen.",
        ),
    ] = None,
) -> Answer:
    """Set an unset clock by two codes in a row of an authenticator that the device knows.

    For when there is nothing else that knows the time, or nothing to be trusted. Neither code works for a
    login then. A Pico looks through a month in 45 s.
    """
    seconds = times.duration(span)
    hint = times.instant(near) if near is not None else None
    with client(options) as device:
        floor = device.request("clock_show")["floor"]
        low, high = (floor, floor + seconds) if hint is None else (hint - seconds, hint + seconds)
        fields = {
            "user": name,
            "credential": credential,
            "code1": checked_code(code1 if code1 is not None else prompts.code(f"Code for {name}: ")),
            "code2": checked_code(code2 if code2 is not None else prompts.code("The next code: ")),
            "low": max(low, floor),
            "high": min(max(high, 0), MAX_TIME),
        }
        with progress("Looking for the time") as told:
            reply = device.request("clock_regain", **fields)
            while "time" not in reply:
                told(reply["done"], reply["total"])
                reply = device.request("clock_regain", **fields)
    return _answer(reply)


def _answer(reply: dict[str, Any], offset: dict[str, float] | None = None) -> Answer:
    fields = {name: value for name, value in reply.items() if name not in ("status", "done", "total")}
    lines = [("clock", text.clock(fields))]
    if offset is not None:
        lines.append(("this host", text.offset(offset["seconds"], offset["uncertainty"])))
    lines.append(("not before", text.moment(fields.get("floor"))))
    for name, title in (("rtc", "clock chip"), ("ntp", "time servers")):
        if fields.get(name, "none") != "none":
            lines.append((title, text.source_state(fields[name])))
    return Answer(fields, text.pairs(lines))
