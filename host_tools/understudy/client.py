# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Requests to one paired device: typed calls over a session that is reopened when it is lost."""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from understudy.audit import Trail, page_of
from understudy.deadline import Deadline
from understudy.identity import Identity
from understudy.link import HELLO_SECONDS, Connection, Hello
from understudy.session import HANDSHAKE_SECONDS, Session, open_session
from understudy.statuses import error_for
from understudy.usage import WrongUsage
from understudy_device.errors import (
    AuthenticationFailed,
    BadRequest,
    LinkTimeout,
    NoSession,
    NotYours,
    Unclaimed,
    UnderstudyError,
)
from understudy_device.fields import check_fields
from understudy_device.protocol import COMMANDS, KEY, UNCLAIMED

REPLY_SECONDS = 15.0  # for one try; then the same request is asked again
# Seconds. Erasing takes up to 0.4 s a sector (W25Q16JV data sheet, 9.6); what is told once is waited for:
# it is lost when asked for again.
_LONGER = {"factory_reset": 120.0, "enrol": 20.0, "enrol_confirm": 20.0}
ATTEMPTS = 3
_PATIENCE = 3  # times what the last session took
_SLOWEST = 10.0  # seconds
_HELLOS = 30  # that take as long as opening a session, by far
_ID_BYTES = 8

Fields = dict[str, Any]
_T = TypeVar("_T")


def entropy() -> str:
    """32 fresh bytes in hex, for the device to mix into its own."""
    return secrets.token_hex(KEY)


def ask(session: Session, command: str, fields: Fields, request_id: str, deadline: Deadline) -> Fields:
    """Ask once.

    Returns the reply's fields with "status" (`ok` or `accepted`), raises the error of any other status.
    """
    reply = session.exchange({"id": request_id, "cmd": command, **fields}, deadline)
    status = reply["status"]
    rest = {name: value for name, value in reply.items() if name not in ("id", "status", "message")}
    if status in ("ok", "accepted"):
        return {"status": status, **rest}
    raise error_for(status, str(reply.get("message", "")), **rest)


def new_id() -> str:
    """A fresh request id."""
    return secrets.token_hex(_ID_BYTES)


class Pace:
    """How long to wait for a device, learnt from how long it takes to open a session.

    A Pico does so in 0.4 s; an emulated one on a busy machine takes many times that, and would never get
    through if it were not waited for.
    """

    def __init__(self, opening: float, reply: float) -> None:
        """Seconds for a device of which nothing is known yet: to open a session, to reply."""
        self._opening = opening
        self._reply = reply
        self._took = 0.0

    @property
    def opening(self) -> float:
        """Seconds that opening a session may take at first."""
        return max(self._opening, _PATIENCE * self._took)

    @property
    def reply(self) -> float:
        """Seconds that a reply may take at first: none takes longer than a handshake."""
        return max(self._reply, _PATIENCE * self._took)

    def took(self, seconds: float) -> None:
        """A session was opened within so many seconds."""
        self._took = seconds

    def heard(self, seconds: float) -> None:
        """A hello was answered within so many seconds: a guess, as long as no session was opened."""
        if not self._took:
            self._took = min(_SLOWEST, _HELLOS * seconds)

    def missed(self) -> None:
        """A device that is there did not open one in time, by far."""
        self._took = min(_SLOWEST, 2 * self.opening / _PATIENCE)


