# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An I2C bus with the methods of CircuitPython's busio.I2C, which the display's driver wants."""


class BusioI2C:
    """A platform gives `_write(address, data, stop)` and `_read(address, view)`, which raise OSError."""

    def __init__(self):
        self._taken = False

    def try_lock(self):
        """Whether the bus was free, and is ours now."""
        free, self._taken = not self._taken, True
        return free

    def unlock(self):
        """Give it back."""
        self._taken = False

    def writeto(self, address, buffer, *, start=0, end=None):
        """Write buffer[start:end]."""
        self._write(address, memoryview(buffer)[start:end], True)

    def readfrom_into(self, address, buffer, *, start=0, end=None):
        """Fill buffer[start:end]."""
        self._read(address, memoryview(buffer)[start:end])

    def writeto_then_readfrom(
        self, address, out_buffer, in_buffer, *, out_start=0, out_end=None, in_start=0, in_end=None
    ):
        """Write one, and fill the other without a stop between, where the platform can do that."""
        self._write(address, memoryview(out_buffer)[out_start:out_end], False)
        self._read(address, memoryview(in_buffer)[in_start:in_end])
