# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A Linux I2C bus (/dev/i2c-N) with the methods of CircuitPython's busio.I2C, and what else the display's
driver looks for on CPython.

CPython only. The usual way is Adafruit-Blinka, whose board detection and dependencies are large for two
system calls. Not tried on a real Raspberry Pi.
"""

import fcntl
import os
import sys

from ports._busio import BusioI2C

_I2C_SLAVE = 0x0703  # ioctl: the address of what is read and written from now on (linux/i2c-dev.h)


class LinuxI2C(BusioI2C):
    """The bus with number `number`.

    There is a stop between a write and the read after it, which neither SSD1306 nor DS3231 minds.
    """

    def __init__(self, number, folder="/dev", ioctl=fcntl.ioctl):
        super().__init__()
        self._file = os.open("%s/i2c-%d" % (folder, number), os.O_RDWR)
        self._ioctl = ioctl

    def _write(self, address, data, _stop):
        self._ioctl(self._file, _I2C_SLAVE, address)
        # i2c-dev does nothing for an empty write, and the driver asks by one who is there.
        if len(data) == 0:
            os.read(self._file, 1)
        elif os.write(self._file, data) != len(data):
            raise OSError("short write")

    def _read(self, address, view):
        self._ioctl(self._file, _I2C_SLAVE, address)
        data = os.read(self._file, len(view))
        if len(data) != len(view):
            raise OSError("short read")
        view[:] = data


class _Names:
    """Stands in for a module of CircuitPython's while the driver is imported: names for its annotations,
    which CPython looks up, and `const`."""

    I2C = SPI = DigitalInOut = ReadableBuffer = WriteableBuffer = object

    @staticmethod
    def const(value):
        """Return value."""
        return value


def import_driver():
    """Import ports._display, and the driver that it takes, where none of CircuitPython's modules are."""
    missing = [
        name
        for name in ("micropython", "busio", "digitalio", "circuitpython_typing")
        if name not in sys.modules
    ]
    sys.modules.update({name: _Names for name in missing})
    try:
        # With the above in place.
        import adafruit_ssd1306  # noqa: F401, PLC0415

        from ports import _display  # noqa: PLC0415
    finally:
        for name in missing:
            del sys.modules[name]
    return _display
