# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A process with an emulated Pico in it: `python -m tests.power.pico_worker IMAGE`, for `pico_engine`.

The first part of every power-up is the same, whatever is on the store's region, which nothing has read by
then: MicroPython starts, and the firmware's modules are imported. It is run once, and the process forks for
each power-up from there; `cold` ones go all the way. A process of its own, because only one thread may fork.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import Any

from tests.power.channel import Channel
from tests.power.flash import Op
from tests.power.requests import HOSTS

from understudy.simulator.errors import PowerLost
from understudy.simulator.flash_layout import FLASH_SIZE, FS_START
from understudy.simulator.flash_meter import FlashOp
from understudy.simulator.pico import Pico
from understudy.simulator.raw_repl import RawRepl

_GUEST = Path(__file__).with_name("guest.py")
_BOARD = """
import sys
from ports.micropython import Board
class PowerBoard(Board):
    "The Pico's own board, with the harness's clock and chance, and a store on part of the region."
    def __init__(self, time, seed, size):
        super().__init__([])
        self.up, self._time, self.random, self.flash.size = 0, time, Randomness(seed), size
    def uptime(self):
        return self.up
    def start_clock(self, clock):
        if self._time is not None:
            clock.start(self._time, "bench")
class Heap:
    "What holds the holes in it filled, from before the device is there."
    settle = Board.settle
heap = Heap()
heap.settle()
def serve(rig, keys):
    "A line for each request and each reply: as source and output they would take as long as the requests."
    while True:
        line = sys.stdin.buffer.readline()
        sys.stdout.buffer.write(rig.call(keys[line[0] - ord("0")], line[1:-1]) + b"\\n")
"""
_KEYS = sorted({host.keys.public for host in HOSTS.values()})
_SECONDS = 240.0  # wall time for one reply on a busy machine


class Guest:
    """The Pico, up to where the firmware's modules are imported."""

    def __init__(self, image: Path, region: bytes = b"") -> None:
        self.pico = Pico(image, flash=b"\xff" * FS_START + region, seed=1)
        self.pico.boot()
        self.repl = RawRepl(self.pico)
        self.repl.exec(_GUEST.read_text() + _BOARD)
        if self.pico.meter.take():
            raise AssertionError("something was written before the device was there")
        self.ops: list[Op] = []
        self._shadow = bytearray()

    def start(self, region: bytes, time: int | None, seed: bytes) -> None:
        """Compose the device on this region."""
        flash = self.pico.mcu.flash
        flash[FS_START:FLASH_SIZE] = region + b"\xff" * (FLASH_SIZE - FS_START - len(region))
        self._shadow = bytearray(region)
        self.pico.meter.on_change = self._changed
        self.repl.exec(f"rig = Rig(PowerBoard({time}, {seed}, {len(region)}))")
        self.repl.start(f"serve(rig, {_KEYS})")

    def _changed(self, op: FlashOp) -> None:
        start = op.address - FS_START
        after = bytes(self.pico.mcu.flash[op.address : op.address + op.size])
        before = bytes(self._shadow[start : start + op.size])
        if len(before) != op.size:
            raise AssertionError(f"an operation outside of the store's region: {op}")
        self._shadow[start : start + op.size] = after
        self.ops.append(Op(op.kind, start, before, after))

    # What `pico_engine` asks for, by name.

    def ask(self, requests: list[tuple[bytes, bytes]]) -> list[bytes] | None:
        """The replies, or None when the power failed."""
        for key, data in requests:
            self.pico.send(b"%d%s\n" % (_KEYS.index(key), data))
        try:
            return [self.pico.expect(b"\n", wall_s=_SECONDS)[:-1] for _ in requests]
        except PowerLost:
            return None

    def take_ops(self) -> list[Op]:
        """The flash operations since the last time."""
        ops, self.ops = self.ops, []
        return ops

    def cut_at(self, index: int, tear: Any, seed: int) -> None:
        """By the emulator's own means."""
        self.pico.meter.cut_power_at(index, tear, seed)

    def image(self) -> bytes:
        """The region, as it is on the chip."""
        return bytes(self.pico.mcu.flash[FS_START : FS_START + len(self._shadow)])

    def micros(self) -> int:
        """Simulated microseconds since power-up."""
        return self.pico.micros


def serve(guest: Guest, channel: Channel) -> None:
    """Do what is asked for until the power is switched off."""
    while True:
        name, *arguments = channel.receive()
        if name == "off":
            return
        channel.send(getattr(guest, name)(*arguments))


def main(image: Path) -> None:
    """Fork for each power-up, one at a time."""
    channel = Channel(os.dup(0), os.dup(1))
    os.dup2(2, 1)  # whatever prints must not get in between
    warm = Guest(image)
    while True:
        try:
            region, time, seed, cold = channel.receive()
        except EOFError:
            return
        child = os.fork()
        if not child:
            code = 1
            try:
                guest = Guest(image, region) if cold else warm
                guest.start(region, time, seed)
                channel.send(None)
                serve(guest, channel)
                code = 0
            except EOFError:
                code = 0
            except BaseException:  # whatever it is: this process must not go on as the other one
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit("an emulated Pico has failed, see above")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
