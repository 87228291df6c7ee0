# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A microcontroller board under MicroPython: USB serial for a link, raw flash for the store.

The only place that imports `machine`.
"""

import gc
import os
import select
import sys
import time

import micropython

# At once: from here on Ctrl-C is data on the link and not a way to a prompt.
micropython.kbd_intr(-1)

import machine  # noqa: E402
import rp2  # noqa: E402
from board_data import BOARD  # noqa: E402

from understudy_device.fileflash import SectorFiles  # noqa: E402
from understudy_device.sectors import PAGE, SECTOR  # noqa: E402

_LINE = 2200  # bytes, over wire.MAX_LINE
_FOLDER = "/flash"
_FOLDER_SIZE = 64 * SECTOR  # bytes; a file system has other things to hold
_QUIET = 5  # milliseconds without a request in which nobody can be waiting
_TICK = 1000  # milliseconds
_I2C_HZ = 400000  # what both SSD1306 and DS3231 take
_BLOCK = 16  # bytes, the unit of MicroPython's heap
_IN_A_ROW = 100  # blocks


class RawFlash:
    """The storage region of the chip's flash, straight through rp2.Flash: no file system in between."""

    def __init__(self):
        self._flash = rp2.Flash()
        self.size = self._flash.ioctl(4, 0) * self._flash.ioctl(5, 0)  # block count times block size
        self._page = bytearray(PAGE)
        self._blank = b"\xff" * PAGE

    def readinto(self, offset, buffer):
        """Fill `buffer` from `offset`."""
        self._flash.readblocks(offset // SECTOR, buffer, offset % SECTOR)

    def program(self, offset, data):
        """Program within one page.

        Whole pages only: rp2.Flash writes what lies behind a shorter buffer as well.
        """
        page = self._page
        start = offset % PAGE
        page[:] = self._blank
        page[start : start + len(data)] = data
        whole = offset - start
        self._flash.writeblocks(whole // SECTOR, page, whole % SECTOR)

    def erase(self, offset):
        """Erase one sector."""
        self._flash.ioctl(6, offset // SECTOR)


class BusioI2C:
    """machine.I2C with the methods of CircuitPython's busio.I2C, which the display's driver wants."""

    def __init__(self, bus, sda, scl):
        self._bus = machine.I2C(bus, sda=machine.Pin(sda), scl=machine.Pin(scl), freq=_I2C_HZ)
        self._taken = False

    def try_lock(self):
        """Whether the bus was free, and is ours now."""
        free, self._taken = not self._taken, True
        return free

    def unlock(self):
        """Give it back."""
        self._taken = False

    def scan(self):
        """The addresses that answer."""
        return self._bus.scan()

    def writeto(self, address, buffer, *, start=0, end=None):
        """Write buffer[start:end]."""
        self._bus.writeto(address, memoryview(buffer)[start:end])

    def readfrom_into(self, address, buffer, *, start=0, end=None):
        """Fill buffer[start:end]."""
        self._bus.readfrom_into(address, memoryview(buffer)[start:end])

    def writeto_then_readfrom(
        self, address, out_buffer, in_buffer, *, out_start=0, out_end=None, in_start=0, in_end=None
    ):
        """Write one, and fill the other without a stop between."""
        self._bus.writeto(address, memoryview(out_buffer)[out_start:out_end], False)
        self._bus.readfrom_into(address, memoryview(in_buffer)[in_start:in_end])


def _has_file_system():
    try:
        return bool(os.listdir("/"))
    except OSError:
        return False


def _file_flash():
    try:
        os.mkdir(_FOLDER)
    except OSError:  # there already
        pass
    return SectorFiles(open, os.remove, _FOLDER, _FOLDER_SIZE)


class Board:
    """See ports/__init__.py."""

    info = BOARD
    locked = False  # this image keeps MicroPython's prompt for development

    def __init__(self, argv):
        # A stock MicroPython has its file system where our own image has the store.
        self.flash_kind = "file" if _has_file_system() else "raw"
        self.flash = _file_flash() if self.flash_kind == "file" else RawFlash()
        self._input = sys.stdin.buffer
        self._output = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._started = time.time()
        self.i2c = self._find_i2c()
        self._filling = None

    @staticmethod
    def _find_i2c():
        if "i2c" not in BOARD["pins"]:
            return None
        return BusioI2C(*[BOARD["pins"][name] for name in ("i2c", "sda", "scl")])

    @staticmethod
    def random(count):
        """Bytes from the chip's ring oscillator; the core mixes in more, for this source is not certified."""
        return os.urandom(count)

    def uptime(self):
        """Seconds: MicroPython's clock runs from power-up, and nothing here ever sets it."""
        return time.time() - self._started

    @staticmethod
    def memory():
        """Free bytes of the heap. Walks all of it (8 ms), so nothing that hurries may ask."""
        gc.collect()
        return gc.mem_free()

    def start_clock(self, clock):
        """This board does not know the time at power-up."""

    def settle(self):
        """Fill the small holes that start-up has left in the heap, for good: a few KiB of RAM.

        The allocator would walk over all of them whenever it looks for two blocks or more in a row, which
        is a third of the time that a request takes.
        """
        gc.collect()
        filling = None
        in_a_row = 0
        while in_a_row < _IN_A_ROW:
            before = id(filling)
            filling = (filling,)  # one block, always the lowest that is free
            in_a_row = in_a_row + 1 if id(filling) == before + _BLOCK else 0
        self._filling = filling

    def read(self):
        """What has come in, up to a line: several times cheaper here than byte by byte. None when nothing has
        for a second.

        Garbage is collected when the link is quiet, rather than at random inside a request.
        """
        if not self._poll.poll(_QUIET):
            gc.collect()
            if not self._poll.poll(_TICK):
                return None
        return self._input.readline(_LINE)

    def write(self, data):
        """Send all of `data`."""
        self._output.write(data)

    @staticmethod
    def leave():
        """Start anew; the data key goes with the RAM."""
        machine.reset()

    @staticmethod
    def show(lines):
        """No display yet on this port."""