class Client:
    """The device at the end of a connection, as an identity may use it.

    All calls raise the errors of `understudy_device.errors`.
    """

    def __init__(
        self,
        connection: Connection,
        identity: Identity,
        seconds: float,
        pace: Pace | None = None,
    ) -> None:
        """The hello of `connection` is fresh; `seconds` bounds each call with all its retries, `pace` the
        first try to open a session and to get a reply; each further one may take twice as long.

        Unclaimed or NotYours when the identity does not know the device.
        """
        known = identity.devices.get(connection.hello.device)
        if known is None:
            raise _stranger(connection.hello, identity)
        self.connection = connection
        self._seconds = seconds
        self._pace = pace or Pace(HANDSHAKE_SECONDS, REPLY_SECONDS)
        self._identity = identity
        self._device_key = known.public_key
        self._session: Session | None = None

    def request(self, command: str, **fields: Any) -> Fields:
        """Ask for `command`; fields that are None are left out.

        WrongUsage, before anything is sent, for a field that can't be.
        A lost session or reply is made good by a new session and the same request id: nothing happens twice.
        """
        return self.ask(command, self.check(command, fields), new_id(), Deadline(self._seconds))

    def ask(self, command: str, fields: Fields, number: str, deadline: Deadline) -> Fields:
        """The same for checked `fields`, under a request id and a deadline of the caller's."""

        def once(longer: int) -> Fields:
            session = self._opened(deadline, longer)
            patience = _LONGER.get(command, self._pace.reply)
            return ask(session, command, fields, number, deadline.within(patience * longer))

        return self._persist(once, deadline)

    @staticmethod
    def check(command: str, fields: Fields) -> Fields:
        """The fields for `command` without those that are None; WrongUsage for any that can't be."""
        given = {name: value for name, value in fields.items() if value is not None}
        try:
            check_fields(COMMANDS[command][2], given)
        except BadRequest as error:
            raise WrongUsage(error.message) from error
        return given

    def open(self) -> None:
        """Make sure that a session is open and the device unsealed; any request does so by itself."""
        deadline = Deadline(self._seconds)
        self._persist(lambda longer: self._opened(deadline, longer), deadline)

    def users(self, group: str | None = None) -> Iterator[Fields]:
        """Every user on the device, or every member of a group, page by page."""
        after: int | None = -1
        while after is not None:
            page = self.request("user_list", after=after, group=group)
            yield from page["users"]
            after = page["next"]

    def audit_page(self, first: int) -> Trail:
        """The page of the audit log that begins with the event `first`, or with the oldest one kept."""
        return page_of(self.request("audit_read", first=first))

    def _persist(self, action: Callable[[int], _T], deadline: Deadline) -> _T:
        """Try, over new sessions; `action` gets how many times longer than the first this try may take.

        What was sent to a device that has just lost its power is never answered, so the first must be short;
        a slow or busy one has to get through all the same.
        """
        for attempt in range(ATTEMPTS):
            try:
                return action(2**attempt)
            except (LinkTimeout, NoSession, AuthenticationFailed):
                # AuthenticationFailed, too: a late answer to an older handshake looks just like a stranger's.
                self._session = None
                if attempt == ATTEMPTS - 1 or deadline.passed:
                    raise
                # One that is slow has the last try's handshake to finish before it says anything.
                self._say_hello(deadline.within(HELLO_SECONDS * 2 ** (attempt + 1)))
        raise LinkTimeout()

    def _say_hello(self, deadline: Deadline) -> None:
        link = self.connection.link
        hello = link.hello(deadline)
        if hello.device != self.connection.hello.device:
            raise NotYours(f"Another device ({hello.device}) is on the port now.")
        self.connection = Connection(link, hello, self.connection.url)

    def _opened(self, deadline: Deadline, longer: int) -> Session:
        if self._session is None:
            identity, link = self._identity, self.connection.link
            start, soon = time.monotonic(), deadline.within(self._pace.opening * longer)
            session = open_session(link, identity.private_key, identity.key_id, self._device_key, soon)
            # Not only when the device is sealed: it believes a host's role once that host has brought its
            # secret.
            fields = {"wrap": identity.wrap_key(self.connection.hello.device).hex(), "entropy": entropy()}
            ask(session, "unseal", fields, new_id(), soon.within(REPLY_SECONDS * longer))
            self._session = session
            self._pace.took(time.monotonic() - start)
        return self._session


def _stranger(hello: Hello, identity: Identity) -> UnderstudyError:
    if identity.devices and hello.state == UNCLAIMED:
        return NotYours(
            f"The device {hello.device} is new, and not one this host is paired with: was yours swapped? "
            "If it is to be a further one, claim it."
        )
    if hello.state == UNCLAIMED:
        return Unclaimed(f"The device {hello.device} has no admin yet; claim it with `understudy claim`.")
    return NotYours(f"This host is not paired with the device {hello.device}; see `understudy pair --help`.")
