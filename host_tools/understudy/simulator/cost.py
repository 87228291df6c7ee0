# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What something costs on the device: exact, so that two builds can be compared to the nanosecond.

Simulated time counts instruction cycles at 125 MHz with a flash that never waits: a lower bound for a real
board.
"""

from dataclasses import dataclass

from .pico import Pico

GRID_US = 10_000


@dataclass(frozen=True)
class Cost:
    """Simulated ns, and how much of it was flash: page programs, erases and their busy time."""

    ns: int
    programs: int
    erases: int
    flash_ns: int

    @property
    def us(self) -> float:
        """The whole in us."""
        return self.ns / 1000


class Stopwatch:
    """Runs from its construction; `cost()` may be read as often as you like."""

    def __init__(self, pico: Pico) -> None:
        self._pico = pico
        self._start_ns = pico.nanos
        pico.meter.take()

    def cost(self) -> Cost:
        """What was spent since the stopwatch was made (the Pico's flash meter counts from there, too)."""
        meter = self._pico.meter
        return Cost(self._pico.nanos - self._start_ns, meter.programs, meter.erases, meter.busy_us * 1000)


def run_to_grid(pico: Pico, grid_us: int = GRID_US) -> None:
    """Run to the next whole `grid_us`, so that what follows meets the timers in the same phase."""
    remainder_ns = pico.clock.nanos % (grid_us * 1000)
    pico.run_us(round(grid_us - remainder_ns / 1000))


def request_cost(pico: Pico, request: bytes, until: bytes, *, grid_us: int = GRID_US) -> tuple[Cost, bytes]:
    """Send a request on the grid and run until the answer ends.

    :return: the cost from the first byte being offered to the last byte of the answer arriving, and the
        answer
    :raises SimulationTimeout: `until` did not come
    """
    run_to_grid(pico, grid_us)
    pico.received.clear()
    watch = Stopwatch(pico)
    pico.send(request)
    answer = pico.expect(until)
    return watch.cost(), answer
