# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A PL011 UART with real FIFO and interrupt timing (RP2040 data sheet 4.2).

Without it `machine.UART` hangs for ever in its interrupt handler: rp2040py raises the transmit interrupt
whenever it looks at the interrupt state, so clearing it does nothing. The model here drains a 32-byte FIFO at
the programmed baud rate on the simulated clock, interrupts on the FIFO thresholds and on the receive
time-out, and overruns as the chip does. It also needs `clk_peri` to be what MicroPython makes it, 48 MHz, or
every baud rate is 2.6 times too fast.
"""

from rp2040py.peripherals.uart import RPUART
from rp2040py.rp2040 import RP2040
from rp2040py.utils.fifo import FIFO

_DR, _FR, _IFLS, _ICR, _DMACR = 0x00, 0x18, 0x34, 0x44, 0x48
_RX_INT, _TX_INT, _TIMEOUT_INT, _OVERRUN_INT = 1 << 4, 1 << 5, 1 << 6, 1 << 10
_TX_EMPTY, _RX_FULL, _TX_FULL, _RX_EMPTY, _BUSY = 1 << 7, 1 << 6, 1 << 5, 1 << 4, 1 << 3
_LEVELS = (4, 8, 16, 24, 28, 28, 28, 28)  # of 32, by the IFLS field
_IFLS_RESET = 0x12
_CLK_PERI_HZ = 48_000_000
_BITS_PER_CHARACTER = 10
_TIMEOUT_CHARACTERS = 3.2  # 32 bit times
_FIRST_BLOCK = 0x40034


class TimedUart(RPUART):
    """Replaces one UART block of the chip."""

    def __init__(self, mcu: RP2040, old: RPUART) -> None:
        super().__init__(mcu, old.name, old.irq, old.dreq)
        self.overruns = 0
        self._levels = _IFLS_RESET
        self._tx_fifo = FIFO(32)
        self._shifting: int | None = None
        self._tx_alarm = mcu.clock.create_alarm(self._tx_done)
        self._rx_alarm = mcu.clock.create_alarm(self._rx_timeout)

    def reset(self) -> None:
        """Back to power-on; a character on the wire is lost."""
        super().reset()
        self._levels = _IFLS_RESET
        self._tx_fifo.reset()
        self._shifting = None
        self._tx_alarm.cancel()
        self._rx_alarm.cancel()

    @property
    def character_ns(self) -> float:
        """Time one character takes on the wire, in ns (8N1; 115200 Bd while the guest has set nothing)."""
        return _BITS_PER_CHARACTER * 1e9 / (self.baud_rate if self._int_divisor else 115_200)

    @property
    def flags(self) -> int:
        """The FR register."""
        return (
            (_TX_EMPTY if self._tx_fifo.empty else 0)
            | (_RX_FULL if self.rx_fifo.full else 0)
            | (_TX_FULL if self._tx_fifo.full else 0)
            | (_RX_EMPTY if self.rx_fifo.empty else 0)
            | (_BUSY if self._shifting is not None else 0)
        )

    def check_interrupts(self) -> None:
        self.rp2040.set_interrupt(self.irq, bool(self._interrupt_status & self._interrupt_mask))

    def feed_byte(self, value: int) -> None:
        """A character has arrived from the wire."""
        if self.rx_fifo.full:
            self.overruns += 1
            self._interrupt_status |= _OVERRUN_INT
        else:
            self.rx_fifo.push(value)
        if self.rx_fifo.item_count >= self._rx_level:
            self._interrupt_status |= _RX_INT
        self._rx_alarm.schedule(self.character_ns * _TIMEOUT_CHARACTERS)
        self.check_interrupts()

    @property
    def _rx_level(self) -> int:
        return _LEVELS[(self._levels >> 3) & 7]

    def _rx_timeout(self) -> None:
        if not self.rx_fifo.empty:
            self._interrupt_status |= _TIMEOUT_INT
            self.check_interrupts()

    def _tx_next(self) -> None:
        if self._shifting is not None or self._tx_fifo.empty:
            return
        before = self._tx_fifo.item_count
        self._shifting = self._tx_fifo.pull()
        if before > _LEVELS[self._levels & 7] >= self._tx_fifo.item_count:
            self._interrupt_status |= _TX_INT  # on falling through the threshold, not while below it
            self.check_interrupts()
        self._tx_alarm.schedule(self.character_ns)

    def _tx_done(self) -> None:
        value, self._shifting = self._shifting, None
        if self.on_byte is not None and value is not None:
            self.on_byte(value)
        self._tx_next()

    def _read_data(self) -> int:
        value = self.rx_fifo.pull()
        if self.rx_fifo.item_count < self._rx_level:
            self._interrupt_status &= ~_RX_INT
        if self.rx_fifo.empty:
            self._interrupt_status &= ~_TIMEOUT_INT
            self._rx_alarm.cancel()
        self.check_interrupts()
        return value

    def read_uint32(self, offset: int) -> int:
        if offset == _DR:
            return self._read_data()
        if offset == _IFLS:
            return self._levels
        if offset in (_ICR, _DMACR):
            return 0
        return super().read_uint32(offset)

    def write_uint32(self, offset: int, value: int) -> None:
        if offset == _DR:
            self._tx_fifo.push(value & 0xFF)
            self._tx_next()
        elif offset == _IFLS:
            self._levels = value & 0x3F
        elif offset != _DMACR:
            super().write_uint32(offset, value)


def install(mcu: RP2040) -> None:
    """Replace both UARTs and set the peripheral clock to what MicroPython runs it at."""
    mcu.clk_peri = _CLK_PERI_HZ
    for index, old in enumerate(mcu.uart):
        block = TimedUart(mcu, old)
        mcu.uart[index] = block
        mcu.peripherals[_FIRST_BLOCK + 4 * index] = block
