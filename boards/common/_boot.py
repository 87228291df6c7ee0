# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Runs before main.py, in the place of the stock one, which would format the region the store lives in.

No file system is mounted: everything that runs is frozen, and the store works on the raw region.
"""

import sys

sys.path[:] = [".frozen"]  # a module found elsewhere would run in the place of ours
