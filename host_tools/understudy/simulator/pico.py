# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An emulated Raspberry Pi Pico that runs a real firmware image, driven step by step.

Nothing here runs in the background: simulated time passes only in `run_us`, `run_until`, `expect`, `boot` and
`jump`. A run stops right after the instruction that makes the awaited thing true, so the same image, flash,
seed and calls give the same run to the nanosecond, on any machine and under any load.
"""

import os
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final, Protocol

from rp2040py.boards import BoardSpec
from rp2040py.device.base_device import BaseDevice
from rp2040py.memory_map import FLASH_START_ADDRESS
from rp2040py.rp2040 import RP2040

from .errors import PowerLost, SimulationTimeout
from .flash_layout import FLASH_SIZE
from .flash_meter import FlashMeter
from .images import load_segments
from .patches import flash_id, i2c_nack, rosc, timed_uart
from .patches.usb_nak import BulkOut
from .patches.usb_sof import FrameClock

PATCHES: Final = frozenset({"nak", "sof", "uart", "i2c", "rosc", "flash-id", "flash-time"})
DEFAULT_ID: Final = bytes.fromhex("e66000000000c0de")  # e660 or e661 is how the ids of real Picos begin
# What hangs is given up. A busy machine takes a minute for ten simulated seconds with an LED that blinks.
_WALL_S: Final = 900.0
_SHOWN = 400  # bytes of output in a time-out's message


class Device(Protocol):
    """Something wired to the Pico: `i2c_bus.I2CBus`, `uart_line.UartLine`."""

    def attach(self, mcu: RP2040) -> None:
        """Connect to the chip, once, before it starts."""


class Pico:
    """One powered-up Pico. Power-cycle it by building a new one on the old one's `flash_image()`."""

    def __init__(
        self,
        image: Path | None,
        *,
        flash: bytes | None = None,
        seed: int | None = None,
        unique_id: bytes = DEFAULT_ID,
        devices: Sequence[Device] = (),
        without: Collection[str] = (),
    ) -> None:
        """
        :param image: firmware, UF2 or raw binary, programmed over `flash` as copying a UF2 does; None boots
            what is there
        :param flash: what is on the flash at power-up, at most `FLASH_SIZE` bytes; None is a blank chip
        :param seed: of the chip's random bits; None takes one from the operating system
        :param unique_id: of the flash chip, eight bytes
        :param without: names out of `PATCHES` to leave out, to show what each is for
        :raises ImageError: `image` is no RP2040 firmware
        :raises ValueError: a flash image or id of the wrong size, or an unknown patch
        """
        if not PATCHES.issuperset(without):
            raise ValueError(f"no such patch: {', '.join(sorted(set(without) - PATCHES))}")
        # An empty UF2: `load_segments` checks what rp2040py's own loader would write anywhere, and reads .bin
        # too.
        self._device = BaseDevice(board=BoardSpec(image=os.devnull))
        self._simulator, self.mcu = self._device.simulator, self._device.mcu
        self.clock = self._simulator.clock
        self._load(image, flash)
        self.received = bytearray()
        self.on_data: Callable[[bytes], None] | None = None
        self.connections = 0
        self.power_lost = False
        self._wanted: bytes | None = None
        self._patch(without, seed, unique_id)
        for device in devices:
            device.attach(self.mcu)
        self.mcu.core.pc = FLASH_START_ADDRESS

    def _load(self, image: Path | None, flash: bytes | None) -> None:
        if flash is not None:
            if len(flash) > FLASH_SIZE:
                raise ValueError(f"a Pico's flash has {FLASH_SIZE} bytes, not {len(flash)}")
            self.mcu.flash[: len(flash)] = flash
        for offset, data in load_segments(image) if image is not None else ():
            self.mcu.flash[offset : offset + len(data)] = data

    def _patch(self, without: Collection[str], seed: int | None, unique_id: bytes) -> None:
        mcu, cdc = self.mcu, self._device.cdc
        cdc.on_serial_data = self._on_serial_data
        cdc.on_device_connected = self._on_connected
        self._bulk_out = BulkOut(cdc, nak="nak" not in without)
        timed = "flash-time" not in without
        self.meter = (
            FlashMeter(mcu, self._on_power_cut)
            if timed
            else FlashMeter(mcu, self._on_power_cut, program_us=0, erase_us=0)
        )
        if "sof" not in without:
            FrameClock(cdc.usb, mcu.clock)
        if "uart" not in without:
            timed_uart.install(mcu)
        if "i2c" not in without:
            i2c_nack.install(mcu)
        if "rosc" not in without:
            rosc.install(mcu, secrets.randbits(64) if seed is None else seed)
        if "flash-id" not in without:
            flash_id.install(mcu, unique_id)

    # What the guest does to us, in the middle of an instruction.

    def _on_serial_data(self, data: bytes | bytearray) -> None:
        start = max(0, len(self.received) - len(self._wanted or b""))
        self.received += data
        if self._wanted is not None and self._wanted in self.received[start:]:
            self.pause()
        if self.on_data is not None:
            self.on_data(bytes(data))

    def _on_connected(self) -> None:
        self.connections += 1
        self.pause()

    def _on_power_cut(self) -> None:
        self.power_lost = True
        self.pause()

    # The USB serial port.

    def send(self, data: bytes) -> None:
        """Queue bytes for the guest's USB serial port; they are taken as it asks for them."""
        self._bulk_out.send(data)

    @property
    def unsent(self) -> int:
        """Bytes sent that the guest has not taken yet."""
        return self._bulk_out.pending

    def expect(self, pattern: bytes, *, wall_s: float = _WALL_S, sim_us: int | None = None) -> bytes:
        """Run until the guest has sent `pattern`.

        :return: what came up to and with it, which is taken out of `received`
        :raises SimulationTimeout: it did not come, and the guest has nothing more to do, has started anew
            since, or a limit was reached
        """
        before = max(1, self.connections)  # the first is the start itself
        self._wanted = pattern
        try:
            self.run_until(
                lambda: pattern in self.received or self.connections > before, wall_s=wall_s, sim_us=sim_us
            )
        finally:
            self._wanted = None
        if pattern not in self.received:
            why = " (the guest has started anew)" if self.connections > before else ""
            raise SimulationTimeout(f"{pattern!r} did not come, but {bytes(self.received[-_SHOWN:])!r}{why}")
        end = self.received.index(pattern) + len(pattern)
        result = bytes(self.received[:end])
        del self.received[:end]
        return result

    # Time.

    @property
    def nanos(self) -> int:
        """Simulated ns since power-up."""
        return round(self.clock.nanos)

    @property
    def micros(self) -> int:
        """Simulated us since power-up."""
        return self.nanos // 1000

    @property
    def idle(self) -> bool:
        """True while the guest's core sleeps until an interrupt."""
        return bool(self.mcu.core.waiting)

    @property
    def next_alarm_ns(self) -> float | None:
        """Simulated ns until something is due, None if nothing is."""
        return self.clock.nanos_to_next_alarm if self.clock.has_scheduled_alarm else None

    @property
    def stalled(self) -> bool:
        """True if nothing can ever happen again unless the host does something."""
        return self.idle and not self.clock.has_scheduled_alarm and all(pio.stopped for pio in self.mcu.pio)

    def pause(self) -> None:
        """End the current slice after the instruction that is running; for callbacks."""
        self._simulator.stopped = True

    def run_slice(self) -> None:
        """Run until `pause()`, or for about 5 ms of wall time. An idle guest's clock jumps from alarm to
        alarm.

        :raises PowerLost: the power has failed, before or in this slice
        """
        if not self.power_lost:
            self._simulator.stopped = False
            self._simulator._execute_batch()
        if self.power_lost:
            raise PowerLost("the power failed in a flash operation")

    def run_until(
        self, condition: Callable[[], bool], *, wall_s: float = _WALL_S, sim_us: int | None = None
    ) -> bool:
        """Run until `condition()`, which is looked at after every slice.

        :param wall_s: give up after so many seconds of wall time
        :param sim_us: give up at this very instant, so many simulated us from now
        :return: what `condition()` is in the end; False early if the guest is stalled
        :raises PowerLost: the power failed
        """
        deadline = time.monotonic() + wall_s
        end_ns = None if sim_us is None else self.clock.nanos + sim_us * 1000
        limit = self.clock.create_alarm(self.pause)
        if sim_us is not None:
            limit.schedule(sim_us * 1000)
        try:
            while not condition():
                over = end_ns is not None and self.clock.nanos >= end_ns
                if over or self.stalled or time.monotonic() > deadline:
                    return False
                self.run_slice()
        finally:
            limit.cancel()
        return True

    def run_us(self, microseconds: int, *, wall_s: float = _WALL_S) -> None:
        """Run for so many simulated us exactly; an instruction in progress is finished.

        :raises SimulationTimeout: not done after `wall_s` seconds of wall time
        """
        end_ns = self.clock.nanos + microseconds * 1000
        self.run_until(lambda: self.clock.nanos >= end_ns, wall_s=wall_s, sim_us=microseconds)
        if self.clock.nanos < end_ns:
            raise SimulationTimeout(f"{microseconds} us were not simulated in {wall_s} s")

    def jump(self, seconds: float) -> None:
        """Let time pass without running anything; a timer due in between fires once.

        The watchdog stands still, as it does on the chip while a debugger holds the cores.
        """
        watchdog = self.mcu.watchdog
        armed, counter = watchdog.timer.enable, watchdog.timer.counter
        watchdog.timer.enable = watchdog.alarm.enable = False
        self.clock.tick(seconds * 1e9)
        watchdog.timer.set(counter)
        watchdog.timer.enable = watchdog.alarm.enable = armed

    # Power and reset.

    def boot(self, *, wall_s: float = _WALL_S) -> None:
        """Run until the host has set up the USB serial port (again).

        :raises SimulationTimeout: the guest did not come up on the bus
        """
        before = self.connections
        if not self.run_until(lambda: self.connections > before, wall_s=wall_s):
            raise SimulationTimeout("the guest did not come up on USB")

    def reset(self) -> None:
        """Press the reset button: flash stays, the program starts anew, the port is gone until `boot()`."""
        self._device.hard_reset()

    def flash_image(self) -> bytes:
        """All of the flash, `FLASH_SIZE` bytes."""
        return bytes(self.mcu.flash[:FLASH_SIZE])
