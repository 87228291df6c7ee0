# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The firmware in the Pico's real MicroPython image, on the emulator, in a process of its own."""

import copy
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.power.channel import Channel
from tests.power.engine import PowerFailed, Reply, data_of, decoded, seed_of
from tests.power.flash import Op, Tear
from tests.power.requests import HOSTS, Request
from tests.power.world import World

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 300.0  # wall time for one answer of the worker on a busy machine


class PicoDevice:
    """An emulated Pico that has power; see `engine.Running`."""

    def __init__(self, channel: Channel, world: World) -> None:
        self._channel = channel
        self._world, self._number = copy.copy(world), 0

    def _call(self, name: str, *arguments: object) -> Any:
        self._channel.send((name, *arguments))
        return self._channel.receive(_SECONDS)

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """See `Running`."""
        asked = []
        for request in requests:
            self._number += 1
            asked.append((HOSTS[request.who].keys.public, data_of(request, self._world, self._number)))
        replies = self._call("ask", asked) if asked else []
        if replies is None:
            raise PowerFailed
        return [decoded(reply) for reply in replies]

    def take_ops(self) -> list[Op]:
        """See `Running`."""
        ops: list[Op] = self._call("take_ops")
        return ops

    def cut_at(self, index: int, tear: Tear, seed: int = 0) -> None:
        """See `Running`; with the tears of `FlashMeter`."""
        self._call("cut_at", index, tear, seed)

    def image(self) -> bytes:
        """See `Running`."""
        image: bytes = self._call("image")
        return image

    @property
    def micros(self) -> int:
        """Simulated microseconds since power-up."""
        return int(self._call("micros"))

    def off(self) -> None:
        """See `Running`."""
        self._channel.send(("off",))


class PicoEngine:
    """A context manager; one Pico at a time has power."""

    def __init__(self, image: Path, *, cold: bool = False) -> None:
        """`cold`: each power-up from the first instruction on, not from where the modules are imported."""
        self._image, self.cold = image, cold
        self.boots = 0

    def __enter__(self) -> "PicoEngine":
        path = os.pathsep.join(path or "." for path in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.power.pico_worker", str(self._image)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._channel = Channel(self._process.stdout.fileno(), self._process.stdin.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(_SECONDS)

    def start(self, image: bytes, world: World) -> PicoDevice:
        """See `Engine`."""
        self.boots += 1
        time = world.booted if world.rtc else None
        self._channel.send((image, time, seed_of(world), self.cold))
        self._channel.receive(_SECONDS)
        return PicoDevice(self._channel, world)
