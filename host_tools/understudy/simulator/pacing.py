# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Simulated time that follows wall time, without burning a core while the guest sleeps."""

import time
from collections.abc import Callable

from .pico import Pico

# How far ahead of wall time an idle guest's clock may jump before the host looks again.
_AHEAD_NS = 1_000_000
# A guest this far behind was not computing: the process was stopped. Like a board that was without power, it
# does not live through that time afterwards.
_FORGET_NS = 600 * 1_000_000_000
# A guest further behind than this is late.
_LATE_NS = 20_000_000
# How long a late guest may go on computing before it gets its input all the same: an endless loop can only be
# interrupted by input. In simulated time, so that the load of the machine does not matter.
_COMPUTING_NS = 100_000_000
# A guest that sleeps now and then and never catches up is not kept waiting for longer than this.
_HOLD_S = 10.0


class Pacer:
    """Keeps a Pico's clock with the wall clock.

    A guest that computes runs 14 to 18 times too slow, so its clock falls behind; it is let catch up as soon
    as the guest sleeps, alarm by alarm, so that the guest's clock is right over any longer time.
    """

    def __init__(self, pico: Pico, wall: Callable[[], float] = time.monotonic) -> None:
        """:param wall: a clock in seconds"""
        self._pico, self._wall = pico, wall
        self._guard = pico.clock.create_alarm(pico.pause)
        self._base_ns = pico.clock.nanos - wall() * 1e9

    @property
    def lag_ns(self) -> float:
        """How far the simulated clock is behind wall time; negative if it is ahead."""
        lag = self._base_ns + self._wall() * 1e9 - self._pico.clock.nanos
        if lag > _FORGET_NS:
            self._base_ns -= lag
            return 0.0
        return lag

    def idle_s(self) -> float | None:
        """How long the host may sleep now, in seconds of wall time; None as long as it likes."""
        if not self._pico.idle:
            return 0.0
        due_ns = self._pico.next_alarm_ns
        return None if due_ns is None else max(0.0, (due_ns - self.lag_ns) / 1e9)

    def catch_up(self) -> None:
        """Move a sleeping guest's clock to wall time, but not past its next alarm."""
        if not self._pico.idle:
            return
        lag_ns, due_ns = self.lag_ns, self._pico.next_alarm_ns
        if lag_ns > 0:
            self._pico.clock.tick(lag_ns if due_ns is None else min(lag_ns, due_ns))

    def run_slice(self) -> None:
        """Run the guest until it sleeps and has caught up, or for about 5 ms of wall time."""
        self._guard.schedule(max(self.lag_ns, 0.0) + _AHEAD_NS)
        try:
            self._pico.run_slice()
        finally:
            self._guard.cancel()


class InputGate:
    """Holds input back until the guest's clock is right: it would judge a code by a clock that is late."""

    def __init__(self, pico: Pico, pacer: Pacer, wall: Callable[[], float] = time.monotonic) -> None:
        self._pico, self._pacer, self._wall = pico, pacer, wall
        self._closed_at: float | None = None
        self._awake_ns = 0  # simulated time since which the guest has not been seen asleep

    def open(self) -> bool:
        """True if the input that is there may go to the guest now; to be asked at each slice."""
        now, now_ns = self._wall(), self._pico.nanos
        if self._pacer.lag_ns < _LATE_NS:
            self._closed_at = None
            return True
        if self._closed_at is None:
            self._closed_at, self._awake_ns = now, now_ns
        elif self._pico.idle:
            self._awake_ns = now_ns
        if now_ns - self._awake_ns < _COMPUTING_NS and now - self._closed_at < _HOLD_S:
            return False
        self._closed_at = None
        return True
