# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the device's display shows: screen."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.connect import client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, note
from understudy.picture import Screen, drawn, png, rows, terminal_text
from understudy.usage import WrongUsage
from understudy_device.errors import WrongVersion
from understudy_device.screens import SECRET, is_known

PngFile = Annotated[Path | None, typer.Option("--png", metavar="FILE", help="Write the picture to FILE.")]


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(
        app,
        "screen",
        examples=("understudy screen", "understudy screen --png screen.png", "understudy screen --json"),
    )(screen)


def screen(options: Options, png_file: PngFile = None) -> Answer:
    """Show what is on the device's display.

    Pairing digits and QR codes are for whoever stands in front of it, and do not appear here.
    """
    with client(options) as device:
        fields = device.request("screen")
    del fields["status"]
    shown = (str(fields["screen"]), tuple(fields["values"]))
    pixels = _pixels(shown)
    if not fields["display"]:
        note("The device has no display; this is what one would show.")
    if shown[0] in SECRET:
        note("What is secret is on the device only.")
    if png_file is None:
        return Answer(fields, terminal_text(pixels))
    try:
        png_file.write_bytes(png(rows(pixels)))
    except OSError as error:
        raise WrongUsage(f"{png_file} can't be written: {error.strerror}") from error
    return Answer({**fields, "png": str(png_file)}, f"Wrote {png_file}.")


def _pixels(screen: Screen) -> bytes:
    try:
        if is_known(screen):
            return drawn(screen)
    except (TypeError, IndexError, AttributeError):  # values of other kinds than ours
        pass
    raise WrongVersion(f"The device shows a screen ({screen[0]}) that this host tool is too old for.")
