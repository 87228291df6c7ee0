# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A microcontroller board under MicroPython: USB serial for a link, raw flash for the store.

The only place that imports `machine`.
"""

import errno
import gc
import json
import os
import select
import sys
import time

import micropython

# At once: from here on Ctrl-C is data on the link and not a way to a prompt. On a locked image it always is.
if hasattr(micropython, "kbd_intr"):
    micropython.kbd_intr(-1)


def _has_file_system():
    try:
        return bool(os.listdir("/"))
    except OSError:
        return False


# A stock MicroPython has its file system where our own image has the store.
_IS_STOCK = _has_file_system()
if _IS_STOCK:
    # Its modules are loaded into RAM. Garbage is collected as it comes meanwhile, or what stays lies
    # scattered over the heap, with no room between for the store's buffer of a sector. (After every 8 KiB
    # instead, a start takes two seconds more and leaves as much.) `settle` ends this.
    gc.threshold(32768)

import machine  # noqa: E402
from board_data import BOARD  # noqa: E402

from ports._busio import BusioI2C  # noqa: E402
from understudy_device.fileflash import SectorFiles  # noqa: E402
from understudy_device.lights import STEP  # noqa: E402
from understudy_device.sectors import PAGE, SECTOR  # noqa: E402

try:
    import rp2
except ImportError:  # an ESP32
    rp2 = None

_CHUNK = 512  # bytes: most requests in one; `readline` takes so many in a row from the heap beforehand
_FOLDER = "/flash"
_NETWORK = "/network.json"  # ssid, password, servers; what it says is in the clear
_FOLDER_SIZE = 64 * SECTOR  # bytes; a file system has other things to hold
_QUIET = 5  # milliseconds without a request in which nobody can be waiting
_TICK = 1000  # milliseconds
_I2C_HZ = 400000  # what both SSD1306 and DS3231 take
_WATCHDOG = 8388  # milliseconds, the longest an RP2040 has (data sheet, 4.7.2)
# The watchdog's SCRATCH0 register, which outlives every restart but a power-up (data sheets: RP2040 4.7.6,
# RP2350 12.9.7). What stands in it says how the last run ended.
_SCRATCH = 0x400D8000 + 0x0C if "RP2350" in os.uname().machine else 0x40058000 + 0x0C
_RUNNING = 0x55534401  # still there after a restart: nobody said goodbye
_ENDS = {"fault": 0x55534402, "asked": 0x55534403}
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


class Pulse:
    """LED, button and watchdog: played, sampled and fed by a timer, whatever the firmware does."""

    def __init__(self, pins, timer, watchdog):
        self._led = machine.Pin(pins["led"], machine.Pin.OUT, value=0) if "led" in pins else None
        self._button = (
            machine.Pin(pins["button"], machine.Pin.IN, machine.Pin.PULL_UP) if "button" in pins else None
        )
        self._watchdog = watchdog
        self._pattern = "."
        self._at = 0
        self._was_pressed = False
        self.is_waiting = False  # for the link: then nothing hangs
        self._timer = machine.Timer(timer, mode=machine.Timer.PERIODIC, period=STEP, callback=self._step)

    def _step(self, _timer):
        if self._led is not None:
            self._at = (self._at + 1) % len(self._pattern)
            self._led.value(self._pattern[self._at] == "X")
        if self._button is not None and not self._button.value():
            self._was_pressed = True
        if self.is_waiting:
            self.feed()

    def feed(self):
        """Hold the watchdog off for another period."""
        if self._watchdog is not None:
            self._watchdog.feed()

    def play(self, pattern):
        """From its beginning, unless it is the one that plays."""
        if pattern != self._pattern:
            self._pattern, self._at = pattern, len(pattern) - 1

    def pressed(self):
        """Whether the button is or was pressed since the last call; None without a button."""
        if self._button is None:
            return None
        was, self._was_pressed = self._was_pressed or not self._button.value(), False
        return was


class MachineI2C(BusioI2C):
    """machine.I2C."""

    def __init__(self, bus, sda, scl):
        super().__init__()
        self._bus = machine.I2C(bus, sda=machine.Pin(sda), scl=machine.Pin(scl), freq=_I2C_HZ)

    def _write(self, address, data, stop):
        # The rp2 port takes a byte that is not acknowledged, but the address, for the end of a good transfer.
        if self._bus.writeto(address, data, stop) != len(data):
            raise OSError(errno.EIO)

    def _read(self, address, view):
        self._bus.readfrom_into(address, view)


def _file_flash():
    try:
        os.mkdir(_FOLDER)
    except OSError:  # there already
        pass
    return SectorFiles(open, os.remove, _FOLDER, _FOLDER_SIZE)


def _find_network():
    """Wi-Fi, where the board's file system has a file that says which: on a stock board only."""
    if not (_IS_STOCK and BOARD["wifi"]):
        return None
    try:
        with open(_NETWORK) as file:
            settings = json.load(file)
        # Only now: RAM.
        import network  # noqa: PLC0415

        from ports.micropython_wifi import Wifi  # noqa: PLC0415

        return Wifi(settings, network.WLAN(network.STA_IF))
    except (ImportError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # no file, or one that is unfit: logins do not need it


def _how_it_ended():
    """What `Board.restarted` is; from here on this run counts as not ended."""
    if not rp2:
        return "watchdog" if machine.reset_cause() == machine.WDT_RESET else None
    left = machine.mem32[_SCRATCH]
    machine.mem32[_SCRATCH] = _RUNNING
    if machine.reset_cause() != machine.WDT_RESET:  # the power or the reset button; what is left is chance
        return None
    for cause, mark in _ENDS.items():
        if left == mark:
            return cause
    return "watchdog"


class Board:
    """See ports/__init__.py."""

    info = BOARD
    locked = BOARD.get("locked", False)  # an image says so of itself; a stock one has a prompt

    def __init__(self, argv):
        self.flash_kind = "file" if _IS_STOCK else "raw"
        self.flash = _file_flash() if self.flash_kind == "file" else RawFlash()
        self._input = sys.stdin.buffer
        self._output = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._started = time.time()
        self.i2c = self._find_i2c()
        self.network = _find_network()
        self.restarted = _how_it_ended()
        # At a prompt nobody would feed it.
        watchdog = machine.WDT(timeout=_WATCHDOG) if self.locked else None
        self._pulse = Pulse(BOARD["pins"], -1 if rp2 else 0, watchdog)
        self.feed, self.blink, self.button = self._pulse.feed, self._pulse.play, self._pulse.pressed
        self._is_tidy = False
        self._filling = None

    @staticmethod
    def _find_i2c():
        if "i2c" not in BOARD["pins"]:
            return None
        return MachineI2C(*[BOARD["pins"][name] for name in ("i2c", "sda", "scl")])

    @staticmethod
    def random(count):
        """Bytes from the chip's ring oscillator; the core mixes in more, for this source is not certified."""
        return os.urandom(count)

    def uptime(self):
        """Seconds: MicroPython's clock runs from power-up, and nothing here ever sets it."""
        return time.time() - self._started

    @staticmethod
    def nap():
        """A tenth of a second."""
        time.sleep_ms(100)

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
        gc.threshold(-1)
        gc.collect()
        filling = None
        in_a_row = 0
        while in_a_row < _IN_A_ROW:
            before = id(filling)
            filling = (filling,)  # one block, always the lowest that is free
            in_a_row = in_a_row + 1 if id(filling) == before + _BLOCK else 0
        self._filling = filling

    def read(self):
        """What has come in, up to a line, or a part of a long one: several times cheaper here than byte by
        byte. None when nothing has for a second.

        Garbage is collected when the link is quiet, rather than at random inside a request.
        """
        self.feed()  # for the timer may miss the moments between requests that come in a row
        self._pulse.is_waiting = True
        try:
            if not self._poll.poll(_QUIET):
                if not self._is_tidy:
                    gc.collect()
                    self._is_tidy = True
                if not self._poll.poll(_TICK):
                    return None
            self._is_tidy = False
            return self._input.readline(_CHUNK)  # until it is there
        finally:
            self._pulse.is_waiting = False

    def write(self, data):
        """Send all of `data`."""
        self._output.write(data)

    @staticmethod
    def leave(cause):
        """Start anew, as after power-up but for what is left in RAM, which nothing looks at."""
        if rp2:
            machine.mem32[_SCRATCH] = _ENDS[cause]
        machine.reset()

    def open_display(self):
        """An SSD1306 on the bus."""
        # Not above: a board without a bus has none of this.
        from ports._display import open_display  # noqa: PLC0415

        return open_display(self.i2c) if self.i2c is not None else None
