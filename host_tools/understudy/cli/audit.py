# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What has happened: audit (and audit verify, in `audit_check`)."""

import time as system_time
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

import typer

from understudy.audit import NEWEST, ROLLED_BACK, Fetch, Trail, broken, event_of, hashes, read
from understudy.audit_names import Entry, named
from understudy.cli import audit_check, text, times
from understudy.cli.connect import client
from understudy.cli.options import Options, callback
from understudy.cli.output import Answer, progress, say_json, say_result
from understudy.client import Client
from understudy_device.errors import PortBusy
from understudy_device.protocol import MAX_TIME, REPORTS

_COUNT = 50
_EVERY = 2.0  # seconds
_BLOCK = 64  # events that are read at a time when going back
_KEPT = 1000  # events that --follow finds names in

_HEADER = ("NUMBER", "TIME", "EVENT", "USER", "CREDENTIAL", "HOST", "DETAIL")
_WIDTHS = (6, 20, 19, 12, 10, 12, 0)  # the least: lines that come later shall be aligned, too

Follow = Annotated[
    bool, typer.Option("--follow", "-f", metavar="", help="Go on with new events until Ctrl-C.")
]
Since = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="From an ISO date or time (UTC) on, or so long ago: 90s, 15m, 2h, 3d."),
]
Count = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help=f"The newest N, 0 for all. By default {_COUNT}; all with --since."),
]
Every = Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How often --follow asks the device.")]


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="What has happened on the device.")
    callback(
        group,
        examples=(
            "understudy audit",
            "understudy audit --since 2h",
            "understudy audit --follow",
            "understudy audit --count 0 --json > audit.json",
        ),
    )(audit)
    audit_check.register(group)
    app.add_typer(group, name="audit")


def audit(
    options: Options, follow: Follow = False, since: Since = None, count: Count = None, every: Every = _EVERY
) -> Answer:
    """Show the audit log, the oldest event first.

    Between two looks of --follow, the port is free for others.
    """
    wanted = count if count is not None else (0 if since else _COUNT)
    if since is not None:
        times.since(since, 0)  # what is wrong with it is said before the device is looked for
    with client(options) as device:
        hosts = _hosts(device)
        trail, entries = _select(device, hosts, since, wanted)
        name = device.connection.hello.device
    if follow:
        return _follow(options, trail, entries, hosts, every)
    shown = [
        _json(entry, after) for entry, after in zip(entries, hashes([e.record for e in entries]), strict=True)
    ]
    fields = {"device": name, "first": trail.first, "next": trail.next, "head": trail.head.hex()}
    return Answer({**fields, "events": shown}, "\n".join(_lines([_HEADER, *map(_cells, entries)])))


def _hosts(device: Client) -> dict[int, str]:
    """The present names of the paired hosts by number, as far as the device tells the numbers."""
    hosts = device.request("host_list")["hosts"]
    return {one["number"]: one["name"] or one["host"] for one in hosts if "number" in one}


def _select(
    device: Client, hosts: dict[int, str], since: str | None, count: int
) -> tuple[Trail, list[Entry]]:
    """The log from where it is needed on, and the events that were asked for, with names."""
    fetch = device.audit_page
    with progress("Reading the audit log") as tick:
        if since is None:
            trail = read(fetch, max(0, fetch(NEWEST).next - count) if count else 0, tick)
            return trail, named(trail.records, hosts)[-count:]
        start = times.since(since, device.request("clock_show")["time"] or round(system_time.time()))
        trail = _read_since(fetch, start)
    entries = _from(named(trail.records, hosts), start)
    return trail, entries[-count:]


def _read_since(fetch: Fetch, start: int) -> Trail:
    """The newest part of the log, back to a block whose events all lie before `start`."""
    bounds = fetch(NEWEST)
    first = max(0, bounds.next - _BLOCK)
    trail = read(fetch, first)
    block = trail.records
    while first > bounds.first and not all(0 < event_of(record).time < start for record in block):
        end, first = first, max(0, first - _BLOCK)
        block = read(fetch, first, end=end).records
        trail = replace(trail, records=[*block, *trail.records])
    return trail


def _from(entries: list[Entry], start: int) -> list[Entry]:
    """Those of `start` or later; one without a time belongs to the next one that has."""
    kept = []
    time = start
    for entry in reversed(entries):
        time = entry.time if entry.time is not None else time
        if time >= start:
            kept.append(entry)
    return kept[::-1]


def _follow(
    options: Options, trail: Trail, entries: list[Entry], hosts: dict[int, str], every: float
) -> Answer:
    seen, kept = trail.next, list(trail.records)
    try:
        if not options.json:
            say_result("\n".join(_lines([_HEADER])))
        _say(options, entries)
        while True:
            system_time.sleep(every)
            try:
                with client(options) as device:
                    trail = read(device.audit_page, seen)
                    hosts = _hosts(device) if trail.records else hosts
            except PortBusy:
                continue  # somebody asks for a verdict; that goes first
            if trail.next < seen:
                broken(
                    ROLLED_BACK,
                    trail.next,
                    f"The log ended before the event {seen}, and now before {trail.next}.",
                )
            seen, kept = trail.next, [*kept, *trail.records][-_KEPT:]
            _say(options, named(kept, hosts)[len(kept) - len(trail.records) :])
    except KeyboardInterrupt:
        return Answer(printed=True, status="interrupted")


def _say(options: Options, entries: Iterable[Entry]) -> None:
    for entry in entries:
        if options.json:
            say_json(_json(entry, None))
        else:
            say_result("\n".join(_lines([_cells(entry)])))


def _lines(rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [text.columns(row, _WIDTHS) for row in rows]


def _cells(entry: Entry) -> tuple[str, ...]:
    time = "-" if entry.time is None else text.moment(entry.time)
    words = (entry.event, entry.user, entry.credential, entry.host)
    return str(entry.record.number), time, *(word or "-" for word in words), _detail(entry)


def _detail(entry: Entry) -> str:
    """For people. Of a report, when it was: the device hears of it later, when it could not be reached."""
    detail = entry.detail or ""
    if entry.event in REPORTS and detail.isdecimal() and int(detail) <= MAX_TIME:
        return f"at {text.moment(int(detail))}"
    return detail


def _json(entry: Entry, after: bytes | None) -> dict[str, Any]:
    before = entry.record.before
    return {
        "number": entry.record.number,
        "time": entry.time,
        "event": entry.event,
        "user": entry.user,
        "credential": entry.credential,
        "host": entry.host,
        "detail": entry.detail,
        "data": entry.record.data.hex(),
        "before": None if before is None else before.hex(),
        "after": None if after is None else after.hex(),
    }
