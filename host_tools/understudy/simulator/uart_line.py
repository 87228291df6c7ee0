# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The far end of one of the emulated Pico's UARTs."""

from collections.abc import Callable

from rp2040py.rp2040 import RP2040

from .errors import EmulatorMismatch
from .patches.timed_uart import TimedUart


class UartLine:
    """A device for `Pico(devices=...)`: what the guest sends is in `received`, `send()` goes to the guest.

    Characters take the time the guest's baud rate gives them, both ways.
    """

    def __init__(self, index: int = 0) -> None:
        """:param index: 0 or 1"""
        self.index = index
        self.received = bytearray()
        self.on_data: Callable[[bytes], None] | None = None
        self._queue = bytearray()

    def attach(self, mcu: RP2040) -> None:
        """Connect to the chip; called by `Pico`.

        :raises EmulatorMismatch: the chip's UART is not the timed one (`patches.timed_uart` was left out)
        """
        block = mcu.uart[self.index]
        if not isinstance(block, TimedUart):
            raise EmulatorMismatch("a UartLine needs the timed UART")
        self._block = block
        self._alarm = mcu.clock.create_alarm(self._feed)
        block.on_byte = self._on_byte

    def send(self, data: bytes) -> None:
        """Queue bytes for the guest, one character time apart."""
        idle = not self._queue
        self._queue += data
        if idle and self._queue:
            self._alarm.schedule(self._block.character_ns)

    @property
    def overruns(self) -> int:
        """Characters the guest lost because it did not read them in time."""
        return self._block.overruns

    def _on_byte(self, value: int) -> None:
        self.received.append(value)
        if self.on_data is not None:
            self.on_data(bytes((value,)))

    def _feed(self) -> None:
        self._block.feed_byte(self._queue.pop(0))
        if self._queue:
            self._alarm.schedule(self._block.character_ns)
