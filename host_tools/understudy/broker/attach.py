# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An admin's own session with the device, carried by the broker, in turn with the logins.

The device has one session at a time, so a change costs a handshake, and both sides find by themselves that
theirs has ended. An attached peer keeps the device as long as its next frame comes soon, for a while at most:
or a few frames (a handshake, the unsealing, the request) would never get through between many logins.
"""

import asyncio
import queue
import time

from understudy.broker.owner import Job, Open, Owner
from understudy.deadline import Deadline
from understudy_device.errors import UnderstudyError

_ANSWER_SECONDS = 30.0  # for one answer: a Pico's factory reset takes 16 s
_SOON_SECONDS = 0.3  # that the device waits for the next frame while a login may be waiting, too
_TURN_SECONDS = 3.0  # that logins wait at most
_SEND_SECONDS = 5.0


class Attachment:
    """A connection whose frames go to the device; runs until one of the two has gone."""

    def __init__(self, owner: Owner, key: str, writer: asyncio.StreamWriter) -> None:
        """`key`: of the waiting line."""
        self._owner = owner
        self._key = key
        self._writer = writer
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._turn: asyncio.Task[None] | None = None

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Carry frames until the peer closes, or the device goes."""
        try:
            while True:
                self._lines.put(await reader.readuntil(b"\n"))
                if self._turn is None or self._turn.done():
                    if self._turn is not None:
                        self._turn.result()
                    self._turn = asyncio.create_task(self._turns())
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnderstudyError):
            return  # the other end sees the connection end
        finally:
            if self._turn is not None:
                self._turn.cancel()

    async def _turns(self) -> None:
        try:
            while not self._lines.empty():
                job = Job(self._take_turn, Deadline(_ANSWER_SECONDS), once=True)
                await asyncio.wrap_future(self._owner.put(self._key, job))
        except UnderstudyError:
            self._writer.close()  # ends `run`, too
            raise

    def _take_turn(self, device: Open) -> None:
        """In the device's thread: frames and answers, until none comes soon or the turn is over."""
        end = time.monotonic() + _TURN_SECONDS
        while time.monotonic() < end:
            try:
                line = self._lines.get(timeout=_SOON_SECONDS)
            except queue.Empty:
                return
            answer = device.relay(line, Deadline(_ANSWER_SECONDS))
            self._loop.call_soon_threadsafe(self._writer.write, answer)
