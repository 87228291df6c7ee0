# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""user add: a secret is made on the device, shown once, and taken into use by a first code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy import qr
from understudy.cli import prompts
from understudy.cli.connect import client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, colours_wanted, draw, note, say_result
from understudy.cli.settings import Algorithm, Digits, Interval, Window, algorithm_name
from understudy.cli.verify import ask_verdict
from understudy.client import Client, entropy
from understudy.secret_input import MAX_TEXT, parse_base32
from understudy.statuses import explain
from understudy.usage import WrongUsage
from understudy_device.errors import (
    ClockUnset,
    MalformedCode,
    Rejected,
    Replayed,
    UnderstudyError,
)
from understudy_device.protocol import CLOCK_UNSET

_TRIES = 3
_STDIN = "-"
_NO_CODE = f"No right code in {_TRIES} tries. Is the phone's time right? And the device's (understudy clock)?"

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user, as at login.")]
Label = Annotated[
    str | None, typer.Option(metavar="TEXT", help="The account's name in the authenticator. By default NAME.")
]
Issuer = Annotated[
    str | None, typer.Option(metavar="TEXT", help="The issuer's name there. By default Understudy.")
]
ImportSecret = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Take a base32 secret from FILE; - asks for it, or reads a line of stdin."
    ),
]
QrFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the QR code to FILE (.png or .svg).")
]
ShowUri = Annotated[
    bool, typer.Option("--show-uri", metavar="", help="Print the otpauth URI, which holds the secret.")
]
NoConfirm = Annotated[
    bool, typer.Option("--no-confirm", metavar="", help="Take it into use without a first code.")
]


def register(group: typer.Typer) -> None:
    """Add this module's command to the `user` group."""
    command(
        group,
        "add",
        examples=(
            "understudy user add alice",
            "understudy user add alice --qr-file alice.png",
            "understudy user add bob --import-secret secret.txt --no-confirm",
            "understudy user add carol --show-uri --digits 8",
        ),
    )(add)


@dataclass(frozen=True)
class _Showing:
    """How the new secret gets to its user."""

    qr_file: Path | None
    uri: bool
    terminal: bool


def add(
    options: Options,
    name: Name,
    digits: Digits = None,
    interval: Interval = None,
    window: Window = None,
    algorithm: Algorithm = None,
    label: Label = None,
    issuer: Issuer = None,
    import_secret: ImportSecret = None,
    qr_file: QrFile = None,
    show_uri: ShowUri = False,
    no_confirm: NoConfirm = False,
) -> Answer:
    """Add a user.

    Scan the QR code with an authenticator app, then type the first code that it shows."""
    showing = _Showing(qr_file, show_uri, terminal=qr_file is None and not show_uri and import_secret is None)
    wanted = {
        "user": name,
        "label": label,
        "issuer": issuer,
        "digits": digits,
        "interval": interval,
        "window": window,
        "algorithm": algorithm_name(algorithm),
        "confirmed": no_confirm or None,
        "entropy": entropy(),
    }
    Client.check("user_add", wanted)
    _check(options, showing, no_confirm)
    secret = None if import_secret is None else _read_secret(import_secret)
    with client(options) as device:
        if not no_confirm and device.request("clock_show")["state"] == CLOCK_UNSET:
            raise ClockUnset(
                "No first code can be checked before the clock is set: understudy clock set --from-host"
            )
        reply = device.request("user_add", secret=secret, **wanted)
        with _removed_unless_done(device, name):
            uri = _show(reply["uri"], showing, options.json)
            if not no_confirm:
                _confirm(device, name)
    fields: dict[str, Any] = {"user": name, "confirmed": True}
    if show_uri:
        fields["uri"] = uri
    return Answer(fields, f"Added {name}.")


def _check(options: Options, showing: _Showing, no_confirm: bool) -> None:
    """All that can be wrong with the way of showing is found before a secret is made."""
    if showing.qr_file is not None:
        qr.check_file(showing.qr_file)
    if showing.terminal and not sys.stderr.isatty():
        raise typer.BadParameter("no terminal to show the QR code on; give --qr-file FILE or --show-uri")
    if options.json and showing.uri and showing.qr_file is None and not no_confirm:
        raise typer.BadParameter(
            "--json prints the URI last, too late for a first code; add --no-confirm or --qr-file"
        )


def _read_secret(source: str) -> str:
    if source == _STDIN:
        try:
            return parse_base32(prompts.hidden_line("Secret (base32): ")).hex()
        except EOFError:
            raise WrongUsage("No secret was typed.") from None
    try:
        with open(source, encoding="ascii", errors="replace") as file:
            return parse_base32(file.read(MAX_TEXT)).hex()
    except OSError as error:
        raise WrongUsage(f"{source} can't be read: {error.strerror}") from error


def _show(uri: str | None, showing: _Showing, as_json: bool) -> str:
    if uri is None:
        raise UnderstudyError(
            "The answer with the new secret was lost, and it is told only once; add the user again."
        )
    if showing.qr_file is not None:
        qr.write_file(uri, showing.qr_file)
        note(f"Scan {showing.qr_file} with the authenticator, then delete it: it holds the secret.")
    if showing.uri and not as_json:
        say_result(uri)
    if showing.terminal:
        note("Scan this with the authenticator:")
        picture = qr.terminal_text(uri, colours_wanted())
        draw(picture)
        if picture.count("\n") >= qr.TERMINAL_ROWS:
            note("If it does not fit your window, stop with Ctrl-C and use --qr-file.")
    return uri


def _confirm(device: Client, name: str) -> None:
    for left in reversed(range(_TRIES)):
        typed = prompts.code("First code: ")
        try:
            ask_verdict(device, "user_confirm", name, typed)
            return
        except (Rejected, Replayed, MalformedCode) as error:
            if left == 0:
                raise type(error)(_NO_CODE) from None
            note(f"{explain(error)} {left} more {'tries' if left > 1 else 'try'}.")


@contextmanager
def _removed_unless_done(device: Client, name: str) -> Iterator[None]:
    """Take the new user away again when the rest goes wrong, by Ctrl-C too: the secret may be unseen."""
    try:
        yield
    except BaseException:
        try:
            device.request("user_remove", user=name)
            note(f"The user {name} was not kept.")
        except UnderstudyError:
            note(f"The user {name} may still be there; remove it with `understudy user remove {name}`.")
        raise
