# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The credentials of a user: credential list, show, enable, disable, remove (new ones come by `user add`)."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from understudy.cli import prompts, text
from understudy.cli.connect import client
from understudy.cli.options import Options, Yes, command
from understudy.cli.output import Answer
from understudy.cli.user import credentials_table
from understudy_device.protocol import BYPASS, HOTP, RECOVERY, TOTP

User = Annotated[str, typer.Argument(metavar="USER", help="The user.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The credential, as `credential list` shows it.")]

Lines = list[tuple[str, str]]


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="What a user can make codes with.", no_args_is_help=True)
    command(group, "list", examples=("understudy credential list alice",))(list_credentials)
    command(group, "show", examples=("understudy credential show alice phone",))(show)
    command(group, "enable", examples=("understudy credential enable alice phone",))(enable)
    command(group, "disable", examples=("understudy credential disable alice phone",))(disable)
    command(group, "remove", examples=("understudy credential remove alice tablet",))(remove)
    app.add_typer(group, name="credential")


def list_credentials(options: Options, user: User) -> Answer:
    """List a user's credentials."""
    with client(options) as device:
        found = device.request("user_show", user=user)["credentials"]
    return Answer({"user": user, "credentials": found}, credentials_table(found))


def show(options: Options, user: User, name: Name) -> Answer:
    """Show a credential's settings."""
    with client(options) as device:
        fields = device.request("credential_show", user=user, credential=name)
    del fields["status"]
    head = [(key, fields[key]) for key in ("user", "credential", "kind")]
    flags = [(key, text.yes_no(fields[key])) for key in ("enabled", "confirmed")]
    lines = _LINES.get(fields["kind"], lambda _: [])(fields)
    return Answer(fields, text.pairs([*head, *flags, *lines]))


def _totp(fields: dict[str, Any]) -> Lines:
    return [
        ("code", f"{fields['digits']} digits each {fields['interval']} s, {fields['algorithm']}"),
        ("window", text.window(fields["window"])),
        ("drift", text.drift(fields["drift"])),
        ("last used", text.moment(fields["last_used"])),
    ]


def _hotp(fields: dict[str, Any]) -> Lines:
    return [
        ("code", f"{fields['digits']} digits, {fields['algorithm']}"),
        ("counter", str(fields["counter"])),
    ]


_LINES: dict[str, Callable[[dict[str, Any]], Lines]] = {
    TOTP: _totp,
    HOTP: _hotp,
    RECOVERY: lambda fields: [("codes left", str(fields["left"]))],
    BYPASS: lambda fields: [("until", text.moment(fields["until"]))],
}


def enable(options: Options, user: User, name: Name) -> Answer:
    """Let a credential's codes count again."""
    return _set_enabled(options, user, name, True)


def disable(options: Options, user: User, name: Name) -> Answer:
    """Refuse a credential's codes until `credential enable`."""
    return _set_enabled(options, user, name, False)


def _set_enabled(options: Options, user: str, name: str, enabled: bool) -> Answer:
    with client(options) as device:
        device.request("credential_set", user=user, credential=name, enabled=enabled)
    fields = {"user": user, "credential": name, "enabled": enabled}
    return Answer(fields, f"{'Enabled' if enabled else 'Disabled'} {user}'s credential {name}.")


def remove(options: Options, user: User, name: Name, yes: Yes = False) -> Answer:
    """Remove a credential and its secret from the device."""
    prompts.make_sure(f"Remove {user}'s credential {name}?", yes)
    with client(options) as device:
        device.request("credential_remove", user=user, credential=name)
    return Answer({"user": user, "credential": name}, f"Removed {user}'s credential {name}.")
