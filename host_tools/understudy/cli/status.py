# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""How the device is: status."""

from typing import Any

import typer

from understudy.cli import text
from understudy.cli.connect import UNLOCKED, client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, warn


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(app, "status", examples=("understudy status", "understudy status --json"))(status)


def status(options: Options) -> Answer:
    """Show the device's state, clock, users and flash.

    Like every command it unseals the device, if it has just been powered up.
    """
    with client(options) as device:
        fields = device.request("status")
    del fields["status"]
    if not fields["locked"]:
        warn(UNLOCKED)
    return Answer(fields, text.pairs(_lines(fields)))


def _lines(fields: dict[str, Any]) -> list[tuple[str, str]]:
    users = fields["users"]
    return [
        ("device", fields["device"]),
        ("board", fields["board"]),
        ("firmware", f"{fields['firmware']} (protocol {fields['protocol']})"),
        ("state", fields["state"]),
        ("locked", text.yes_no(fields["locked"])),
        ("your role", fields["role"]),
        ("users", "unknown while sealed" if users is None else str(users)),
        ("hosts", str(fields["hosts"])),
        ("clock", text.clock(fields["clock"])),
        ("audit log", text.audit(fields["audit"])),
        ("flash", text.flash(fields["flash"])),
        ("up for", text.duration(fields["uptime"])),
    ]
