# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the broker remembers, in memory only: accepted codes, unlocks that need none, a local bypass."""

import hashlib
import secrets
from collections.abc import Callable

KEPT_SECONDS = 6600.0  # that a code may stay right: a window of 10 steps of 300 s on each side
_MOST = 10000  # codes; the oldest go first

Clock = Callable[[], float]  # monotonic seconds


class Accepted:
    """Codes that one of the two, server or device, has accepted: the other one must not accept them again.

    Kept as keyed hashes; who asked tells a question that is asked again from a second use.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._codes: dict[bytes, tuple[float, str]] = {}  # oldest first

    def take(self, user: str, code: str, question: str) -> bool:
        """Mark a code as accepted for a question; False when it was, for another one."""
        self._forget()
        known = self._codes.setdefault(self._hash(user, code), (self._clock(), question))
        return known[1] == question

    def is_used(self, user: str, code: str, question: str) -> bool:
        """Whether a code was accepted for another question."""
        self._forget()
        known = self._codes.get(self._hash(user, code))
        return known is not None and known[1] != question

    def _hash(self, user: str, code: str) -> bytes:
        digits = code.replace(" ", "").replace("-", "")
        name = user.encode()
        return hashlib.blake2b(len(name).to_bytes(4, "big") + name + digits.encode(), key=self._key).digest()

    def _forget(self) -> None:
        now = self._clock()
        for key, (since, _) in list(self._codes.items()):
            if now - since < KEPT_SECONDS and len(self._codes) <= _MOST:
                return
            del self._codes[key]


class Grace:
    """Further unlocks without a code, after one: for the same user on the same terminal and service."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[tuple[str, str, str], tuple[int, float]] = {}  # unlocks, until

    def grant(self, user: str, service: str, tty: str, unlocks: int, seconds: float) -> None:
        """A code was right there."""
        now = self._clock()
        self._left = {place: left for place, left in self._left.items() if left[1] > now}
        if unlocks > 0 and tty:
            self._left[(user, service, tty)] = (unlocks, now + seconds)

    def use(self, user: str, service: str, tty: str) -> bool:
        """Use one up; False when none is left."""
        unlocks, until = self._left.pop((user, service, tty), (0, 0.0))
        if unlocks <= 0 or self._clock() >= until:
            return False
        if unlocks > 1:
            self._left[(user, service, tty)] = (unlocks - 1, until)
        return True


class LocalBypass:
    """A time in which logins at the machine itself need no code."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = 0.0

    def open(self, seconds: float) -> None:
        """From now on for `seconds`; 0 ends it."""
        self._until = self._clock() + seconds if seconds > 0 else 0.0

    @property
    def left(self) -> float:
        """Seconds left, 0 when it is not on."""
        return max(0.0, self._until - self._clock())
