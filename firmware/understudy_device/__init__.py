# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The portable core of the device: no hardware import, no host import; clock, randomness and flash are handed
in."""
