# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Codes that the device makes, for who has lost the phone: user recovery, user bypass."""

from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.cli import prompts, text, times
from understudy.cli.connect import client
from understudy.cli.options import Options, Yes, command
from understudy.cli.output import Answer, note
from understudy.client import Client, entropy
from understudy.files import check_target, write_target
from understudy.made_codes import shown
from understudy_device.errors import UnderstudyError
from understudy_device.protocol import RECOVERY

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user.")]


def register(group: typer.Typer) -> None:
    """Add this module's commands to the `user` group."""
    command(
        group,
        "recovery",
        examples=(
            "understudy user recovery alice",
            "understudy user recovery alice --file alice-recovery.txt --yes",
        ),
    )(recovery)
    command(
        group,
        "bypass",
        examples=("understudy user bypass alice --for 15m", "understudy user bypass alice --for 2h --json"),
    )(bypass)


def recovery(
    options: Options,
    name: Name,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Write them to FILE and not to the screen.")
    ] = None,
    yes: Yes = False,
) -> Answer:
    """Make ten recovery codes, each good for one login, and show them once.

    Earlier ones that are left no longer work then.
    """
    if file is not None:
        check_target(file)
    with client(options) as device:
        left = _left(device, name)
        if left:
            prompts.make_sure(
                f"{name} has {left} recovery codes left, which will not work any more. Go on?", yes
            )
        made = make_recovery(device, name)
    fields: dict[str, Any] = {"user": name}
    if file is not None:
        write_target(file, ("\n".join(made) + "\n").encode())
        return Answer(
            {**fields, "file": str(file)}, f"Wrote {len(made)} recovery codes for {name} to {file}."
        )
    if not options.json:
        announce_recovery(name)
    return Answer({**fields, "codes": made}, "\n".join(made))


def _left(device: Client, name: str) -> int:
    """How many recovery codes a user has."""
    known = device.request("user_show", user=name)["credentials"]
    if all(one["kind"] != RECOVERY for one in known):
        return 0
    return int(device.request("credential_show", user=name, credential=RECOVERY)["left"])


def make_recovery(device: Client, name: str) -> list[str]:
    """New recovery codes, as they are shown."""
    codes = device.request("recovery_make", user=name, entropy=entropy())["codes"]
    return [shown(one) for one in _told(codes)]


def announce_recovery(name: str) -> None:
    """The words above the codes."""
    note(f"Recovery codes of {name}, each for one login. They are shown this once:")


def bypass(
    options: Options,
    name: Name,
    duration: Annotated[
        str,
        typer.Option(
            "--for", metavar="DURATION", help="How long it works: 90s, 15m, 2h, 3d; a week at most."
        ),
    ],
) -> Answer:
    """Make a code that works once, for some time, without the phone; show it once."""
    seconds = times.duration(duration)
    with client(options) as device:
        reply = device.request("bypass_make", user=name, seconds=seconds, entropy=entropy())
    code = shown(_told(reply["code"]))
    if not options.json:
        note(f"Bypass code of {name}, for one login until {text.moment(reply['until'])}. It is shown once:")
    return Answer({"user": name, "code": code, "until": reply["until"]}, code)


def _told(secret: Any) -> Any:
    if secret is None:
        raise UnderstudyError("The answer was lost, and it is told only once; run the command again.")
    return secret
