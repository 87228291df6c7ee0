# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A point in time by which something has to be done, so that nested waits share one budget."""

import time


class Deadline:
    """`seconds` from now, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.left == 0.0

    def within(self, seconds: float) -> "Deadline":
        """A deadline `seconds` from now that is no later than this one."""
        return Deadline(min(seconds, self.left))
