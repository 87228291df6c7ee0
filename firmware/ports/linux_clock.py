# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Whether the operating system knows the time, or has only a clock that runs: a Pi without network starts
from the hour at which it was switched off."""

import os
import time

_MARK = "/run/systemd/timesync/synchronized"  # touched at each synchronisation (systemd-timesyncd(8))
_FRESH = 86400  # s after which the last synchronisation is no word on the present
_CRYSTAL_PPM = 100  # of a Pi, and some
_MILLION = 1000000
_MAX_ERROR = 16 * _MILLION  # us; from there on the kernel calls its clock unsynchronised (adjtimex(2))


def _of_mark(path, now):
    """Seconds of error by the age of the file, or None."""
    try:
        age = now - os.stat(path)[8]  # st_mtime
    except OSError:
        return None
    return 1 - (-age * _CRYSTAL_PPM // _MILLION) if 0 <= age < _FRESH else None


def kernel_error():
    """Microseconds that the kernel's clock may be off, as chronyd or ntpd told it; None where nobody did.

    CPython only. A unit that denies ctypes its memory or the call gets None.
    """
    try:
        import ctypes  # noqa: PLC0415 -- not on MicroPython

        # struct timex: modes, offset, freq, maxerror, ..., each as wide as a long; modes 0 changes nothing.
        words = (ctypes.c_long * 64)()
        state = ctypes.CDLL(None, use_errno=True).adjtimex(words)
    except (ImportError, AttributeError, OSError, MemoryError):
        return None
    return words[3] if 0 <= state < 5 and words[3] < _MAX_ERROR else None  # 5: TIME_ERROR


class SystemClock:
    """The system's clock, as far as it is synchronised.

    `mark`: a file that is touched at each synchronisation, and then nothing else counts; "" for
    systemd-timesyncd's, or else the kernel's word. `read()`: Unix seconds.
    """

    def __init__(self, mark="", read=lambda: int(time.time()), ask_kernel=kernel_error):
        self.read = read
        self._mark = mark or _MARK
        self._ask_kernel = None if mark else ask_kernel

    def error(self):
        """Seconds, either way, or None while the system does not know the time."""
        error = _of_mark(self._mark, self.read())
        if error is None and self._ask_kernel is not None:
            told = self._ask_kernel()
            error = None if told is None else 1 - (-told // _MILLION)
        return error
