# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What an engine gives: a device that has power, takes requests, tells its flash operations, can be cut."""

import copy
import errno
import json
from collections.abc import Sequence
from typing import Any, Protocol

from tests.power import guest
from tests.power.flash import Op, Tear, apply, erase, program
from tests.power.requests import HOSTS, PSEUDO, Request, encoded, wrap_of
from tests.power.world import World

from parts import BenchBoard, CutFlash, Randomness
from understudy.simulator.flash_layout import PAGE, SECTOR

Reply = dict[str, Any]
SECTORS = 12


class PowerFailed(BaseException):
    """The power went away. No `except Exception` of the firmware may stop that."""


class Running(Protocol):
    """A device that has power."""

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """The replies, in order. Raises PowerFailed when the power fails in one of them."""

    def take_ops(self) -> list[Op]:
        """The flash operations since the last `take_ops`."""

    def cut_at(self, index: int, tear: Tear, seed: int = 0) -> None:
        """Let the power fail in the index-th flash operation from now."""

    def image(self) -> bytes:
        """What is on the store's region."""

    def off(self) -> None:
        """The power is switched off."""


class Engine(Protocol):
    """Makes devices run."""

    def start(self, image: bytes, world: World) -> Running:
        """Power up on what is on the region, `image`."""


class RecordingFlash(CutFlash):
    """The flash file in memory, which keeps its operations as the chip would see them."""

    def __init__(self, image: bytes) -> None:
        super().__init__(image, len(image) // SECTOR)
        self.ops: list[Op] = []
        self.cut: tuple[int, Tear, int] | None = None
        self.fail: tuple[int, Tear] | None = None

    def _write(self, offset: int, data: bytes) -> None:
        if self.dead:
            raise PowerFailed
        op = self._op(offset, data)
        if self.cut is not None and self.cut[0] == len(self.ops):
            self.dead = True
            self._put(op, op.left(*self.cut[1:]))
            raise PowerFailed
        if self.fail is not None and self.fail[0] == len(self.ops):
            self._put(op, op.left(self.fail[1]))
            self.fail = None
            raise OSError(errno.ENOSPC, "No space left on device")
        self.ops.append(op)
        self._put(op, op.after)

    def _op(self, offset: int, data: bytes) -> Op:
        if len(data) == SECTOR:
            return erase(offset, self._content(offset, SECTOR))
        start = offset - offset % PAGE
        before = self._content(start, PAGE)
        return program(offset, before, apply(before, Op("program", offset - start, b"", bytes(data))))

    def _content(self, offset: int, size: int) -> bytes:
        return self.memory.getbuffer()[offset : offset + size].tobytes()

    def _put(self, op: Op, content: bytes) -> None:
        self.memory.seek(op.offset)
        self.memory.write(content)


class MemoryDevice:
    """The device in this process; see `Running`."""

    def __init__(self, image: bytes, world: World, seed: bytes) -> None:
        self.flash = RecordingFlash(image)
        board = BenchBoard(self.flash, seed, world.booted if world.rtc else None)
        board.random = Randomness(seed)
        self.rig = guest.Rig(board)
        self._world, self._number = copy.copy(world), 0

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """See `Running`."""
        return [self._ask(request) for request in requests]

    def _ask(self, request: Request) -> Reply:
        self._number += 1
        data = data_of(request, self._world, self._number)
        return decoded(self.rig.call(HOSTS[request.who].keys.public, data))

    def take_ops(self) -> list[Op]:
        """See `Running`."""
        ops, self.flash.ops = self.flash.ops, []
        return ops

    def cut_at(self, index: int, tear: Tear, seed: int = 0) -> None:
        """See `Running`."""
        self.flash.ops = []
        self.flash.cut = (index, tear, seed)

    def fail_at(self, index: int, tear: Tear) -> None:
        """Let the index-th flash operation from now fail, and those after it work."""
        self.flash.ops = []
        self.flash.fail = (index, tear)

    def uncut(self) -> bool:
        """Whatever was to come comes no more; whether something was still to come."""
        waits = self.flash.cut is not None or self.flash.fail is not None
        self.flash.cut = self.flash.fail = None
        return waits

    def image(self) -> bytes:
        """See `Running`."""
        return self.flash.image()

    def off(self) -> None:
        """See `Running`."""
        self.flash.dead = True


class MemoryEngine:
    """The firmware under CPython over a flash in memory: a cut costs milliseconds."""

    def __init__(self) -> None:
        self.boots = 0

    def start(self, image: bytes, world: World) -> MemoryDevice:
        """See `Engine`."""
        self.boots += 1
        return MemoryDevice(image, world, seed_of(world))


def seed_of(world: World) -> bytes:
    """Of the chip's random bits: each power-up has its own, the same in every run."""
    return b"chip %d" % world.boots


def data_of(request: Request, world: World, number: int) -> bytes:
    """The bytes that reach the rig; no two power-ups have a request id in common."""
    if request.cmd in PSEUDO:
        return json.dumps({"cmd": request.cmd, **request.fields}).encode()
    return encoded(request, f"{world.boots:08x}{number:08x}", wrap_of(request.who))


def decoded(reply: bytes) -> Reply:
    """A reply as a dict."""
    result = json.loads(reply)
    assert isinstance(result, dict) and isinstance(result["status"], str), reply
    return result
