# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""main.py of a development image: two seconds after power-up in which Ctrl-C opens MicroPython's prompt.

Then the firmware starts, to which Ctrl-C is data: what it holds in RAM is not for whoever comes by later.
"""

import time

time.sleep(2)

import firmware_main  # noqa: E402, F401
