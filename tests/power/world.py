# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is outside of the device: the true time, and how long the power has been on."""

from dataclasses import dataclass

from parts import NOW

START = NOW - NOW % 3600  # a step begins here, whatever the interval


@dataclass
class World:
    """`booted`: Unix seconds at power-up; `up`: since then; `rtc`: whether the board knows the time.

    `boots`: power-ups before this one, no two of which have the same random bytes.
    """

    booted: int = START
    up: int = 0
    rtc: bool = True
    boots: int = 0

    @property
    def now(self) -> int:
        """The true Unix time."""
        return self.booted + self.up

    def restart(self) -> None:
        """The power goes and comes back at once."""
        self.booted, self.up = self.now, 0
        self.boots += 1
