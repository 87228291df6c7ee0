# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's defaults: settings show, settings set."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from understudy.cli import text
from understudy.cli.connect import client
from understudy.cli.options import Options, callback, command
from understudy.cli.output import Answer
from understudy_device.protocol import ALGORITHMS, DEFAULTS, DIGITS

Digits = Annotated[
    int | None, typer.Option(help=f"Digits of a code: {', '.join(map(str, DIGITS))}.", metavar="N")
]
Interval = Annotated[int | None, typer.Option(help="Seconds a code lives: 5 to 300.", metavar="SECONDS")]
Window = Annotated[
    int | None, typer.Option(help="Steps taken on each side of the present one: 0 to 10.", metavar="STEPS")
]
Algorithm = Annotated[str | None, typer.Option(help=f"{', '.join(ALGORITHMS)}.", metavar="NAME")]

_TEXTS: dict[str, Callable[[Any], str]] = {"interval": lambda seconds: f"{seconds} s", "window": text.window}


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="The device's defaults for new users.")
    callback(group, examples=("understudy settings", "understudy settings set --digits 8"))(settings)
    command(group, "show", examples=("understudy settings show --json",))(show)
    command(
        group,
        "set",
        examples=("understudy settings set --window 2", "understudy settings set --digits 8 --interval 60"),
    )(change)
    app.add_typer(group, name="settings")


def algorithm_name(typed: str | None) -> str | None:
    """As the protocol spells it; people write sha-256."""
    return typed.upper().replace("-", "") if typed else None


def settings(options: Options) -> Answer:
    """Show or change the device's defaults for new users."""
    return show(options)


def show(options: Options) -> Answer:
    """Show the defaults."""
    with client(options) as device:
        return _answer(device.request("settings_show"))


def change(
    options: Options,
    digits: Digits = None,
    interval: Interval = None,
    window: Window = None,
    algorithm: Algorithm = None,
) -> Answer:
    """Change defaults.

    A new window also counts for users without one of their own; the rest for new users only.
    """
    chosen = {
        "digits": digits,
        "interval": interval,
        "window": window,
        "algorithm": algorithm_name(algorithm),
    }
    if all(value is None for value in chosen.values()):
        raise typer.BadParameter("nothing to set; give --digits, --interval, --window or --algorithm")
    with client(options) as device:
        return _answer(device.request("settings_set", **chosen))


def _answer(reply: dict[str, int | str]) -> Answer:
    fields = {name: reply[name] for name in DEFAULTS}
    return Answer(fields, text.pairs((name, _TEXTS.get(name, str)(value)) for name, value in fields.items()))
