# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The audit log on the host: reading it page by page, and whether it holds together.

What the hash chain covers is an event's bytes: its number's place, time, kind, the numbers of user, host and
credential, and its detail (sealed, for the most part). Names are what the device says at the time of reading.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from understudy_device.errors import AuditBroken
from understudy_device.events import FIRST_HASH, HASH, Event, chain

NEWEST = 0xFFFFFFFF  # read from here: no event, only where the log begins and ends

# How a log can be broken: a field of the error, for programs.
CHANGED = "changed"
DROPPED = "dropped"
DUPLICATED = "duplicated"
REORDERED = "reordered"
CUT_OFF = "cut-off"
ROLLED_BACK = "rolled-back"


@dataclass(frozen=True)
class Record:
    """One event as the device keeps it.

    `before`: the chain's hash before it, where the device keeps a checkpoint there; `after`: the one after
    it, where whoever wrote the events to a file knew it; `name` and `credential`: what the subject's number
    and the credential's are called now.
    """

    number: int
    data: bytes
    before: bytes | None = None
    after: bytes | None = None
    name: str | None = None
    detail: str | None = None
    credential: str | None = None


@dataclass(frozen=True)
class Trail:
    """The log or its newest part: the oldest number kept, the one after the newest, the hash there."""

    first: int
    next: int
    head: bytes
    records: Sequence[Record]


@dataclass(frozen=True)
class Point:
    """An event that was verified, and the chain's hash after it."""

    number: int
    hash: bytes


Fetch = Callable[[int], Trail]


def page_of(reply: Mapping[str, Any]) -> Trail:
    """The reply to an `audit_read`. AuditBroken when it is none."""
    try:
        before = None if reply["chain"] is None else hash_of(reply["chain"])
        records = []
        for number, data, *words in reply["events"]:
            record = Record(int(number), bytes.fromhex(data), before, None, *_words(words))
            records.append(record)
            before = None
        return Trail(int(reply["first"]), int(reply["next"]), hash_of(reply["head"]), records)
    except (KeyError, TypeError, ValueError):
        raise AuditBroken("The device's page of the audit log is none.") from None


def _words(words: list[Any]) -> list[str | None]:
    if not 2 <= len(words) <= 3 or any(type(word) not in (str, type(None)) for word in words):
        raise ValueError("words")
    return words


def hash_of(text: str) -> bytes:
    """A hash from its hex digits, or ValueError."""
    value = bytes.fromhex(text)
    if len(value) != HASH:
        raise ValueError("hash")
    return value


def _silent(_done: int, _total: int) -> None:
    """A tick that nobody hears."""


def read(
    fetch: Fetch, first: int, tick: Callable[[int, int], None] = _silent, end: int | None = None
) -> Trail:
    """All events from the number `first`, or the oldest kept, to the newest, or to those before `end`.

    `fetch` gets a page. `tick` gets the events read so far and their likely number in the end.
    """
    records: list[Record] = []
    while True:
        page = fetch(first)
        if page.first > first:
            records.clear()  # the device has let go of the oldest ones meanwhile
        if page.records and page.records[0].number < first:
            broken(DUPLICATED, first, "The device gives events that it gave before.")
        if not page.records and max(first, page.first) < page.next:
            broken(DROPPED, first, f"The device does not give the event {first}.")
        last = page.next if end is None else min(end, page.next)
        records += [record for record in page.records if record.number < last]
        first = page.records[-1].number + 1 if page.records else last
        tick(len(records), max(0, last - first) + len(records))
        if first >= last:
            return Trail(page.first, page.next, page.head, records)


def verify(trail: Trail, known: Point | None) -> Point | None:
    """Whether a whole log holds together, and still holds the event that was verified before.

    Returns the newest event as a point, None when there is no event. AuditBroken says what is wrong, with
    the fields "number" and "how".
    """
    if known is not None and known.number >= trail.next:
        broken(
            ROLLED_BACK,
            trail.next,
            f"The log ends before the event {trail.next}, but this host has seen the event {known.number}: "
            "it was rolled back.",
        )
    _check_numbers(trail)
    now = _walk(trail, known)
    return Point(trail.next - 1, now) if trail.next else None


