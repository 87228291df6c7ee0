# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""SIGTERM and SIGINT as a question that can be asked."""

import signal
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """A context manager (main thread only) that, when called, tells whether one of the signals has come."""

    def __init__(self) -> None:
        self._stopped = False
        self._before: list[Any] = []

    def __call__(self) -> bool:
        return self._stopped

    def __enter__(self) -> "StopSignals":
        self._before = [signal.signal(number, self._stop) for number in _SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in zip(_SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped = True
