# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device on an emulated Pico with the face that `session.Session` has in the unit tests."""

from collections.abc import Sequence
from pathlib import Path

from parts import NOW, Host
from understudy.simulator.pico import Device, Pico
from understudy_device import wire

SECRET = "GEYTCMJRGEYTCMJRGEYTCMJRGEYTCMJR"  # 20 times 0x31, as the owner imports it
_FRAME_S = 500.0  # wall seconds for one answer on a busy machine; a handshake takes about 5


class PicoSession:
    """The device on an emulated Pico, with the face of `session.Session`: one frame in, one frame out, over
    USB."""

    def __init__(
        self,
        image: Path | None,
        flash: bytes | None = None,
        seed: int = 1,
        devices: Sequence[Device] = (),
    ) -> None:
        self.pico = Pico(image, flash=flash, seed=seed, devices=devices)
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

    def power_cycle(self, devices: Sequence[Device] = ()) -> "PicoSession":
        """The power goes and comes back: another Pico on the flash as it is."""
        return PicoSession(None, self.pico.flash_image(), seed=2, devices=devices)


class Owner(Host):
    """The admin of a device on a Pico that has one user, alice; knows what its clock says."""

    def __init__(self, device: PicoSession) -> None:
        super().__init__()
        self.device = device
        self.hello(device)
        self.start_pairing(device)
        self.at(NOW)
        assert self.ask("claim", wrap=self.wrap(), entropy="00" * 32)["role"] == "admin"
        self.settle()
        added = self.ask("user_add", user="alice", secret="31" * 20, confirmed=True, entropy="00" * 32)
        assert SECRET in added["uri"]

    def settle(self) -> None:
        """Open a session with a device that has started, unseal it and tell it the time."""
        self.open(self.device)
        self.ask("unseal", wrap=self.wrap(), entropy="00" * 32)
        self.at(NOW)
        assert self.ask("clock_set", time=NOW)["state"] == "synced"

    def at(self, time: int) -> None:
        """From here on the device's clock says `time`, when it is set."""
        self.zero = time - self.device.pico.micros // 1000000

    def now(self) -> int:
        """What the device's clock says."""
        return self.zero + self.device.pico.micros // 1000000

    def ask(self, cmd: str, number: str | None = None, **fields: object) -> dict:
        """One request; the reply, or the status of a fault."""
        return super().ask(self.device, cmd, number, **fields)

    def verify(self, code: str) -> str:
        """The verdict on a code of alice's."""
        return self.ask("verify", user="alice", code=code)["status"]
