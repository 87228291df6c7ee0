# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is wrong, and what mends it: doctor; and what everybody would meet on a bad day: doctor --rehearse."""

from typing import Annotated

import typer

from understudy.cli.options import Options, command
from understudy.cli.output import Answer
from understudy.doctor.situations import SITUATIONS
from understudy.usage import WrongUsage

Situation = Annotated[
    str | None,
    typer.Option(
        "--rehearse",
        metavar="SITUATION",
        help=f"Report what each covered user would meet at a login: {', '.join(SITUATIONS)}.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    examples = ("sudo understudy doctor", "sudo understudy doctor --rehearse server-down")
    command(app, "doctor", examples=examples)(doctor)


def doctor(options: Options, situation: Situation = None) -> Answer:
    """Look at all that a login depends on, and say what is wrong, why it matters and what mends it.

    With --rehearse whole logins are played through while something is away, or the device's clock is not set
    and the 2FA server is away; with max_silence set, also once that has passed. Nothing is changed, and no
    code is used up. The exit code is 3 when there is a problem, or when somebody would be refused. Root sees
    more than others.
    """
    if situation is not None and situation not in SITUATIONS:
        raise WrongUsage(f"--rehearse: one of {', '.join(SITUATIONS)}")
    # Imported here: of all commands only this one needs it, and with it all of the broker, which would make
    # each of them start 0.1 s later.
    from understudy.cli.diagnosis import diagnosed, rehearsed  # noqa: PLC0415

    return diagnosed(options) if situation is None else rehearsed(options, situation)
