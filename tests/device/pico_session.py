# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device on an emulated Pico with the face that `session.Session` has in the unit tests."""

from pathlib import Path

from understudy.simulator.pico import Pico
from understudy_device import wire

_FRAME_S = 240.0  # wall seconds for one answer on a busy machine; a handshake takes about 5


class PicoSession:
    """The device on an emulated Pico, with the face of `session.Session`: one frame in, one frame out, over
    USB."""

    def __init__(self, image: Path | None, flash: bytes | None = None, seed: int = 1) -> None:
        self.pico = Pico(image, flash=flash, seed=seed)
        self.pico.boot()
        self.micros = 0
        self.bytes = (0, 0)

    def handle(self, kind: int, payload: bytes) -> tuple[int, bytes]:
        """Send a frame and wait for the one that answers it. Notes simulated us and the bytes of both."""
        frame = wire.encode(kind, payload)
        start = self.pico.micros
        self.pico.send(frame)
        answer = self.pico.expect(b"\n", wall_s=_FRAME_S)
        self.micros = self.pico.micros - start
        self.bytes = (len(frame), len(answer))
        decoded = wire.decode(answer)
        assert decoded is not None, answer
        return decoded

    def power_cycle(self) -> "PicoSession":
        """The power goes and comes back: another Pico on the flash as it is."""
        return PicoSession(None, self.pico.flash_image(), seed=2)
