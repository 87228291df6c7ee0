# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The display: an SSD1306 of 128 by 64 pixels on I2C, by Adafruit's driver."""

_ADDRESSES = (0x3C, 0x3D)  # by the module's jumper
_OFF = 0x40  # in the status byte that the chip gives when read (data sheet, table 9-2)


class Display:
    """What ports/__init__.py says of a display."""

    def __init__(self, bus, address):
        # Here and not above: a board without a display need not hold the driver in its RAM.
        from adafruit_ssd1306 import SSD1306_I2C  # noqa: PLC0415

        self._driver = SSD1306_I2C(128, 64, bus, addr=address)
        self.buffer = memoryview(self._driver.buffer)[1:]  # behind the driver's control byte
        self._status = bytearray(1)
        self._tells = self._is_lit()

    def show(self):
        """Send the buffer. Raises OSError."""
        self._driver.show()

    def is_on(self):
        """False if the chip has lost its settings, with its power. Raises OSError if it does not answer."""
        return self._is_lit() or not self._tells  # some modules' chips don't tell

    def _is_lit(self):
        with self._driver.i2c_device as device:
            device.readinto(self._status)
        return not self._status[0] & _OFF


def open_display(bus):
    """The display on a bus with the methods of CircuitPython's busio.I2C.

    Raises OSError if none answers or the bus does not work.
    """
    for address in _ADDRESSES[:-1]:
        try:
            _ask(bus, address)
            return Display(bus, address)
        except OSError:  # nobody at this address
            pass
    _ask(bus, _ADDRESSES[-1])
    return Display(bus, _ADDRESSES[-1])


def _ask(bus, address):
    """Read a byte, as the driver does after all that it sets up; OSError if nobody is there to give it."""
    bus.try_lock()  # nobody else uses it meanwhile
    try:
        bus.readfrom_into(address, bytearray(1))
    finally:
        bus.unlock()
