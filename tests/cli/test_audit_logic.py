# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The audit log's proof and its names, on a log made up here: no device."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from understudy import audit
from understudy.audit import Point, Record, Trail, hashes, page_of, read, verify
from understudy.audit_names import named
from understudy_device.errors import AuditBroken
from understudy_device.events import FIRST_HASH, Event, chain
from understudy_device.protocol import EVENTS

SECTOR = 5  # events
PAGE = 3
COUNT = 17
CODES = {name: code for code, name in EVENTS.items()}

Change = Callable[[list[Record]], list[Record]]


def log(count: int = COUNT, first: int = 0, salt: int = 0) -> Trail:
    """A log of events that differ, with a checkpoint each SECTOR, kept from `first` on."""
    records, now = [], FIRST_HASH
    for number in range(count):
        data = Event(1000 + number, CODES["accepted"], subject=number % 4, request=salt).pack()
        records.append(Record(number, data, now if number % SECTOR == 0 else None))
        now = chain(now, data)
    return Trail(first, count, now, records[first:])


def pages(trail: Trail) -> Callable[[int], Trail]:
    """The device's side: at most PAGE events, and none of a further sector."""

    def fetch(first: int) -> Trail:
        start = max(first, trail.first)
        end = min(start + PAGE, (start // SECTOR + 1) * SECTOR)
        return replace(trail, records=[one for one in trail.records if start <= one.number < end])

    return fetch


@pytest.mark.parametrize("first", [0, 5, 15])
@pytest.mark.parametrize("count", [16, COUNT, 20])
def test_a_whole_log_holds_together(first: int, count: int) -> None:
    trail = log(count, first)
    assert read(pages(trail), 0) == trail
    known = Point(count - 1, trail.head)
    assert verify(trail, None) == known == verify(trail, known)


def test_no_event_at_all() -> None:
    assert verify(log(0), None) is None
    with pytest.raises(AuditBroken):
        verify(replace(log(0), head=bytes(31) + b"x"), None)


def test_part_of_a_log() -> None:
    trail = log()
    assert [one.number for one in read(pages(trail), 4).records] == list(range(4, COUNT))
    assert [one.number for one in read(pages(trail), 4, end=9).records] == list(range(4, 9))
    assert read(pages(trail), COUNT).records == []
    ticks: list[tuple[int, int]] = []
    read(pages(trail), 0, lambda done, total: ticks.append((done, total)))
    assert ticks[-1] == (COUNT, COUNT) and {total for _, total in ticks} == {COUNT}


def test_a_log_that_lets_go_of_its_oldest_sector_while_it_is_read() -> None:
    before, after = log(), log(COUNT + 2, first=SECTOR)
    asked: list[int] = []

    def fetch(first: int) -> Trail:
        asked.append(first)
        return pages(before if len(asked) < 2 else after)(first)

    trail = read(fetch, 0)
    assert asked[:2] == [0, PAGE] and trail == after
    verify(trail, Point(SECTOR + 1, hashes(before.records)[SECTOR + 1]))


def swap(left: int, right: int) -> Change:
    def change(records: list[Record]) -> list[Record]:
        records[left], records[right] = records[right], records[left]
        return records

    return change


def swap_contents(left: int, right: int) -> Change:
    def change(records: list[Record]) -> list[Record]:
        one, other = records[left], records[right]
        records[left], records[right] = replace(one, data=other.data), replace(other, data=one.data)
        return records

    return change


def alter(number: int) -> Change:
    def change(records: list[Record]) -> list[Record]:
        one = records[number]
        records[number] = replace(one, data=one.data[:4] + b"\x21" + one.data[5:])
        return records

    return change


def drop_and_renumber(number: int) -> Change:
    def change(records: list[Record]) -> list[Record]:
        rest = [replace(one, number=one.number - 1) for one in records[number + 1 :]]
        return records[:number] + rest

    return change


BREAKS: dict[str, tuple[Change, str, int]] = {
    "changed": (alter(7), audit.CHANGED, 5),
    "first changed": (alter(0), audit.CHANGED, 0),
    "last changed": (alter(16), audit.CHANGED, 15),
    "dropped": (lambda records: records[:7] + records[8:], audit.DROPPED, 7),
    "a sector dropped": (lambda records: records[:5] + records[10:], audit.DROPPED, 5),
    "first dropped": (lambda records: records[1:], audit.DROPPED, 0),
    "dropped, the rest renumbered": (drop_and_renumber(7), audit.CUT_OFF, 16),
    "cut off": (lambda records: records[:-2], audit.CUT_OFF, 15),
    "all cut off": (lambda records: [], audit.CUT_OFF, 0),
    "swapped": (swap(6, 8), audit.REORDERED, 8),
    "contents swapped": (swap_contents(6, 8), audit.CHANGED, 5),
    "contents swapped between sectors": (swap_contents(6, 12), audit.CHANGED, 5),
    "twice": (lambda records: records[:7] + records[6:], audit.DUPLICATED, 6),
    "one put behind": (lambda records: [*records, replace(records[0], number=17)], audit.CHANGED, 17),
    "a checkpoint changed": (
        lambda records: [*records[:5], replace(records[5], before=bytes(32)), *records[6:]],
        audit.CHANGED,
        0,
    ),
    "no checkpoint": (lambda records: [replace(records[0], before=None), *records[1:]], audit.CHANGED, 0),
    "another beginning": (
        lambda records: [replace(records[0], before=b"x" * 32), *records[1:]],
        audit.CHANGED,
        0,
    ),
    "too short": (
        lambda records: [*records[:3], replace(records[3], data=b"short"), *records[4:]],
        audit.CHANGED,
        3,
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_wrong_is_said(name: str) -> None:
    change, how, number = BREAKS[name]
    trail = log()
    with pytest.raises(AuditBroken) as found:
        verify(replace(trail, records=change(list(trail.records))), None)
    assert (found.value.fields["how"], found.value.fields["number"]) == (how, number)
    assert str(number) in found.value.message


def test_a_changed_event_is_named_where_the_hash_after_each_is_known() -> None:
    trail = log()
    records = [
        replace(one, after=after) for one, after in zip(trail.records, hashes(trail.records), strict=True)
    ]
    assert verify(replace(trail, records=records), None)
    with pytest.raises(AuditBroken) as found:
        verify(replace(trail, records=alter(7)(records)), None)
    assert found.value.fields["number"] == 7 and found.value.fields["how"] == audit.CHANGED


def test_a_log_that_was_rolled_back_or_rewritten() -> None:
    known = Point(12, hashes(log().records)[12])
    for trail in (log(12), log(3), log(0)):
        with pytest.raises(AuditBroken, match="rolled back") as found:
            verify(trail, known)
        assert found.value.fields["how"] == audit.ROLLED_BACK
    for trail in (log(salt=1), log(30, salt=1), log(13, salt=1), log(30, first=10, salt=1)):
        with pytest.raises(AuditBroken, match="event 12"):
            verify(trail, known)


@pytest.mark.parametrize("first,held", [(0, True), (10, True), (15, False)])
def test_what_was_verified_is_looked_for_while_it_is_kept(first: int, held: bool) -> None:
    trail = log(30, first)
    known = Point(9 if first else 12, hashes(log(30).records)[9 if first else 12])
    assert audit.in_range(known, trail) == held
    assert verify(trail, known)
    if held:
        with pytest.raises(AuditBroken):
            verify(trail, replace(known, hash=bytes(32)))


GOOD = {
    "first": 0,
    "next": 1,
    "head": "00" * 32,
    "chain": "00" * 32,
    "events": [[0, "00" * 13, "alice", None]],
}


def test_a_page() -> None:
    page = page_of(GOOD)
    assert page.records == [Record(0, bytes(13), bytes(32), None, "alice", None)]
    assert page_of({**GOOD, "chain": None}).records[0].before is None
    assert page_of({**GOOD, "events": [[0, "", "alice", None, "phone"]]}).records[0].credential == "phone"


@pytest.mark.parametrize(
    "wrong",
    [
        {"head": "00"},
        {"head": None},
        {"chain": "zz"},
        {"events": [[0]]},
        {"events": [[0, "zz", None, None]]},
        {"events": [[0, "00", 7, None]]},
        {"events": 7},
        {"next": "many"},
    ],
    ids=str,
)
def test_a_page_that_is_none(wrong: dict[str, object]) -> None:
    with pytest.raises(AuditBroken):
        page_of({**GOOD, **wrong})


def test_a_device_that_gives_nothing_or_the_same_again_is_not_asked_for_ever() -> None:
    trail = log()
    for records in ([], trail.records[:PAGE]):
        with pytest.raises(AuditBroken):
            read(lambda _first, records=records: replace(trail, records=records), 0)


def event(
    number: int,
    name: str,
    subject: int = 0xFFFF,
    detail: str | None = None,
    now: str | None = None,
    credential: int = 0,
    actor: int = 0xFF,
    credential_now: str | None = None,
) -> Record:
    data = Event(number, CODES[name], subject, actor, credential).pack()
    return Record(number, data, name=now, detail=detail, credential=credential_now)


def test_a_number_that_was_given_to_another() -> None:
    records = [
        event(1, "accepted", 5, now="bob", credential=1),
        event(2, "user-changed", 5, "alice\nenabled=False", now="bob"),
        event(3, "disabled", 5, now="bob"),
        event(4, "user-removed", 5, "alice", now="bob"),
        event(5, "user-added", 5, "bob\nphone", now="bob", credential=1),
        event(6, "accepted", 5, now="bob", credential=1),
        event(7, "accepted", 6, now="carol", credential=2, credential_now="tablet"),
        event(8, "accepted", 7, credential=3),
        event(9, "unknown-user"),
    ]
    found = [(one.user, one.credential, one.detail) for one in named(records, {})]
    assert found == [
        ("alice", "#1", None),
        ("alice", None, "enabled=False"),
        ("alice", None, None),
        ("alice", None, None),
        ("bob", "phone", None),
        ("bob", "phone", None),
        ("carol", "tablet", None),
        ("#7", "#3", None),
        (None, None, None),
    ]


def test_a_credentials_number_that_was_given_to_another() -> None:
    records = [
        event(1, "user-added", 5, "alice\nphone", credential=1),
        event(2, "accepted", 5, credential=1, now="alice", credential_now="tablet"),
        event(3, "credential-removed", 5, "alice\nphone"),
        event(4, "user-added", 5, "alice\ntablet", credential=1),
        event(5, "accepted", 5, credential=1, now="alice", credential_now="tablet"),
    ]
    assert [one.credential for one in named(records, {})] == ["phone", "phone", "phone", "tablet", "tablet"]


def test_hosts_of_events() -> None:
    records = [
        event(0, "claimed", 0, "00ff\nnas\nadmin"),
        event(1, "paired", 1, "00aa\n\nverifier"),
        event(2, "accepted", 5, now="alice", actor=1),
        event(3, "unpaired", 1, "00aa\n\nverifier", actor=0),
        event(4, "paired", 1, "00bb\nweb\nverifier"),
        event(5, "accepted", 5, now="alice", actor=1),
    ]
    hosts = [one.host for one in named(records, {1: "web"})]
    assert hosts == ["nas", "00aa", "00aa", "nas", "web", "web"]
    assert [one.host for one in named(records[2:4], {0: "nas", 1: "web"})] == ["00aa", "nas"]
    assert [one.host for one in named(records[5:], {1: "web"})] == ["web"]
    assert [one.host for one in named(records[5:], {})] == ["#1"]
    assert named(records[:1], {})[0].detail == "00ff, nas, admin"
    assert named([replace(records[2], data=bytes(13))], {})[0].time is None


def test_what_was_decided_elsewhere() -> None:
    """Codes that a server has accepted, and logins without one, of users whom the device may not know."""
    records = [
        event(1, "burnt", 5, now="bob", credential=1, credential_now="phone", actor=0),
        event(2, "emergency", 5, "alice\n1700000000", now="bob", actor=0),
        event(3, "local-bypass", detail="root\n1700000060", actor=0),
        event(4, "emergency", 6, "carol\n1700000120", actor=0),  # and was removed later
        event(5, "accepted", 6, actor=0),
        event(6, "unknown-user", actor=0),
    ]
    found = [
        (one.event, one.user, one.credential, one.host, one.detail) for one in named(records, {0: "nas"})
    ]
    assert found == [
        ("burnt", "alice", "phone", "nas", None),
        ("emergency", "alice", None, "nas", "1700000000"),
        ("local-bypass", "root", None, "nas", "1700000060"),
        ("emergency", "carol", None, "nas", "1700000120"),
        ("accepted", "carol", None, "nas", None),
        ("unknown-user", None, None, "nas", None),
    ]
