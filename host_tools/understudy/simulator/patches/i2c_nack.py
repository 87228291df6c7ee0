# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""TX_EMPTY after an aborted I2C transfer (RP2040 data sheet 4.3.12: an abort flushes the transmit FIFO).

Without it the status bit stays clear after a NACK. pico-sdk waits for it before it looks at the reason, so
writing to an absent address takes the whole 50 ms time-out and raises ETIMEDOUT where a board raises EIO at
once.
"""

from rp2040py.peripherals.i2c import R_TX_EMPTY, RPI2C
from rp2040py.rp2040 import RP2040

from .hooks import after


def install(mcu: RP2040) -> None:
    """Set TX_EMPTY whenever either I2C block aborts."""
    for block in mcu.i2c:
        _patch(block)


def _patch(block: RPI2C) -> None:
    after(block, "_abort", lambda: block._set_interrupts(R_TX_EMPTY))
