# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device as a process on Linux, under CPython or the Unix MicroPython: a file for flash, the standard
streams for a link.

main.py [--board-file FILE] [--flash FILE] [--flash-size BYTES]
        [--clock host|unset|UNIX-SECONDS|ntp:HOST[:PORT],HOST[:PORT],..]
"""

import errno
import json
import os
import select
import socket
import sys
import time

from understudy_device.fileflash import FileFlash, fill_blank

_OPTIONS = {
    "--board-file": "boards/linux/board.json",
    "--flash": "flash.bin",
    "--flash-size": "1441792",
    "--clock": "host",
}
_CHUNK = 4096  # bytes
_NTP_PORT = "123"
_DATAGRAM = 512  # bytes
_TICK = 1000  # milliseconds


def _options(argv):
    options = dict(_OPTIONS)
    for i in range(0, len(argv), 2):
        if argv[i] not in options or i + 1 == len(argv):
            raise SystemExit(__doc__)
        options[argv[i]] = argv[i + 1]
    return options


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


class Network:
    """UDP to a few servers, see understudy_device.sntp; never waits.

    `hosts`: name or name:port. Names are looked up once, here, for a look-up takes as long as it likes; one
    that is not found then is a server that does not answer.
    """

    def __init__(self, hosts):
        self.servers = hosts
        self._addresses = {}
        for host in hosts:
            name, _, port = host.partition(":")
            try:
                found = socket.getaddrinfo(name, int(port or _NTP_PORT), socket.AF_INET, socket.SOCK_DGRAM)
                self._addresses[host] = found[0][-1]
            except OSError:
                pass
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, server, data):
        """Send a datagram; OSError when it can't be."""
        if server not in self._addresses:
            raise OSError(errno.ENOENT)
        self._socket.sendto(data, self._addresses[server])

    def receive(self):
        """(server, datagram), or None when there is none."""
        try:
            data, address = self._socket.recvfrom(_DATAGRAM)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise
        for server, known in self._addresses.items():
            if known == address:
                return server, data
        return "", data


class Board:
    """See ports/__init__.py."""

    locked = True  # a process has no prompt
    flash_kind = "file"
    i2c = None
    restarted = None  # whatever restarts a process keeps a log of its own

    def __init__(self, argv):
        options = _options(argv)
        with open(options["--board-file"]) as file:
            self.info = json.load(file)
        size = int(options["--flash-size"])
        file = _open_flash(options["--flash"], size)
        self.flash = FileFlash(file, _syncer(file), size)
        self._clock, _, servers = options["--clock"].partition(":")
        self.network = Network(servers.split(",")) if self._clock == "ntp" else None
        self._input = open(0, "rb", 0)
        self._output = open(1, "wb", 0)
        self._poll = select.poll()
        self._poll.register(self._input, select.POLLIN)
        self._up = 0  # milliseconds
        self._ticks = time.monotonic() if hasattr(time, "monotonic") else time.ticks_ms()

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
        """The system's clock, which the system keeps right, unless told otherwise."""
        if self._clock == "host":
            clock.follow(lambda: int(time.time()), "system")
        elif self._clock not in ("unset", "ntp"):
            clock.start(int(self._clock), "rtc")

    def settle(self):
        """The system's memory is not short."""

    def read(self):
        """What has come in, up to a line; None when nothing has for a second; b"" at the end of the stream.

        A line, because MicroPython's `read` would wait for all the bytes it is asked for.
        """
        return self._input.readline(_CHUNK) if self._poll.poll(_TICK) else None

    def write(self, data):
        """Send all of `data`."""
        view = memoryview(data)
        while view:
            view = view[self._output.write(view) :]

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

    @staticmethod
    def show(lines):
        """The screen of a process is its standard error."""
        print("screen: " + " | ".join(lines), file=sys.stderr)
