# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the device has to hear, and could not when it happened: logins without a code, codes used elsewhere.

Reports are in a file until the device has them: a restart of the broker must not keep them out of the audit
log. Codes are in memory only, and as long as they could be right: no code is ever written down.
"""

import json
from collections.abc import Callable
from pathlib import Path

from understudy.broker.asked import Ask
from understudy.broker.journal import NOTICE, WARNING, Journal
from understudy.broker.memory import KEPT_SECONDS
from understudy.client import new_id
from understudy.deadline import Deadline
from understudy.files import write_private
from understudy_device.errors import BadRequest, Throttled, UnderstudyError

_SECONDS = 5.0
_MOST = 1000  # of each; the newest are kept


class Outbox:
    """Waits for the device; `flush` is called now and then."""

    def __init__(self, path: Path, ask: Ask, clock: Callable[[], float], journal: Journal) -> None:
        """`path`: of the file with reports; `clock`: monotonic seconds."""
        self._path = path
        self._ask = ask
        self._clock = clock
        self._journal = journal
        self._codes: list[tuple[float, str, str]] = []
        self._reports: list[tuple[str, str, int, str]] = self._load()

    def report(self, event: str, user: str, time: int) -> None:
        """A login without a code, to be in the device's audit log; `time`: Unix seconds."""
        self._reports = [*self._reports, (event, user, time, new_id())][-_MOST:]
        self._save()

    def burn(self, user: str, code: str) -> None:
        """A code that was used elsewhere."""
        self._codes = [*self._codes, (self._clock(), user, code)][-_MOST:]

    def __len__(self) -> int:
        return len(self._codes) + len(self._reports)

    async def flush(self) -> None:
        """Tell the device what waits, as far as it listens."""
        self._codes = [one for one in self._codes if self._clock() - one[0] < KEPT_SECONDS]
        try:
            while self._codes:
                _, user, code = self._codes[0]
                await self._tell("burn", {"user": user, "code": code}, new_id())
                self._codes.pop(0)
            while self._reports:
                event, user, time, number = self._reports[0]
                try:
                    await self._tell("report", {"event": event, "user": user, "time": time}, number)
                except Throttled:
                    # The device keeps that answer under the id.
                    self._reports[0] = (event, user, time, new_id())
                    raise
                self._reports.pop(0)
                self._save()
                self._journal.write(NOTICE, "reported", what=event, user=user)
        except UnderstudyError:
            return  # the next time

    async def _tell(self, command: str, fields: dict[str, object], number: str) -> None:
        try:
            await self._ask("outbox", command, fields, number, Deadline(_SECONDS))
        except BadRequest as error:  # it never will take that: a name that it has no room for, say
            self._journal.write(WARNING, "not-taken", command=command, reason=error.message)

    def _load(self) -> list[tuple[str, str, int, str]]:
        try:
            kept = json.loads(self._path.read_text())
            return [(str(event), str(user), int(time), str(number)) for event, user, time, number in kept]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError):
            self._journal.write(WARNING, "outbox", reason="reports can't be read", file=self._path)
            return []

    def _save(self) -> None:
        try:
            write_private(self._path, json.dumps(self._reports).encode())
        except OSError as error:
            self._journal.write(WARNING, "outbox", reason=error.strerror, file=self._path)
