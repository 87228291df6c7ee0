# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Waiting lines, one for each key, served in turn: whoever asks a lot waits behind himself."""

import threading
from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Takes items under a key from any thread, gives them to one."""

    def __init__(self, most: int) -> None:
        """`most`: items that wait under one key."""
        self._most = most
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()
        self._changed = threading.Condition()
        self._nudged = False

    def put(self, key: str, item: T) -> bool:
        """Take an item in; False when the line under its key is full."""
        with self._changed:
            line = self._lines.setdefault(key, deque())
            if len(line) >= self._most:
                return False
            line.append(item)
            self._changed.notify()
            return True

    def get(self, seconds: float) -> T | None:
        """The next item in turn; None when none comes within `seconds`, or at a `nudge`."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._nudged, seconds)
            self._nudged = False
            if not self._lines:
                return None
            key, line = self._lines.popitem(last=False)
            item = line.popleft()
            if line:
                self._lines[key] = line  # to the end of the round
            return item

    def nudge(self) -> None:
        """End a `get` that waits."""
        with self._changed:
            self._nudged = True
            self._changed.notify()

    def __len__(self) -> int:
        with self._changed:
            return sum(len(line) for line in self._lines.values())
