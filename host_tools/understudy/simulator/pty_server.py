# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Serves an emulated Pico's USB serial port on a pseudo-terminal, for clients in other processes.

Three things a client can rely on:

- In paced mode the device's clock is the wall clock, from the moment serving begins; the chip's RTC starts at
  2021-01-01 as on a board.
- Bytes the device sent after it changed its flash leave this process only once that change is in the state
  file: a `kill -9` at any instant loses nothing that was acknowledged.
- The port stays open over a reset of the device (a real one would vanish from the bus and come back).
"""

import select
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from .flash_meter import FlashOp
from .flash_state import FlashStateFile
from .pacing import InputGate, Pacer
from .pico import Pico
from .pty_port import PtyPort

# How often a sleeping server looks whether it should stop.
_NAP_S = 0.2
# A change of the flash that nobody waits for is saved when the guest has been quiet for this long.
_QUIET_S = 0.05
# Output nobody reads: a tty driver would refuse it, and the guest would drop it.
_OUTPUT_LIMIT = 256 * 1024
# Input the guest has not taken: beyond this the client is left to wait.
_INPUT_LIMIT = 16 * 1024


class PtyServer:
    """One Pico on one port. `turn()` does what there is to do and sleeps if there is nothing."""

    def __init__(self, pico: Pico, port: PtyPort, *, pace: bool, state: FlashStateFile | None) -> None:
        """
        :param pico: its output since power-up (`received`) is served, too
        :param pace: follow the wall clock; otherwise an idle guest's timers race and its clock stands still
            without
        :param state: open; None keeps the flash in memory
        """
        self._pico, self._port, self._state = pico, port, state
        self._pacer = Pacer(pico) if pace else None
        self._output = bytearray(pico.received)
        pico.received.clear()
        self._changed_at: float | None = None  # monotonic seconds of the last change that is not saved
        self._gate = InputGate(pico, self._pacer) if self._pacer else None
        self.dropped = 0  # bytes of output nobody has read
        self.saves = 0
        pico.on_data = self._on_data
        pico.meter.on_change = self._on_change

    def _on_data(self, data: bytes) -> None:
        self._pico.received.clear()
        self._output += data
        self._pico.pause()

    def _on_change(self, _op: FlashOp) -> None:
        self._pico.meter.ops.clear()
        self._changed_at = time.monotonic()

    def turn(self) -> None:
        """Move bytes both ways and let the guest run for a few ms, or sleep for at most 0.2 s.

        :raises OSError: the state file cannot be written; the output that depends on it is held back
        """
        self._exchange(self._idle_s())
        if self._pacer is None:
            if not self._pico.stalled:
                self._pico.run_slice()
        elif not self._pico.idle:
            self._pacer.run_slice()
        self._save_if_quiet()

    def save(self) -> None:
        """Bring the state file up to date.

        :raises OSError: it cannot be written
        """
        if self._changed_at is None:
            return
        if self._state is not None:
            self._state.save(self._pico.flash_image())
            self.saves += 1
        self._changed_at = None

    def _idle_s(self) -> float:
        idle_s = self._pacer.idle_s() if self._pacer else None if self._pico.stalled else 0.0
        limit_s = _NAP_S if self._changed_at is None else _QUIET_S
        return limit_s if idle_s is None else min(idle_s, limit_s)

    def _exchange(self, wait_s: float) -> None:
        port = self._port
        reading = [port] if self._pico.unsent < _INPUT_LIMIT else []
        if self._output:
            self.save()
        readable, writable, _ = select.select(reading, [port] if self._output else [], [], wait_s)
        if self._pacer is not None:
            self._pacer.catch_up()
        if writable:
            del self._output[: port.write(self._output)]
        if readable and (self._gate is None or self._gate.open()):
            self._pico.send(port.read())
        excess = len(self._output) - _OUTPUT_LIMIT
        if excess > 0:
            del self._output[:excess]
            self.dropped += excess

    def _save_if_quiet(self) -> None:
        if self._changed_at is not None and time.monotonic() - self._changed_at >= _QUIET_S:
            self.save()


def serve(
    pico: Pico,
    *,
    pace: bool,
    state_file: Path | FlashStateFile | None,
    link: Path | None,
    on_ready: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """Serve until `stop()`; the flash is saved at the end, however it comes.

    :param pico: powered up, booted or not; made from the state file's content, if there is one
    :param pace: follow the wall clock
    :param state_file: where the flash goes at each change, as a path or open; None for nowhere
    :param link: a symbolic link to the port, for a stable name
    :param on_ready: called once with the path of the port
    :param stop: asked at least five times a second; `stop_signals.StopSignals` is one
    :raises StateError: another simulator has the state file
    :raises PowerLost: the simulated power failed (`FlashMeter.cut_power_at`)
    :raises OSError: the state file or the link cannot be written
    """
    with ExitStack() as stack:
        state = (
            stack.enter_context(FlashStateFile(state_file)) if isinstance(state_file, Path) else state_file
        )
        port = stack.enter_context(PtyPort(link))
        server = PtyServer(pico, port, pace=pace, state=state)
        if state is not None:
            state.save(pico.flash_image())
        try:
            on_ready(port.path)
            while not stop():
                server.turn()
        finally:
            server.save()
