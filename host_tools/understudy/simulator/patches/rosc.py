# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The ring oscillator's random bit (RP2040 data sheet 2.17: STATUS at 0x18, RANDOMBIT at 0x1c).

Without it the register reads as a constant: `os.urandom()` gives the same byte for ever, and every boot of
every device makes the same keys.
"""

import random

from rp2040py.peripherals.peripheral import BasePeripheral
from rp2040py.rp2040 import RP2040

_BASE = 0x40060
_STATUS, _RANDOMBIT = 0x18, 0x1C
_STABLE_AND_ENABLED = 0x8000_1000


class RandomRosc(BasePeripheral):
    """A ROSC whose random bits come from a seeded generator, so that a test can be repeated exactly."""

    def __init__(self, mcu: RP2040, seed: int) -> None:
        super().__init__(mcu, "ROSC_BASE")
        self._bits = random.Random(seed)  # noqa: S311 - to be repeatable

    def read_uint32(self, offset: int) -> int:
        if offset == _RANDOMBIT:
            return self._bits.getrandbits(1)
        return _STABLE_AND_ENABLED if offset == _STATUS else 0

    def write_uint32(self, offset: int, value: int) -> None:
        """Frequency settings have no meaning here."""


def install(mcu: RP2040, seed: int) -> None:
    """Give the chip random bits; a reset does not start the sequence again, a new chip does."""
    mcu.peripherals[_BASE] = RandomRosc(mcu, seed)
