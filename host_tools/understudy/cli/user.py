# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The users of a device: user list, show, enable, disable, dates, reset, remove.

The other verbs are where their kind is: add in `enrol`, resync in `verify`, recovery and bypass in `codes`.
"""

from typing import Annotated, Any

import typer

from understudy.cli import codes, enrol, prompts, text, times, verify
from understudy.cli.connect import client
from understudy.cli.options import Options, Yes, command
from understudy.cli.output import Answer
from understudy.client import Client

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user.")]
Group = Annotated[str | None, typer.Option("--group", metavar="GROUP", help="Its members only.")]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="The first day or moment of logins, or none."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="The last day or moment of logins, or none."),
]

_CREDENTIALS = ("CREDENTIAL", "KIND", "STATE")


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="The users whose codes the device can judge.", no_args_is_help=True)
    enrol.register(group)
    command(group, "list", examples=("understudy user list", "understudy user list --group staff --json"))(
        list_users
    )
    command(group, "show", examples=("understudy user show alice",))(show)
    command(group, "enable", examples=("understudy user enable alice",))(enable)
    command(group, "disable", examples=("understudy user disable alice",))(disable)
    command(
        group,
        "dates",
        examples=(
            "understudy user dates alice --until 2026-12-31",
            "understudy user dates alice --from 2026-05-04T09:00+02:00 --until none",
        ),
    )(dates)
    verify.register_resync(group)
    codes.register(group)
    command(group, "reset", examples=("understudy user reset alice",))(reset)
    command(group, "remove", examples=("understudy user remove alice",))(remove)
    app.add_typer(group, name="user")


def list_users(options: Options, group: Group = None) -> Answer:
    """List all users."""
    with client(options) as device:
        return users_answer(list(device.users(group)))


def users_answer(users: list[dict[str, Any]], **fields: Any) -> Answer:
    """Users as `user_list` gives them, as a table."""
    rows = [(one["user"], one["state"], str(one["credentials"])) for one in users]
    return Answer({**fields, "users": users}, text.table(("USER", "STATE", "CREDENTIALS"), rows))


def show(options: Options, name: Name) -> Answer:
    """Show a user with the credentials."""
    with client(options) as device:
        return _shown(device, name)


def _shown(device: Client, name: str) -> Answer:
    fields = device.request("user_show", user=name)
    del fields["status"]
    listed = credentials_table(fields["credentials"])
    return Answer(fields, text.pairs(_lines(fields)) + (f"\n\n{listed}" if fields["credentials"] else ""))


def credentials_table(credentials: list[dict[str, str]]) -> str:
    """The credentials of a user as a table."""
    rows = [(one["credential"], one["kind"], one["state"]) for one in credentials]
    return text.table(_CREDENTIALS, rows)


def _lines(fields: dict[str, Any]) -> list[tuple[str, str]]:
    wait = f", has to wait {text.duration(fields['wait'])}" if fields["wait"] else ""
    return [
        ("user", fields["user"]),
        ("state", fields["state"]),
        ("valid from", text.moment(fields["valid_from"]) if fields["valid_from"] else "none"),
        ("valid until", text.until(fields["valid_until"])),
        ("groups", ", ".join(fields["groups"]) or "none"),
        ("wrong codes", f"{fields['failures']} in a row{wait}"),
    ]


def enable(options: Options, name: Name) -> Answer:
    """Let a user log in again."""
    return _set_enabled(options, name, True)


def disable(options: Options, name: Name) -> Answer:
    """Refuse a user's codes until `user enable`; the credentials stay."""
    return _set_enabled(options, name, False)


def _set_enabled(options: Options, name: str, enabled: bool) -> Answer:
    with client(options) as device:
        device.request("user_set", user=name, enabled=enabled)
    return Answer({"user": name, "enabled": enabled}, f"{'Enabled' if enabled else 'Disabled'} {name}.")


def dates(options: Options, name: Name, from_: From = None, until: Until = None) -> Answer:
    """Set from when and until when a user may log in.

    Dates and times are UTC unless they have an offset; --until a date means the end of that day.
    """
    if from_ is None and until is None:
        raise typer.BadParameter("nothing to set; give --from DATE or --until DATE")
    first, last = times.bound(from_), times.bound(until, last=True)
    if first and last and first >= last:
        raise typer.BadParameter("--until ends before --from begins")
    with client(options) as device:
        device.request("user_set", user=name, valid_from=first, valid_until=last)
        return _shown(device, name)


def reset(options: Options, name: Name, yes: Yes = False) -> Answer:
    """Take all credentials from a user, who then enrols anew at the next login, or with `user add`.

    Groups and dates stay.
    """
    prompts.make_sure(f"Reset the user {name}? All credentials are removed.", yes)
    with client(options) as device:
        device.request("user_reset", user=name)
    said = f"Reset {name}, who enrols anew at the next login, or with `understudy user add {name}`."
    return Answer({"user": name}, said)


def remove(options: Options, name: Name, yes: Yes = False) -> Answer:
    """Remove a user and the secrets from the device."""
    prompts.make_sure(f"Remove the user {name}?", yes)
    with client(options) as device:
        device.request("user_remove", user=name)
    return Answer({"user": name}, f"Removed {name}.")
