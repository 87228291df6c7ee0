# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Groups of users: group add, remove, list, show. A group is there while it has a member."""

from collections import Counter
from typing import Annotated

import typer

from understudy.cli import text
from understudy.cli.connect import client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, note, progress
from understudy.cli.user import users_answer
from understudy_device.errors import NotFound, UnderstudyError

Group = Annotated[str, typer.Argument(metavar="GROUP", help="The group.")]
Users = Annotated[list[str], typer.Argument(metavar="USER...", help="The users.")]


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="Groups of users.", no_args_is_help=True)
    command(group, "list", examples=("understudy group list",))(list_groups)
    command(group, "show", examples=("understudy group show staff",))(show)
    command(group, "add", examples=("understudy group add staff alice bob",))(add)
    command(group, "remove", examples=("understudy group remove staff bob",))(remove)
    app.add_typer(group, name="group")


def list_groups(options: Options) -> Answer:
    """List all groups with the number of their members.

    Every user is looked at, which takes a while on a device with many.
    """
    members: Counter[str] = Counter()
    with client(options) as device:
        users = list(device.users())
        with progress("Looking at the users") as tick:
            for done, one in enumerate(users, 1):
                members.update(device.request("user_show", user=one["user"])["groups"])
                tick(done, len(users))
    found = [{"group": name, "members": count} for name, count in sorted(members.items())]
    rows = [(name, str(count)) for name, count in sorted(members.items())]
    return Answer({"groups": found}, text.table(("GROUP", "MEMBERS"), rows))


def show(options: Options, group: Group) -> Answer:
    """List the members of a group."""
    with client(options) as device:
        members = list(device.users(group))
    if not members:
        raise NotFound(f"no user on this device is in a group {group}")
    return users_answer(members, group=group)


def add(options: Options, group: Group, users: Users) -> Answer:
    """Put users into a group."""
    _for_each(options, "group_add", group, users)
    return Answer({"group": group, "users": users}, f"In {group} now: {', '.join(users)}.")


def remove(options: Options, group: Group, users: Users) -> Answer:
    """Take users out of a group."""
    _for_each(options, "group_remove", group, users)
    return Answer({"group": group, "users": users}, f"No longer in {group}: {', '.join(users)}.")


def _for_each(options: Options, request: str, group: str, users: list[str]) -> None:
    done: list[str] = []
    with client(options) as device:
        for user in users:
            device.check(request, {"user": user, "group": group})
        try:
            for user in users:
                device.request(request, user=user, group=group)
                done.append(user)
        except UnderstudyError as error:
            error.fields["done"] = done
            if done and not options.json:
                note(f"Done before that: {', '.join(done)}.")
            raise
