# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""How the device is: status."""

from typing import Any

import typer

from understudy.cli import text
from understudy.cli.connect import UNLOCKED, client, running_broker
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, warn
from understudy.statuses import explain
from understudy_device.errors import UnderstudyError


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(app, "status", examples=("understudy status", "understudy status --json"))(status)


def status(options: Options) -> Answer:
    """Show the device's state, clock, users and flash, and how the broker is, when one runs.

    Like every command it unseals the device, if it has just been powered up.
    """
    broker = running_broker()
    try:
        with client(options) as device:
            fields = device.request("status")
    except UnderstudyError as error:
        if broker is None:
            raise
        raise type(error)(f"{explain(error)}\n{text.pairs(_broker(broker))}", broker=broker) from error
    del fields["status"]
    if not fields["locked"]:
        warn(UNLOCKED)
    if broker is None:
        return Answer(fields, text.pairs(_lines(fields)))
    return Answer({**fields, "broker": broker}, text.pairs(_lines(fields) + _broker(broker)))


def _broker(found: dict[str, Any]) -> list[tuple[str, str]]:
    if found["connected"]:
        state = f"has the device {found['device']} at {found['port']}"
    else:
        state = f"has no device ({found['status']}): {found['message']}"
    mfa = "asks for codes" if found["mfa"] else "asks nobody: mfa is off"
    lines = [("broker", f"{state}; {mfa}"), ("broker up for", text.duration(found["uptime"]))]
    upstream = found.get("upstream")
    if upstream is not None:
        lines.append(("2FA server", _upstream(upstream, found["mode"])))
    if found.get("bypass"):
        lines.append(("local bypass", f"on for {text.duration(found['bypass'])} more"))
    return lines


def _upstream(found: dict[str, Any], mode: str) -> str:
    answered = found["answered"]
    last = "has not answered yet" if answered is None else f"answered {text.duration(answered)} ago"
    reason = f" ({found['reason']})" if found["reason"] else ""
    return f"{found['name']}, {mode}: {found['state']}{reason}, {last}"


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
