# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who an event of the audit log is about.

Events hold numbers, and a number can be given to somebody else later. But whoever gets a number is named by
an event at that moment, and by another when the number is taken back. So a number's name at an event is the
one told last up to there; else the one told first after it; else the one that it has now.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.audit import Record, event_of
from understudy_device.events import NO_TIME, Event
from understudy_device.protocol import NO_ACTOR, NO_SUBJECT, REPORTS

# Whose subject is a host, and whose detail is its key's id, its name and its role.
_OF_HOSTS = ("claimed", "paired", "unpaired")
# Whose detail begins with a user's name; then, for the latter, comes that of a credential.
_OF_USERS = ("user-removed", "user-reset", "user-changed", "user-invited", *REPORTS)
_OF_CREDENTIALS = (
    "user-added",
    "enrolment-begun",
    "credential-removed",
    "credential-changed",
    "recovery-codes-made",
    "bypass-code-made",
)

_Key = tuple[int, ...]


@dataclass(frozen=True)
class Entry:
    """An event as people see it; `time` is None when the device's clock was not set."""

    record: Record
    time: int | None
    event: str
    user: str | None
    credential: str | None
    host: str | None
    detail: str | None


def named(records: Sequence[Record], hosts: Mapping[int, str]) -> list[Entry]:
    """`records` (up to the newest event there is) with names, in the same order.

    `hosts`: the present names of the paired hosts by number.
    """
    names = _Names(hosts)
    events = [_Told(record, event_of(record)) for record in records]
    for one in events:
        names.learn(one)
    return [names.entry(one) for one in events]


class _Told:
    """An event and the names in its detail; `rest`: what else is there."""

    def __init__(self, record: Record, event: Event) -> None:
        self.record = record
        self.event = event
        words = (record.detail or "").split("\n")
        self.host = self.user = self.credential = None
        if event.name in _OF_HOSTS:
            self.host = next(filter(None, words[1:2] + words[:1]), None)
        elif event.name in (*_OF_USERS, *_OF_CREDENTIALS):
            self.user, *words = words
            if event.name in _OF_CREDENTIALS and words:
                self.credential, *words = words
        self.rest = ", ".join(filter(None, words)) or None


class _Names:
    """The names told for each number, by the events that tell them."""

    def __init__(self, hosts: Mapping[int, str]) -> None:
        self._hosts_now = hosts
        self._hosts: dict[_Key, list[tuple[int, str]]] = {}
        self._users: dict[_Key, list[tuple[int, str]]] = {}
        self._credentials: dict[_Key, list[tuple[int, str]]] = {}

    def learn(self, one: _Told) -> None:
        """Take in the names that the next event tells."""
        subject, number = one.event.subject, one.record.number
        if one.host:
            self._hosts.setdefault((subject,), []).append((number, one.host))
        if one.user:
            self._users.setdefault((subject,), []).append((number, one.user))
        if one.credential and one.event.credential:
            self._credentials.setdefault((subject, one.event.credential), []).append((number, one.credential))

    def entry(self, one: _Told) -> Entry:
        """The event with names; a number that has none is shown itself."""
        event = one.event
        time = event.time if event.time != NO_TIME else None
        return Entry(
            one.record, time, event.name, self._user(one), self._credential(one), self._host(one), one.rest
        )

    def _user(self, one: _Told) -> str | None:
        subject = one.event.subject
        if subject == NO_SUBJECT:
            return one.user  # a host may tell of somebody whom the device does not know
        if one.event.name in _OF_HOSTS:
            return None
        return _at(self._users.get((subject,)), one.record.number) or one.record.name or f"#{subject}"

    def _host(self, one: _Told) -> str | None:
        """The host that did it; else, of an event about a host, the one that it was done to."""
        number = one.event.actor
        if number == NO_ACTOR:
            return one.host
        return (
            _at(self._hosts.get((number,)), one.record.number) or self._hosts_now.get(number) or f"#{number}"
        )

    def _credential(self, one: _Told) -> str | None:
        number = one.event.credential
        if one.credential or not number:
            return one.credential
        told = self._credentials.get((one.event.subject, number))
        if told is None:
            return one.record.credential or f"#{number}"
        # Its end tells no number, so that a name told later may be another's.
        return _at(told, one.record.number, backwards=False) or f"#{number}"


def _at(told: Sequence[tuple[int, str]] | None, number: int, backwards: bool = True) -> str | None:
    """The name told last up to the event `number`; else, with `backwards`, the one told first after it."""
    position = bisect_right(told or (), number, key=lambda one: one[0])
    if not told or not (position or backwards):
        return None
    return told[max(0, position - 1)][1]
