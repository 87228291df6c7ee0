# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Whether the audit log holds together: audit verify."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy import audit
from understudy.audit import Point, Record, Trail
from understudy.audit_state import forget_point, load_point, save_point
from understudy.cli.connect import client
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, progress
from understudy.usage import WrongUsage
from understudy_device.errors import AuditBroken
from understudy_device.events import Event

File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Look at what `audit --count 0 --json` has written."),
]
Forget = Annotated[
    bool,
    typer.Option(
        "--forget", metavar="", help="Forget what was verified before, and trust what is there now."
    ),
]


def register(group: typer.Typer) -> None:
    """Add this module's command to the `audit` group."""
    command(
        group,
        "verify",
        examples=("understudy audit verify", "understudy audit verify --file audit.json"),
    )(verify)


def verify(options: Options, file: File = None, forget: Forget = False) -> Answer:
    """Prove that no event of the audit log was changed, dropped or put elsewhere.

    The newest event is remembered on this host, so that the next time shows whether the log was rolled back.
    A file is compared with that, too; the names in it are not part of the proof, the numbers are.
    """
    if file is not None:
        if forget:
            raise typer.BadParameter("--forget is not for --file")
        return _verify_file(file)
    with client(options) as device:
        name = device.connection.hello.device
        if forget:
            forget_point(name)
        known = load_point(name)
        with progress("Reading the audit log") as tick:
            trail = audit.read(device.audit_page, 0, tick)
    point = audit.verify(trail, known)
    if point is not None:
        save_point(name, point)
    return _answer(name, trail, known)


def _verify_file(file: Path) -> Answer:
    name, trail = _load(file)
    known = load_point(name)
    if known is not None and known.number >= trail.next:
        known = None  # the file is older than what was seen since
    audit.verify(trail, known)
    return _answer(name, trail, known)


def _answer(name: str, trail: Trail, known: Point | None) -> Answer:
    held = known is not None and audit.in_range(known, trail)
    fields = {
        "device": name,
        "first": trail.first,
        "next": trail.next,
        "head": trail.head.hex(),
        "events": len(trail.records),
        "known": None if known is None else known.number,
        "known_held": held,
    }
    words = f"The audit log holds together: {_range(trail)}."
    if held and known is not None:
        words += f" It still holds event {known.number}, the newest that was verified here before."
    elif known is not None:
        words += f" Event {known.number}, verified here before, is no longer kept."
    return Answer(fields, words)


def _range(trail: Trail) -> str:
    if not trail.records:
        return "no events"
    return f"events {trail.first} to {trail.next - 1}"


def _load(file: Path) -> tuple[str, Trail]:
    """The device's id and the log in a file. AuditBroken when it can't be told, WrongUsage when it can't be
    read."""
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise WrongUsage(f"{file} can't be read: {error.strerror}") from error
    except ValueError:
        raise WrongUsage(f"{file} is not what `understudy audit --count 0 --json` writes.") from None
    try:
        name = str(document["device"])
        if not re.fullmatch("[0-9a-f]{16}", name):
            raise ValueError("device")
        records = [_record(one) for one in document["events"]]
        trail = Trail(
            _number(document["first"]), _number(document["next"]), audit.hash_of(document["head"]), records
        )
    except (KeyError, TypeError, ValueError):
        raise AuditBroken(
            f"{file} is not whole, or not what `understudy audit --count 0 --json` writes."
        ) from None
    return name, trail


def _record(one: dict[str, Any]) -> Record:
    number, data = _number(one["number"]), bytes.fromhex(one["data"])
    before, after = (None if one[key] is None else audit.hash_of(one[key]) for key in ("before", "after"))
    event = Event.unpack(data)
    if (one["event"], one["time"] or 0) != (event.name, event.time):
        audit.broken(audit.CHANGED, number, f"The event {number} does not say what its bytes say: changed.")
    return Record(number, data, before, after)


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("number")
    return value
