# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Nothing: being frozen, it is what MicroPython finds when it looks for a boot.py to run before main.py."""
