# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Source that tests send to the Pico by its prompt."""

COST = """
import time
def cost(call):
    "The fewest us that a call takes, of several: the collector and the interrupts strike now and then."
    best = None
    for _ in range(5):
        start = time.ticks_us()
        call()
        spent = time.ticks_diff(time.ticks_us(), start)
        best = spent if best is None or spent < best else best
    return best
"""
