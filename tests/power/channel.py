# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Python objects over a pair of pipes, with no buffer, so that a forked process goes on where its parent was.

The two ends are ours; nothing from outside is ever unpickled.
"""

import os
import pickle
import select
import time
from typing import Any

_CHUNK = 1 << 16


class Channel:
    """One end."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing

    def send(self, value: object) -> None:
        """Send an object."""
        data = pickle.dumps(value)
        view = memoryview(len(data).to_bytes(8, "big") + data)
        while view:
            view = view[os.write(self._writing, view) :]

    def receive(self, seconds: float | None = None) -> Any:
        """The next object. EOFError when the other end is closed, TimeoutError when it takes too long."""
        end = None if seconds is None else time.monotonic() + seconds
        size = int.from_bytes(self._read(8, end), "big")
        return pickle.loads(self._read(size, end))

    def _read(self, count: int, end: float | None) -> bytes:
        data = bytearray()
        while len(data) < count:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._reading], [], [], left)[0]:
                raise TimeoutError("the other end does not answer")
            part = os.read(self._reading, min(_CHUNK, count - len(data)))
            if not part:
                raise EOFError("the other end is closed")
            data += part
        return bytes(data)
