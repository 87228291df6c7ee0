# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device on an emulated Pico with the face that `session.Session` has in the unit tests."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import large
import pyotp
from parts import NOW, Bench, BenchBoard, CutFlash, Host
from understudy.simulator.flash_layout import FLASH_SIZE, FS_SIZE, FS_START
from understudy.simulator.pico import Device, Pico
from understudy_device import wire
from understudy_device.events import Event

SECRET = "GEYTCMJRGEYTCMJRGEYTCMJRGEYTCMJR"  # 20 times 0x31, as the owner imports it
TOTP = pyotp.TOTP(SECRET)
ENTROPY = "00" * 32
# For one answer. A handshake takes a third of a second, a stock board's first hello eight: it loads itself.
_FRAME_US = 30_000_000  # simulated
_FRAME_S = 900.0  # wall; those eight seconds take 80, on a machine that does nothing else


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
        answer = self.pico.expect(b"\n", wall_s=_FRAME_S, sim_us=_FRAME_US)
        self.micros = self.pico.micros - start
        self.bytes = (len(frame), len(answer))
        decoded = wire.decode(answer)
        assert decoded is not None, answer
        return decoded

    def power_cycle(self, devices: Sequence[Device] = ()) -> "PicoSession":
        """The power goes and comes back: another Pico on the flash as it is."""
        return PicoSession(None, self.pico.flash_image(), seed=2, devices=devices)


def chip(region: bytes) -> bytes:
    """A Pico's whole flash with `region` as the store's."""
    if len(region) != FS_SIZE:
        raise ValueError(f"the store's region has {FS_SIZE} bytes, not {len(region)}")
    return b"\xff" * FS_START + region + b"\xff" * (FLASH_SIZE - FS_START - FS_SIZE)


@cache
def claimed() -> tuple[bytes, bytes]:
    """(flash, device's key) of a device that an Owner has claimed, with alice on it.

    Made in memory, by the same code: on the emulated Pico it takes twenty seconds.
    """
    bench = Bench(BenchBoard(CutFlash(sectors=large.SECTORS)))
    assert bench.enrol()["status"] == "ok"
    return chip(bench.board.flash.image()), bench.admin.device_key


class Owner(Host):
    """The admin of a device on a Pico; knows what its clock says. `device`: its PicoSession."""

    def __init__(self, device: Any = None) -> None:
        super().__init__()
        self.device = device
        self.zero = 0

    def take_over(self, power_up: Callable[[bytes], PicoSession]) -> "Owner":
        """A device that this host has claimed before, and that has a user, alice; `power_up`: it, on this
        flash. Settles, and returns this host."""
        flash, self.device_key = claimed()
        self.device = power_up(flash)
        self.hello(self.device)
        self.settle()
        return self

    def claim(self) -> None:
        """A new device: pair with it, and open a session."""
        self.hello(self.device)
        self.start_pairing(self.device)
        assert self.ask("claim", wrap=self.wrap(), entropy=ENTROPY)["role"] == "admin"
        self.open(self.device)

    def settle(self) -> None:
        """Open a session with a device that has started, unseal it and tell it the time."""
        self.open(self.device)
        self.bring_secret()
        self.tell_time()

    def bring_secret(self) -> None:
        """Bring this host's secret, in a session that is open."""
        self.ask("unseal", wrap=self.wrap(), entropy=ENTROPY)

    def tell_time(self) -> None:
        """Set the clock to NOW."""
        self.at(NOW)
        assert self.ask("clock_set", time=NOW)["state"] == "synced"

    def enrol(self) -> None:
        """Add alice."""
        added = self.ask("user_add", user="alice", secret="31" * 20, confirmed=True, entropy=ENTROPY)
        assert SECRET in added["uri"]

    def at(self, time: int) -> None:
        """From here on the device's clock says `time`, when it is set."""
        self.zero = time - self.device.pico.micros // 1000000

    def now(self) -> int:
        """What the device's clock says."""
        return self.zero + self.device.pico.micros // 1000000

    def ask(self, cmd: str, number: str | None = None, **fields: object) -> Any:
        """One request; the reply, or the status of a fault."""
        return super().ask(self.device, cmd, number, **fields)

    def verify(self, code: str) -> str:
        """The verdict on a code of alice's."""
        return str(self.ask("verify", user="alice", code=code)["status"])

    def events(self, *names: str) -> list[tuple[str, str | None]]:
        """(name, detail) of every event of these names in the audit log."""
        found: list[tuple[str, str | None]] = []
        first = 0
        while page := self.ask("audit_read", first=first)["events"]:
            for number, data, _, detail, _ in page:
                found.append((Event.unpack(bytes.fromhex(data)).name, detail))
                first = number + 1
        return [event for event in found if event[0] in names]
