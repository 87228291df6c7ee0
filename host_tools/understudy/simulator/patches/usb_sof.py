# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Start-of-frame interrupts in device mode (RP2040 data sheet 4.1.4: SOF_RD at 0x48, INTE bit 17).

Without it TinyUSB's start-of-frame callback never runs. MicroPython sends what was printed before the host
raised DTR from there, so the "ready" line of a main.py stays in the transmit queue until something else is
printed.

The interrupt is armed only while the firmware enables it, and again only once it is acknowledged: an idle
guest has no 1 kHz tick to wake for, and a jump of the clock by a day fires one frame instead of 86 million.
"""

from rp2040py.clock.clock import IClock
from rp2040py.peripherals.usb import INTE, INTR_DEV_SOF, SOF_RD, RPUSBController

from .hooks import AnyCallable, after, wrap

_FRAME_NS = 1_000_000


class FrameClock:
    """Raises DEV_SOF at each whole simulated millisecond the firmware wants it."""

    def __init__(self, usb: RPUSBController, clock: IClock) -> None:
        self._usb, self._clock = usb, clock
        self._alarm = clock.create_alarm(self._frame)
        self._armed = False
        wrap(usb, "read_uint32", self._make_read)
        wrap(usb, "write_uint32", self._make_write)
        after(usb, "on_reset", self._stop)

    def _make_read(self, original: AnyCallable) -> AnyCallable:
        usb = self._usb

        def read_uint32(offset: int) -> int:
            if offset == SOF_RD and not usb._host_mode:  # reading the frame number acknowledges the interrupt
                usb._int_raw &= ~INTR_DEV_SOF
                usb.check_interrupts()
                self._arm()
                return int(self._clock.nanos // _FRAME_NS) & 0x7FF
            return int(original(offset))

        return read_uint32

    def _make_write(self, original: AnyCallable) -> AnyCallable:
        def write_uint32(offset: int, value: int) -> None:
            original(offset, value)
            if offset == INTE:
                self._arm()

        return write_uint32

    def _arm(self) -> None:
        usb = self._usb
        if usb._int_enable & INTR_DEV_SOF and not self._armed and not usb._int_raw & INTR_DEV_SOF:
            self._armed = True
            self._alarm.schedule(_FRAME_NS - self._clock.nanos % _FRAME_NS)

    def _frame(self) -> None:
        self._armed = False
        if self._usb._int_enable & INTR_DEV_SOF:
            self._usb._int_raw |= INTR_DEV_SOF
            self._usb.check_interrupts()

    def _stop(self) -> None:
        self._armed = False
        self._alarm.cancel()
