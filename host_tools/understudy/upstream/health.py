# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A server's health, with a short memory: no login waits for one that is known to be down."""

from collections.abc import Callable
from typing import Any

from understudy.upstream import Login, Says, Upstream, unreachable
from understudy_device.errors import UnderstudyError, Unreachable

Clock = Callable[[], float]  # monotonic seconds


class Watched:
    """An upstream that is not asked for a while after it could not be reached.

    After that while one login at a time tries it again; the others do not wait for that.
    """

    def __init__(
        self, upstream: Upstream, retry: float, clock: Clock, tell: Callable[[str, str], None]
    ) -> None:
        """`retry`: seconds; `tell(state, reason)` hears of each change: "up" or "down"."""
        self._upstream = upstream
        self._retry = retry
        self._clock = clock
        self._tell = tell
        self._down_since: float | None = None
        self._next = 0.0
        self._reason = ""
        self._answered: float | None = None

    @property
    def is_down(self) -> bool:
        """Whether a login would not ask it now."""
        return self._down_since is not None and self._clock() < self._next

    @property
    def silent_for(self) -> float | None:
        """Seconds since it has answered last, None if it never did."""
        return None if self._answered is None else self._clock() - self._answered

    async def check(self, login: Login, seconds: float) -> Says:
        """As the upstream's, or Unreachable("down") at once."""
        if self.is_down:
            raise unreachable("down", self._reason)
        if self._down_since is not None:
            self._next = self._clock() + self._retry  # this login tries; the others go on without
        try:
            says = await self._upstream.check(login, seconds)
        except Unreachable as error:
            self._went_down(str(error.fields.get("reason", "")))
            raise
        except UnderstudyError:
            self._next = 0.0  # it was not asked: the next login tries it
            raise
        self._came_up()
        return says

    def state(self) -> dict[str, Any]:
        """For `status`."""
        silent = self.silent_for
        return {
            "name": self._upstream.name,
            "state": "down" if self._down_since is not None else "unknown" if silent is None else "up",
            "reason": self._reason,
            "answered": None if silent is None else int(silent),
        }

    async def close(self) -> None:
        """Let connections go."""
        await self._upstream.close()

    def _went_down(self, reason: str) -> None:
        self._next = self._clock() + self._retry
        if self._down_since is None:
            self._down_since = self._clock()
            self._tell("down", reason)
        self._reason = reason

    def _came_up(self) -> None:
        self._answered = self._clock()
        if self._down_since is not None:
            self._down_since, self._reason = None, ""
            self._tell("up", "")
