# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The users of a device: user list, show, remove (user add is in `enrol`)."""

from typing import Annotated, Any

import typer

from understudy.cli import enrol, prompts, text
from understudy.cli.connect import client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user.")]


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="The users whose codes the device can judge.", no_args_is_help=True)
    enrol.register(group)
    command(group, "list", examples=("understudy user list", "understudy user list --json"))(list_users)
    command(group, "show", examples=("understudy user show alice",))(show)
    command(group, "remove", examples=("understudy user remove alice",))(remove)
    app.add_typer(group, name="user")


def list_users(options: Options) -> Answer:
    """List all users."""
    with client(options) as device:
        users = list(device.users())
    rows = [(one["user"], one["kind"], text.yes_no(one["confirmed"])) for one in users]
    return Answer({"users": users}, text.table(("USER", "KIND", "CONFIRMED"), rows))


def show(options: Options, name: Name) -> Answer:
    """Show a user's settings."""
    with client(options) as device:
        fields = device.request("user_show", user=name)
    del fields["status"]
    return Answer(fields, text.pairs(_lines(fields)))


def _lines(fields: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("user", fields["user"]),
        ("account", f"{fields['issuer']}: {fields['label']}"),
        ("code", f"{fields['digits']} digits each {fields['interval']} s, {fields['algorithm']}"),
        ("window", text.window(fields["window"])),
        ("confirmed", text.yes_no(fields["confirmed"])),
        ("last used", text.moment(fields["last_used"])),
    ]


def remove(
    options: Options,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")] = False,
) -> Answer:
    """Remove a user and the secret from the device."""
    if not prompts.sure(f"Remove the user {name}?", yes):
        raise typer.Abort()
    with client(options) as device:
        device.request("user_remove", user=name)
    return Answer({"user": name}, f"Removed {name}.")
