# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device as a process on Linux, under CPython or the Unix MicroPython: a file for flash; for a link the
standard streams, a tty or a TCP port.

main.py [--board-file FILE] [--flash FILE] [--flash-size BYTES]
        [--clock host|system[:MARK]|unset|UNIX-SECONDS|ntp:HOST[:PORT],HOST[:PORT],..]
        [--link stdio|TTY|socket://HOST:PORT] [--baud N]
        [--i2c NUMBER] [--screen FILE|text]

The time: `host` believes the system's clock as it is; `system` does while the system says that it is
synchronised, see ports/linux_clock.py.

The screen is an SSD1306 on /dev/i2c-NUMBER (CPython only), where a DS3231 is looked for, too; or is written
to FILE, as the chip would have it in its RAM; or is lines of text on the standard error, without QR codes.
Without one of these there is none.
"""

import errno
import json
import os
import sys
import time

from ports._network import Network
from ports.linux_clock import SystemClock
from ports.linux_link import open_link
from understudy_device.fileflash import FileFlash, fill_blank

_OPTIONS = {
    "--board-file": "boards/linux/board.json",
    "--flash": "flash.bin",
    "--flash-size": "1441792",
    "--clock": "host",
    "--link": "stdio",
    "--baud": "115200",
    "--i2c": "",
    "--screen": "",
}
_PIXELS = 1024  # bytes of a display's RAM


def _options(argv):
    options = dict(_OPTIONS)
    for i in range(0, len(argv), 2):
        if argv[i] not in options or i + 1 == len(argv):
            raise SystemExit(__doc__)
        options[argv[i]] = argv[i + 1]
    return options


def _beside(work):
    """Run it in a thread; where there is none (MicroPython has no lock around its objects), now."""
    if sys.implementation.name == "micropython":
        work()
        return
    import threading  # noqa: PLC0415 -- CPython only

    threading.Thread(target=work, daemon=True).start()


def _is_clock(kind, rest):
    return kind in ("ntp", "system") or (not rest and (kind in ("host", "unset") or kind.isdigit()))


def _network(servers):
    try:
        return Network(servers.split(",") if servers else [], _beside)
    except ValueError as error:
        raise SystemExit("--clock: %s" % error)


def _syncer(file):
    def sync():
        file.flush()  # the Unix MicroPython's is an fsync
        if hasattr(os, "fdatasync"):
            os.fdatasync(file.fileno())

    return sync


def _open_flash(path, size):
    """The flash file; a blank one is made where there is none, and only there."""
    try:
        return open(path, "r+b", 0)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
    with open(path + ".new", "wb") as file:
        fill_blank(file, size)
        _syncer(file)()
    os.rename(path + ".new", path)
    return open(path, "r+b", 0)


class TextDisplay:
    """A display without pixels: the standard error, which may end up in a log."""

    buffer = None

    @staticmethod
    def show_lines(lines):
        """One line for all of them."""
        print("screen: " + " | ".join(lines), file=sys.stderr)

    @staticmethod
    def is_on():
        """Always."""
        return True


class FileDisplay:
    """A display in a file, of a simulated device."""

    def __init__(self, path):
        self._path = path
        self.buffer = bytearray(_PIXELS)
        self.show()

    def show(self):
        """Whoever reads it finds a whole picture."""
        with open(self._path + ".new", "wb") as file:
            file.write(self.buffer)
        os.rename(self._path + ".new", self._path)

    @staticmethod
    def is_on():
        """Always."""
        return True


class Board:
    """See ports/__init__.py."""

    locked = True  # a process has no prompt
    flash_kind = "file"
    restarted = None  # whatever restarts a process keeps a log of its own

    def __init__(self, argv):
        options = _options(argv)
        with open(options["--board-file"]) as file:
            self.info = json.load(file)
        size = int(options["--flash-size"])
        file = _open_flash(options["--flash"], size)
        self.flash = FileFlash(file, _syncer(file), size)
        self._clock, _, rest = options["--clock"].partition(":")
        if not _is_clock(self._clock, rest):
            raise SystemExit(__doc__)
        self.network = _network(rest) if self._clock == "ntp" else None
        self.system_clock = SystemClock(rest) if self._clock == "system" else None
        self._screen = options["--screen"]
        self.i2c = self._find_i2c(options["--i2c"])
        link = open_link(options["--link"], int(options["--baud"]))
        self.read = link.read
        self.write = link.write
        self._up = 0  # milliseconds
        self._ticks = time.monotonic() if hasattr(time, "monotonic") else time.ticks_ms()

    @staticmethod
    def _find_i2c(number):
        if not number:
            return None
        from ports._linux_i2c import LinuxI2C  # noqa: PLC0415 -- CPython only

        try:
            return LinuxI2C(int(number))
        except OSError as error:  # logins need neither display nor clock chip
            print("i2c: bus %s: %s; going on without" % (number, error), file=sys.stderr)
            return None

    @staticmethod
    def random(count):
        """Bytes from the kernel."""
        return os.urandom(count)

    def uptime(self):
        """Seconds since the start of the process."""
        if hasattr(time, "monotonic"):
            return int(time.monotonic() - self._ticks)
        # MicroPython's counter goes round, every twelve days where small integers have 31 bits.
        now = time.ticks_ms()
        self._up += time.ticks_diff(now, self._ticks)
        self._ticks = now
        return self._up // 1000

    @staticmethod
    def memory():
        """The system has enough."""

    def start_clock(self, clock):
        """The system's clock as it is, a given time, or none; see `system_clock`, too."""
        if self._clock == "host":
            clock.follow(lambda: int(time.time()), "system")
        elif self._clock.isdigit():
            clock.start(int(self._clock), "rtc")

    def settle(self):
        """The system's memory is not short."""

    def leave(self, cause):
        """The process ends, and what started it sees that."""

    @staticmethod
    def nap():
        """A tenth of a second."""
        time.sleep(0.1)

    def feed(self):
        """What started the process watches over it."""

    def blink(self, pattern):
        """No LED."""

    def button(self):
        """No button."""

    def open_display(self):
        """On the bus, in a file, as text, or none."""
        if self.i2c is not None:
            from ports._linux_i2c import import_driver  # noqa: PLC0415 -- CPython only

            return import_driver().open_display(self.i2c)
        if not self._screen:
            return None
        return TextDisplay() if self._screen == "text" else FileDisplay(self._screen)
