# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Whether this host's clock is to be believed: the kernel knows whether somebody keeps it right.

firmware/ports/linux_clock.py asks the same call, on a Pi that is the device: how far the clock may be off.
The two stand on different sides of the link, and import nothing of each other.
"""

import ctypes
import time

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_WORDS = 64  # struct timex has fewer, each at most as wide as a long


def is_synchronised() -> bool:
    """What adjtimex(2) says of the system's clock; False where it can't be asked."""
    timex = (ctypes.c_long * _WORDS)()  # modes 0: nothing is changed
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    except (AttributeError, OSError):
        return False
    return bool(0 <= state < _TIME_ERROR)


def since_boot() -> float:
    """Seconds since the machine was started, those asleep as well. clock_gettime(2), CLOCK_BOOTTIME."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
