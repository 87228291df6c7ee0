# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Button and LED of the real image on the emulated Pico, at the pins that its board.json names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pico_session import PicoSession, chip
from rp2040py.rp2040 import RP2040

import large
from parts import Bench
from understudy.board_files import board_data
from understudy.paths import board_dir
from understudy_device import lights, wire
from understudy_device.protocol import HELLO, OPEN, SEALED, UNCLAIMED

PINS = board_data(board_dir("rpi_pico"))["pins"]
ROUND_US = 3_000_000  # of an idle pattern
ROUNDS = 3  # so that no two states' ranges meet


class Wires:
    """A button, which may be down from power-up on, and an LED: a device for `Pico`."""

    def __init__(self, pressed: bool = False) -> None:
        self._pressed = pressed
        self.flashes = 0

    def attach(self, mcu: RP2040) -> None:
        """Wire them up."""
        self._led, self._button = (mcu.gpio[PINS[name]] for name in ("led", "button"))
        self._led.add_listener(lambda *_: self._look())
        if self._pressed:
            self._button.set_input_value(False)  # to ground

    def _look(self) -> None:
        self.flashes += bool(self._led.output_value)

    def release(self) -> None:
        """Up: the chip's own resistor pulls the pin high."""
        self._button.release_input()


class Wired(PicoSession):
    """A Pico with both."""

    def __init__(self, image: Path, flash: bytes | None = None, pressed: bool = False) -> None:
        self.wires = Wires(pressed)
        super().__init__(image, flash, devices=[self.wires])

    def flashes_in(self, us: int) -> int:
        """How often the LED goes on in so much simulated time."""
        self.wires.flashes = 0
        self.pico.run_us(us)
        return self.wires.flashes


@pytest.fixture(scope="module")
def used() -> Bench:
    """A device with an admin and a user, in memory."""
    return large.enrolled(1)


@pytest.fixture
def flash(used: Bench) -> Iterator[bytes]:
    yield chip(used.board.flash.image())


def expected(state: str) -> range:
    """How many flashes there may be: the pattern begins anywhere in it."""
    flashes = ROUNDS * lights.pattern(state).count("X")
    return range(flashes - 1, flashes + 2)


def test_the_led_tells_the_state(device_image: Path, used: Bench, flash: bytes) -> None:
    new = Wired(device_image)
    assert used.admin.hello(new)["state"] == UNCLAIMED
    assert new.flashes_in(ROUNDS * ROUND_US) in expected(UNCLAIMED)
    device = Wired(device_image, flash)
    assert used.admin.hello(device)["state"] == SEALED
    assert device.flashes_in(ROUNDS * ROUND_US) in expected(SEALED)
    used.admin.unseal(device)
    device.pico.run_us(1_500_000)
    assert used.admin.hello(device)["state"] == OPEN
    assert device.flashes_in(ROUNDS * ROUND_US) in expected(OPEN)
    used.admin.ask(device, "clock_set", time=used.board.time + 3600)
    used.admin.ask(device, "verify", user=large.name(0), code="000000")
    assert device.flashes_in(1_500_000) >= 3  # fast


def test_held_at_power_up_it_erases_everything_and_then_answers(
    device_image: Path, used: Bench, flash: bytes
) -> None:
    device = Wired(device_image, flash, pressed=True)
    device.pico.send(wire.encode(HELLO, bytes(16)))
    device.pico.run_us(4_000_000)
    assert not device.pico.received and not device.pico.meter.erases
    device.pico.boot()  # five seconds are over: erased, and started anew
    device.wires.release()
    assert device.pico.meter.erases >= 2
    assert used.admin.hello(device)["state"] == UNCLAIMED


def test_let_go_it_starts_as_ever(device_image: Path, used: Bench, flash: bytes) -> None:
    device = Wired(device_image, flash, pressed=True)
    device.pico.run_us(2_000_000)
    device.wires.release()
    assert used.admin.hello(device)["state"] == SEALED
    assert not device.pico.meter.erases
    assert device.pico.connections == 1
