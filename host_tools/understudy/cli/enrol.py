# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""user add: a secret is made on the device, shown once, and taken into use by a first code.

A user that is there already gets a further credential. With --at-login, nothing is made yet: the user's next
login asks for it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy import qr
from understudy.cli import codes, prompts
from understudy.cli.connect import client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, colours_wanted, draw, note, say_result, warn
from understudy.cli.settings import Algorithm, Digits, Interval, Window, algorithm_name
from understudy.cli.verify import ask_verdict
from understudy.client import Client, Fields, entropy
from understudy.secret_input import MAX_TEXT, parse_secret
from understudy.statuses import explain
from understudy.usage import WrongUsage
from understudy_device.errors import (
    ClockUnset,
    MalformedCode,
    NotFound,
    Rejected,
    Replayed,
    UnderstudyError,
)
from understudy_device.protocol import CLOCK_UNSET, HOTP, TOTP

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
        metavar="FILE",
        help="Take a base32 secret or an otpauth URI from FILE; - asks for it, or reads a line of stdin.",
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
Credential = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What to call it among the user's credentials. By default phone."),
]
Kind = Annotated[
    str | None, typer.Option(metavar="KIND", help=f"{TOTP}, by time (the default), or {HOTP}, by counter.")
]
Counter = Annotated[
    int | None, typer.Option(metavar="N", help=f"For {HOTP}: the counter of the next code. By default 0.")
]
OnDevice = Annotated[
    bool,
    typer.Option(
        "--on-device", metavar="", help="Show the QR code on the device's display only; it never gets here."
    ),
]
Recovery = Annotated[
    bool, typer.Option("--recovery", metavar="", help="Make recovery codes, too, and show them.")
]
AtLogin = Annotated[
    bool,
    typer.Option(
        "--at-login",
        metavar="",
        help="Make no secret now: the next login shows the user one, and recovery codes.",
    ),
]


def register(group: typer.Typer) -> None:
    """Add this module's command to the `user` group."""
    command(
        group,
        "add",
        examples=(
            "understudy user add alice",
            "understudy user add alice --qr-file alice.png",
            "understudy user add alice --on-device",
            "understudy user add alice --credential tablet --recovery",
            "understudy user add bob --import-secret secret.txt --no-confirm",
            "understudy user add carol --show-uri --digits 8",
            "understudy user add dave --at-login",
        ),
    )(add)


@dataclass(frozen=True)
class _Showing:
    """How the new secret gets to its user."""

    qr_file: Path | None
    uri: bool
    terminal: bool
    on_device: bool


def add(
    options: Options,
    name: Name,
    credential: Credential = None,
    kind: Kind = None,
    counter: Counter = None,
    digits: Digits = None,
    interval: Interval = None,
    window: Window = None,
    algorithm: Algorithm = None,
    label: Label = None,
    issuer: Issuer = None,
    import_secret: ImportSecret = None,
    qr_file: QrFile = None,
    show_uri: ShowUri = False,
    on_device: OnDevice = False,
    no_confirm: NoConfirm = False,
    recovery: Recovery = False,
    at_login: AtLogin = False,
) -> Answer:
    """Add a user, or a further credential of one.

    Scan the QR code with an authenticator app, then type the first code that it shows."""
    elsewhere = qr_file is not None or show_uri or import_secret is not None
    wanted = {
        "user": name,
        "credential": credential,
        "kind": kind.lower() if kind else None,
        "counter": counter,
        "label": label,
        "issuer": issuer,
        "digits": digits,
        "interval": interval,
        "window": window,
        "algorithm": algorithm_name(algorithm),
        "confirmed": no_confirm or None,
        "on_device": on_device or None,
    }
    if at_login:
        return _invited(options, wanted, elsewhere or recovery)
    if on_device and elsewhere:
        raise typer.BadParameter("--on-device can't go with --qr-file, --show-uri or --import-secret")
    showing = _Showing(qr_file, show_uri, terminal=not elsewhere and not on_device, on_device=on_device)
    wanted = Client.check("user_add", {**wanted, "entropy": entropy()})
    _check(options, showing, no_confirm)
    if import_secret is not None:
        wanted = _merged(_read_secret(import_secret), wanted)
    with client(options) as device:
        needs_clock = not no_confirm and wanted.get("kind") != HOTP
        if needs_clock and device.request("clock_show")["state"] == CLOCK_UNSET:
            raise ClockUnset(
                "No first code can be checked before the clock is set: understudy clock set --from-host"
            )
        fields = _enrolled(device, wanted, showing, options.json)
        if recovery:
            fields["recovery_codes"] = _recovery_of(device, name)
    return _answer(fields, options.json)


