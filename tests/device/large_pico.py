# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An emulated Pico on whose flash thousands of users are enrolled already."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pico_session import PicoSession, chip

import large
from parts import NOW, Bench, Host
from understudy.pico_board import display_bus
from understudy.simulator.ds3231 import DS3231
from understudy.simulator.i2c_bus import I2CBus
from understudy.simulator.pico import Device
from understudy.simulator.ssd1306 import Ssd1306

GRID_US = 10000  # a request leaves at a multiple of this, so that USB's frames fall alike
_USERS = (3, 8, 1, 6)


@dataclass(frozen=True)
class Cost:
    """What one request took: simulated us, page programs and sector erases before the answer, and those of
    the tidying after it."""

    us: int
    programs: int
    erases: int
    programs_after: int
    erases_after: int


def display_and_clock() -> I2CBus:
    """All that a Pico may have on its I2C bus."""
    return display_bus(Ssd1306(), DS3231())


class LargePico:
    """The admin's session with it. `boot_us`: from power to the first verdict, the session's handshake left
    out."""

    def __init__(self, image: Path, bench: Bench, devices: Sequence[Device] = ()) -> None:
        self.host: Host = bench.admin
        self.session = PicoSession(image, flash=chip(bench.board.flash.image()), devices=devices)
        pico = self.session.pico
        self.host.hello(self.session)
        ready = pico.micros
        self.host.open(self.session)
        opened = pico.micros
        self.ask("unseal", wrap=self.host.wrap(), entropy="00" * 32)
        self.now = max(NOW, bench.device.clock.now()) + 3600
        self._set_at = pico.micros
        self.ask("clock_set", time=self.now)
        self.verify(0)
        self.boot_us = pico.micros - opened + ready

    def ask(self, cmd: str, **fields: object) -> dict[str, object]:
        """One request of the admin."""
        return self.host.ask(self.session, cmd, **fields)

    def verify(self, user: int) -> Cost:
        """An accepted login of a user who has not logged in since power-up."""
        pico = self.session.pico
        now = self.now + (pico.micros - self._set_at) // 1_000_000
        code = large.code(user, now)
        pico.meter.take()
        reply = self.ask("verify", user=large.name(user), code=code)
        if reply["status"] != "accepted":
            raise ValueError(f"user {user}: {reply}")
        us, programs, erases = self.session.micros, pico.meter.programs, pico.meter.erases
        pico.meter.take()
        pico.run_us(GRID_US * 30 - pico.micros % GRID_US)
        return Cost(us, programs, erases, pico.meter.programs, pico.meter.erases)

    def typical_us(self, users: tuple[int, ...] = _USERS) -> float:
        """Simulated us of a login, the median of a few."""
        return statistics.median(self.verify(user).us for user in users)
