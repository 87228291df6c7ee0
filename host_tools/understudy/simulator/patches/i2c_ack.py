# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Acknowledging an address on the SDA and SCL pins themselves.

Without it `I2C.scan()` and zero-length writes find nothing: the RP2040's I2C block cannot send an address
without data, so MicroPython's rp2 port bit-bangs those on the GPIOs, where rp2040py has nobody listening.
"""

from collections.abc import Callable

from rp2040py.gpio_pin import GPIOPinState
from rp2040py.rp2040 import RP2040


class BitAck:
    """Watches two pins for an address after START, and acknowledges it if `present(address)`."""

    def __init__(self, mcu: RP2040, sda: int, scl: int, present: Callable[[int], bool]) -> None:
        self._sda_pin = mcu.gpio[sda]
        self._present = present
        self._sda = self._scl = True
        self._bits: list[int] | None = None  # since START; None = not in an address
        self._sda_pin.add_listener(self._on_sda)
        mcu.gpio[scl].add_listener(self._on_scl)

    def _on_sda(self, value: GPIOPinState, _last: GPIOPinState) -> None:
        level = value != GPIOPinState.LOW
        if level != self._sda and self._scl:
            self._bits = None if level else []  # rising: STOP, falling: START
        self._sda = level

    def _on_scl(self, value: GPIOPinState, _last: GPIOPinState) -> None:
        level = value != GPIOPinState.LOW
        if level == self._scl:
            return
        self._scl = level
        if self._bits is None:
            return
        if level:
            self._bits.append(int(self._sda))
        elif len(self._bits) == 8:
            if self._present(int("".join(map(str, self._bits[:7])), 2)):
                self._sda_pin.set_input_value(False)
        elif len(self._bits) == 9:
            self._sda_pin.release_input()
            self._bits = None