def hashes(records: Sequence[Record]) -> list[bytes | None]:
    """The chain's hash after each event; None before the first checkpoint."""
    now: bytes | None = None
    found: list[bytes | None] = []
    for record in records:
        now = record.before if record.before is not None else now
        now = None if now is None else bytes(chain(now, record.data))
        found.append(now)
    return found


def event_of(record: Record) -> Event:
    """The event in a record's bytes; AuditBroken when there is none."""
    try:
        event: Event = Event.unpack(record.data)
    except ValueError:
        broken(CHANGED, record.number, f"The event {record.number} is none: changed.")
    return event


def in_range(known: Point, trail: Trail) -> bool:
    """Whether the log still has what tells if it holds `known`."""
    return trail.first - 1 <= known.number < trail.next


def _check_numbers(trail: Trail) -> None:
    numbers = [record.number for record in trail.records]
    for position, number in enumerate(numbers):
        expected = trail.first + position
        if number == expected:
            continue
        if number in numbers[:position]:
            broken(DUPLICATED, number, f"The event {number} is there twice.")
        if expected in numbers[position:]:
            broken(
                REORDERED, number, f"The event {number} stands where {expected} should: it was put elsewhere."
            )
        if number < expected:
            broken(REORDERED, number, f"The event {number} does not belong there.")
        broken(DROPPED, expected, f"{_several(expected, number - 1)} missing: dropped.")
    end = trail.first + len(numbers)
    if end < trail.next:
        broken(CUT_OFF, end, f"{_several(end, trail.next - 1)} missing at the end: cut off.")
    if end > trail.next:
        broken(CHANGED, trail.next, f"The log should end before the event {trail.next}, and goes on.")


def _walk(trail: Trail, known: Point | None) -> bytes:
    """Follow the chain over events whose numbers are right; the hash at the end."""
    if not trail.records:
        if trail.first == 0 and trail.head != FIRST_HASH:
            broken(CHANGED, 0, "There is no event, but the hash of some.")
        return trail.head
    now = _start(trail)
    good = trail.first  # all before this one is as the device's checkpoints have it
    _compare(known, trail.first - 1, now)
    for record in trail.records:
        if record.before is not None:
            _reached(record.before, now, good, record.number)
            good = record.number
        event_of(record)
        now = bytes(chain(now, record.data))
        if record.after not in (None, now):
            broken(CHANGED, record.number, f"The event {record.number} is not what it was: changed.")
        if record.after is not None:
            good = record.number + 1
        _compare(known, record.number, now)
    _reached(trail.head, now, good, trail.next)
    return now


def _start(trail: Trail) -> bytes:
    start = trail.records[0].before
    if start is None:
        broken(CHANGED, trail.first, f"There is no checkpoint before the oldest event, {trail.first}.")
    if trail.first == 0 and start != FIRST_HASH:
        broken(CHANGED, 0, "The checkpoint before the event 0, the first of all, is not what it has to be.")
    return start


def _reached(kept: bytes, now: bytes, good: int, end: int) -> None:
    if kept == now:
        return
    if good >= end:
        broken(CHANGED, end, f"The hash that is kept before the event {end} is not the one it has to be.")
    subject = f"The event {good} was" if good == end - 1 else f"One of the events {good} to {end - 1} was"
    broken(CHANGED, good, f"{subject} changed or put elsewhere: it does not give the hash that is kept.")


def _compare(known: Point | None, number: int, now: bytes) -> None:
    if known is not None and known.number == number and known.hash != now:
        broken(
            ROLLED_BACK,
            number,
            f"The log up to the event {number} is not the one that was verified on this host before: "
            "it was rewritten, or rolled back and gone on with.",
        )


def _several(first: int, last: int) -> str:
    return f"The event {first} is" if first == last else f"The events {first} to {last} are"


def broken(how: str, number: int, message: str) -> NoReturn:
    """Raise AuditBroken: what happened to which event."""
    raise AuditBroken(message, number=number, how=how)