def _invited(options: Options, wanted: Fields, others: bool) -> Answer:
    """Add a user who is to enrol at a login. `wanted` may have nothing but the name, `others` is False, for
    whatever else could be asked for is made at the login, as the device's settings have it."""
    fields = Client.check("user_invite", {"user": wanted["user"]})
    if others or any(value is not None for name, value in wanted.items() if name != "user"):
        raise typer.BadParameter(
            "--at-login goes with no other option: what the user gets is made at the login"
        )
    with client(options) as device:
        device.request("user_invite", **fields)
        may_enrol = device.request("settings_show")["enrol_at_login"]
    if not may_enrol:
        warn("the device lets nobody enrol at a login: understudy settings set --enrol-at-login")
    return Answer(
        {**fields, "new": True, "at_login": True}, f"Added {fields['user']}, who enrols at the next login."
    )


def _merged(imported: Fields, wanted: Fields) -> Fields:
    """What was asked for, over what came with the secret; a period is of no use to a counter."""
    kind = wanted.get("kind", imported.get("kind", TOTP))
    imported.pop("interval" if kind == HOTP else "counter", None)
    return {**imported, **wanted}


def _enrolled(device: Client, wanted: Fields, showing: _Showing, as_json: bool) -> dict[str, Any]:
    """Make the credential, show it and take it into use; the fields of the answer."""
    name = wanted["user"]
    is_new = _is_new(device, name)
    reply = device.request("user_add", **wanted)
    credential = str(reply["credential"])
    with _removed_unless_done(device, name, None if is_new else credential):
        uri = "" if showing.on_device else _show(reply["uri"], showing, as_json)
        if showing.on_device:
            note(
                "Scan the QR code on the device's display with the authenticator; it is there for 5 minutes."
            )
        if not wanted.get("confirmed"):
            _confirm(device, name, credential)
    fields = {"user": name, "credential": credential, "new": is_new, "confirmed": True}
    return {**fields, "uri": uri} if showing.uri else fields


def _is_new(device: Client, name: str) -> bool:
    try:
        device.request("user_show", user=name)
    except NotFound:
        return True
    return False


def _recovery_of(device: Client, name: str) -> list[str]:
    try:
        return codes.make_recovery(device, name)
    except UnderstudyError:
        note(f"{name} was added; the recovery codes were not made. Try: understudy user recovery {name}")
        raise


def _answer(fields: dict[str, Any], as_json: bool) -> Answer:
    name = fields["user"]
    text = f"Added {name}." if fields["new"] else f"Added {name}'s credential {fields['credential']}."
    if "recovery_codes" in fields and not as_json:
        say_result(text)
        codes.announce_recovery(name)
        text = "\n".join(fields["recovery_codes"])
    return Answer(fields, text)


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


def _read_secret(source: str) -> Fields:
    if source == _STDIN:
        try:
            return parse_secret(prompts.hidden_line("Secret (base32 or otpauth URI): "))
        except EOFError:
            raise WrongUsage("No secret was typed.") from None
    try:
        with open(source, encoding="utf-8", errors="replace") as file:
            return parse_secret(file.read(MAX_TEXT))
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


def _confirm(device: Client, name: str, credential: str) -> None:
    for left in reversed(range(_TRIES)):
        typed = prompts.code("First code: ")
        try:
            ask_verdict(device, "user_confirm", name, typed, credential)
            return
        except (Rejected, Replayed, MalformedCode) as error:
            if left == 0:
                raise type(error)(_NO_CODE) from None
            note(f"{explain(error)} {left} more {'tries' if left > 1 else 'try'}.")


@contextmanager
def _removed_unless_done(device: Client, name: str, credential: str | None) -> Iterator[None]:
    """Take the new user (or only the new `credential`) away again when the rest goes wrong.

    By Ctrl-C, too: the secret may be unseen.
    """
    if credential is None:
        what, request, words = f"user {name}", "user_remove", f"understudy user remove {name}"
    else:
        what, request = f"credential {credential} of {name}", "credential_remove"
        words = f"understudy credential remove {name} {credential}"
    try:
        yield
    except BaseException:
        try:
            device.request(request, user=name, credential=credential)
            note(f"The {what} was not kept.")
        except UnderstudyError:
            note(f"The {what} may still be there; remove it with `{words}`.")
        raise
