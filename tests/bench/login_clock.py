# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Runs a device's main.py with a clock that somebody else turns, so that every login can have a fresh code:

login_clock.py CLOCK MAIN [OPTIONS..]

CLOCK is a file of 8 bytes: Unix time in seconds, a signed integer in the machine's byte order.
"""

import mmap
import runpy
import struct
import sys
import time
from pathlib import Path

CLOCK = struct.Struct("=q")


def main() -> None:
    """Become the device."""
    with open(sys.argv[1], "rb") as file:
        shown = mmap.mmap(file.fileno(), CLOCK.size, access=mmap.ACCESS_READ)
    time.time = lambda: CLOCK.unpack_from(shown)[0]
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
