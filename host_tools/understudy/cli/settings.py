# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's settings: settings show, settings set."""

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
WidestWindow = Annotated[
    int | None,
    typer.Option(
        help="Steps to which the error of the device's clock may widen it: 0 to 10.", metavar="STEPS"
    ),
]
Algorithm = Annotated[str | None, typer.Option(help=f"{', '.join(ALGORITHMS)}.", metavar="NAME")]

LookAhead = Annotated[
    int | None, typer.Option(help="HOTP codes taken beyond the next one: 0 to 50.", metavar="N")
]
Attempts = Annotated[
    int | None,
    typer.Option(help="Wrong codes in a row before a user has to wait: 1 to 20.", metavar="N"),
]
Delay = Annotated[
    int | None, typer.Option(help="The first wait, doubled by each further wrong code.", metavar="SECONDS")
]
MaxDelay = Annotated[int | None, typer.Option(help="The longest wait, up to a day.", metavar="SECONDS")]
DeviceAttempts = Annotated[
    int | None,
    typer.Option(help="Wrong codes of all users together before all have to wait: 5 to 1000.", metavar="N"),
]

Presence = Annotated[
    bool | None,
    typer.Option(
        "--presence/--no-presence",
        metavar="",
        help="Whether the device's button has to confirm a factory reset.",
    ),
]

EnrolAtLogin = Annotated[
    bool | None,
    typer.Option(
        "--enrol-at-login/--no-enrol-at-login",
        metavar="",
        help="Whether a user who was invited or reset may enrol at a login.",
    ),
]

_TEXTS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "interval": ("interval", text.duration),
    "window": ("window", text.window),
    "widest_window": ("widest window", text.window),
    "look_ahead": ("look ahead", lambda codes: f"{codes} codes"),
    "attempts": ("attempts", lambda count: f"{count} wrong codes"),
    "delay": ("delay", text.duration),
    "max_delay": ("longest delay", text.duration),
    "device_attempts": ("attempts on device", lambda count: f"{count} wrong codes"),
    "presence": ("button confirms", lambda on: "a factory reset" if on else "nothing"),
    "enrol_at_login": ("enrol at login", lambda on: "users who are invited or reset" if on else "nobody"),
}


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="The device's settings.")
    callback(group, examples=("understudy settings", "understudy settings set --digits 8"))(settings)
    command(group, "show", examples=("understudy settings show --json",))(show)
    command(
        group,
        "set",
        examples=(
            "understudy settings set --window 2",
            "understudy settings set --digits 8 --interval 60",
            "understudy settings set --attempts 3 --delay 60 --max-delay 86400",
        ),
    )(change)
    app.add_typer(group, name="settings")


def algorithm_name(typed: str | None) -> str | None:
    """As the protocol spells it; people write sha-256."""
    return typed.upper().replace("-", "") if typed else None


def settings(options: Options) -> Answer:
    """Show or change the device's settings."""
    return show(options)


def show(options: Options) -> Answer:
    """Show the settings."""
    with client(options) as device:
        return _answer(device.request("settings_show"))


def change(
    options: Options,
    digits: Digits = None,
    interval: Interval = None,
    window: Window = None,
    algorithm: Algorithm = None,
    widest_window: WidestWindow = None,
    look_ahead: LookAhead = None,
    attempts: Attempts = None,
    delay: Delay = None,
    max_delay: MaxDelay = None,
    device_attempts: DeviceAttempts = None,
    presence: Presence = None,
    enrol_at_login: EnrolAtLogin = None,
) -> Answer:
    """Change settings.

    Digits, interval and algorithm are those of new credentials. The window counts for all that have none of
    their own; the rest counts for all. A device whose clock may be off by a step or more takes as many steps
    more, up to the widest window.
    """
    chosen = {
        "digits": digits,
        "interval": interval,
        "window": window,
        "algorithm": algorithm_name(algorithm),
        "widest_window": widest_window,
        "look_ahead": look_ahead,
        "attempts": attempts,
        "delay": delay,
        "max_delay": max_delay,
        "device_attempts": device_attempts,
        "presence": presence,
        "enrol_at_login": enrol_at_login,
    }
    if all(value is None for value in chosen.values()):
        raise typer.BadParameter("nothing to set; give at least one setting")
    with client(options) as device:
        return _answer(device.request("settings_set", **chosen))


def _answer(reply: dict[str, int | str]) -> Answer:
    fields = {name: reply[name] for name in DEFAULTS if name in reply}  # an older device has fewer
    return Answer(fields, text.pairs(_line(name, value) for name, value in fields.items()))


def _line(name: str, value: int | str) -> tuple[str, str]:
    title, spelled = _TEXTS.get(name, (name, str))
    return title, spelled(value)
