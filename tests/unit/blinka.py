# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The names that CircuitPython's drivers import on CPython and use in annotations only.

On a Raspberry Pi they come from Adafruit-Blinka, which tests need no more than a Pico does.
"""

import sys

_NAMES = {
    "busio": ("I2C", "SPI"),
    "digitalio": ("DigitalInOut",),
    "circuitpython_typing": ("ReadableBuffer", "WriteableBuffer"),
}


def driver():
    """The module adafruit_ssd1306. MicroPython needs no stand-ins for that.

    They are gone afterwards: our own code takes an interpreter that has a `micropython` for MicroPython.
    """
    if sys.implementation.name == "micropython":
        import adafruit_ssd1306

        return adafruit_ssd1306
    import types

    constants = types.ModuleType("micropython")
    constants.const = lambda value: value
    modules = {"micropython": constants}
    for module, names in _NAMES.items():
        modules[module] = types.ModuleType(module)
        for name in names:
            setattr(modules[module], name, type(name, (), {}))
    missing = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(missing)
    try:
        import adafruit_ssd1306
    finally:
        for name in missing:
            del sys.modules[name]
    return adafruit_ssd1306
