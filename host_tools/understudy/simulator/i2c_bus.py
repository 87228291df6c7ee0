# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An I2C bus for the emulated Pico, and what a model of a chip on it looks like."""

from collections.abc import Callable, Iterable

from rp2040py.peripherals.i2c import RPI2C, I2CMode
from rp2040py.rp2040 import RP2040

from .patches.hooks import after
from .patches.i2c_ack import BitAck

_BITS_PER_BYTE = 9  # eight and the acknowledge
_NS_PER_CYCLE = 8  # the block counts cycles of the 125 MHz system clock


class I2CTarget:
    """Base of a chip model: acknowledges everything, reads as ff. Override what the chip does."""

    present = True
    """False unplugs the chip: its address is not acknowledged."""

    def __init__(self, address: int) -> None:
        """:param address: seven bits"""
        self.address = address

    def attached(self, micros: Callable[[], float]) -> None:
        """The chip is on the bus of a Pico; `micros()` is the simulated time in us."""

    def begin(self, read: bool) -> None:
        """Addressed, to be read from or written to; also on a repeated start."""

    def write(self, value: int) -> bool:
        """Take a byte; False for no acknowledge."""
        return True

    def read(self) -> int:
        """Give a byte."""
        return 0xFF

    def end(self) -> None:
        """A stop condition after this chip was addressed."""


class I2CBus:
    """The wires of one I2C block: a device for `Pico(devices=...)`.

    Every byte takes nine bit times of the guest's bus frequency, so a transfer costs the simulated time it
    should.
    """

    def __init__(
        self, index: int, targets: Iterable[I2CTarget], *, pins: tuple[int, int] | None = None
    ) -> None:
        """
        :param index: 0 or 1
        :param targets: the chips on the bus
        :param pins: GPIO numbers of (SDA, SCL); needed for `I2C.scan()` and zero-length writes, see
            `patches.i2c_ack`
        """
        self.index, self._pins = index, pins
        self.targets = {target.address: target for target in targets}
        self._current: I2CTarget | None = None
        self._next: Callable[[], None] | None = None
        self._stuck = False

    @property
    def stuck(self) -> bool:
        """Whether the clock line is held low: what begins does not come to an end before it is released."""
        return self._stuck

    @stuck.setter
    def stuck(self, held: bool) -> None:
        self._stuck = held
        if not held and self._next is not None:
            self._alarm.schedule(0)

    def attach(self, mcu: RP2040) -> None:
        """Connect to the chip; called by `Pico`."""
        self._block: RPI2C = mcu.i2c[self.index]
        self._alarm = mcu.clock.create_alarm(self._step)
        self._block.on_start = lambda _repeated: self._after(1, self._block.complete_start)
        self._block.on_connect = self._on_connect
        self._block.on_write_byte = self._on_write
        self._block.on_read_byte = self._on_read
        self._block.on_stop = self._on_stop
        after(self._block, "reset", self._abandon)
        for target in self.targets.values():
            target.attached(lambda: mcu.clock.nanos / 1000)
        if self._pins is not None:
            BitAck(mcu, *self._pins, present=lambda address: self._find(address) is not None)

    def _find(self, address: int) -> I2CTarget | None:
        target = self.targets.get(address)
        return target if target is not None and target.present else None

    def _after(self, bits: int, then: Callable[[], None]) -> None:
        period = (self._block.scl_low_period + self._block.scl_high_period) * _NS_PER_CYCLE
        self._next = then
        if not self._stuck:
            self._alarm.schedule(bits * period)

    def _step(self) -> None:
        if self._stuck:
            return
        then, self._next = self._next, None
        if then is not None:
            then()

    def _abandon(self) -> None:
        """The block was reset in the middle of a transfer."""
        self._alarm.cancel()
        self._next = self._current = None

    def _on_connect(self, address: int, mode: I2CMode) -> None:
        target = self._current = self._find(address)
        if target is not None:
            target.begin(mode == I2CMode.READ)
        self._after(_BITS_PER_BYTE, lambda: self._block.complete_connect(target is not None))

    def _on_write(self, value: int) -> None:
        ack = self._current is not None and self._current.write(value)
        self._after(_BITS_PER_BYTE, lambda: self._block.complete_write(ack))

    def _on_read(self, _ack: bool) -> None:
        value = self._current.read() if self._current is not None else 0xFF
        self._after(_BITS_PER_BYTE, lambda: self._block.complete_read(value))

    def _on_stop(self) -> None:
        if self._current is not None:
            self._current.end()
            self._current = None
        self._after(1, self._block.complete_stop)
