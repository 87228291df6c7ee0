# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The clock chip on the emulated Pico's I2C bus: the real image reads and sets the modelled DS3231."""

from pathlib import Path
from typing import Any

import pytest
from pico_session import Owner, PicoSession, claimed

from parts import NOW
from understudy.simulator.ds3231 import DS3231
from understudy.simulator.i2c_bus import I2CBus

DAY = 86400
LEAP = 3 * 3600  # so that the chip is looked at again, which is done every hour
PINS = (4, 5)


class Keeper(Owner):
    """An owner, and a clock chip beside the device."""

    def __init__(self, image: Path, chip: DS3231) -> None:
        super().__init__()
        self.chip = chip
        flash, self.device_key = claimed()
        self.device = PicoSession(image, flash, devices=[self.bus()])
        self.open(self.device)
        self.bring_secret()

    def bus(self) -> I2CBus:
        return I2CBus(0, [self.chip], pins=PINS)

    def without_power(self, seconds: float) -> None:
        """The Pico is off for so long, while the chip runs on its battery; then the device is asked again."""
        self.chip.on_battery(lambda: 0.0)
        self.chip.move(seconds)
        self.device = self.device.power_cycle([self.bus()])
        self.open(self.device)

    def set(self, time: int) -> Any:
        """Set the clock, and let it look up once more."""
        assert self.ask("clock_set", time=time)["state"] == "synced"
        return self.ask("clock_show")


@pytest.fixture
def owner(device_image: Path) -> Keeper:
    """A claimed device with a chip that was never set."""
    return Keeper(device_image, DS3231(drift_ppm=3.0))


@pytest.mark.timeout(1800)
def test_a_chip_that_keeps_time_talks_nonsense_and_loses_power(owner: Keeper) -> None:
    assert owner.ask("clock_show")["rtc"] == "stopped"
    assert owner.set(NOW)["rtc"] == "ok"
    assert not owner.chip.stopped
    assert abs(owner.chip.now - NOW) <= 1
    owner.without_power(30 * DAY)
    shown = owner.ask("clock_show")
    assert (shown["state"], shown["source"], shown["rtc"]) == ("synced", "rtc", "ok")
    assert abs(shown["time"] - NOW - 30 * DAY) <= shown["error"] <= 16
    # A leap of the simulated time: chip and device take it together. (Days of it would be minutes of work for
    # MicroPython's timers, which make up for what they have missed.)
    owner.device.pico.jump(LEAP)
    before = shown["time"]
    for _ in range(2):  # the chip is looked at between the two
        shown = owner.ask("clock_show")
    assert (shown["rtc"], shown["state"]) == ("ok", "synced")
    assert abs(shown["time"] - before - LEAP) <= 10
    # Nonsense, then a battery that was empty.
    owner.chip.nonsense = b"\xff" * 7
    owner.without_power(DAY)
    shown = owner.ask("clock_show")
    assert (shown["state"], shown["rtc"]) == ("unset", "nonsense")
    owner.chip.nonsense = None
    owner.bring_secret()
    assert owner.set(NOW + 40 * DAY)["rtc"] == "ok"
    owner.chip.lose_power()
    owner.without_power(10)
    shown = owner.ask("clock_show")
    assert (shown["state"], shown["rtc"]) == ("unset", "stopped")
    owner.bring_secret()
    said = [detail for _, detail in owner.events("fault")]
    assert said == ["rtc: nothing but ff", "rtc: had no power"]
