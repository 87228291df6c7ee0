# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The paired hosts of a device: hosts, unpair."""

from typing import Annotated

import typer

from understudy.cli import prompts, text
from understudy.cli.connect import client, known_identity
from understudy.cli.options import Options, Yes, command
from understudy.cli.output import Answer


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    command(app, "hosts", examples=("understudy hosts", "understudy hosts --json"))(hosts)
    command(app, "unpair", examples=("understudy unpair 0123456789abcdef",))(unpair)


def hosts(options: Options) -> Answer:
    """List the host keys that the device is paired with."""
    own = known_identity(options).key_id.hex()
    with client(options) as device:
        found = device.request("host_list")["hosts"]
    every = [{**one, "this": one["host"] == own} for one in found]
    rows = [(one["host"], one["role"], one["name"], "this one" if one["this"] else "") for one in every]
    return Answer({"hosts": every}, text.table(("HOST", "ROLE", "NAME", ""), rows))


def unpair(
    options: Options,
    host: Annotated[str, typer.Argument(metavar="HOST_ID", help="As `understudy hosts` shows it.")],
    yes: Yes = False,
) -> Answer:
    """Remove a host key from the device.

    That host can then neither open nor unseal it.
    """
    identity = known_identity(options)
    prompts.make_sure(f"Remove the host {host}?", yes)
    with client(options) as device:
        device.request("unpair", host=host.lower())
        if host.lower() == identity.key_id.hex():
            identity.forget(device.connection.hello.device)
    return Answer({"host": host.lower()}, f"Removed the host {host.lower()}.")
