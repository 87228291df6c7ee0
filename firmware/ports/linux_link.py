# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the device process on Linux speaks over: its standard streams, a tty, or a TCP port.

Each has `read()` -> bytes, None when a second went by without any, b"" when it is closed for good; and
`write(data)`. A tty that goes away is waited for; a TCP client that goes away makes room for the next.
"""

import os
import select
import socket
import sys
import termios
import time

_CHUNK = 4096  # bytes
_TICK = 1000  # milliseconds
_IDLE = 10  # ticks
_STUCK = 5000  # milliseconds after which nobody reads what we write
_NoTty = getattr(termios, "error", OSError)
_MICROPYTHON = sys.implementation.name == "micropython"


def open_link(name, baud):
    """The link named `name`: stdio, socket://HOST:PORT, or a tty's path (`baud`: of a UART)."""
    if name == "stdio":
        return Streams()
    if name.startswith("socket://"):
        host, _, port = name[9:].rpartition(":")
        return Listener(host, int(port))
    return Tty(name, baud)


def _tell(text):
    print("link: " + text, file=sys.stderr)


def _polled(file, events):
    poll = select.poll()
    poll.register(file, events)
    return poll


def _take(file):
    """What has come in. MicroPython's `read` would wait for all the bytes it is asked for: there, a line."""
    return file.readline(_CHUNK) if _MICROPYTHON else file.read(_CHUNK)


class Streams:
    """Standard input and output."""

    def __init__(self):
        self._input = open(0, "rb", 0)
        self._output = open(1, "wb", 0)
        self._poll = _polled(self._input, select.POLLIN)

    def read(self):
        """See above."""
        return _take(self._input) if self._poll.poll(_TICK) else None

    def write(self, data):
        """Send all of `data`."""
        view = memoryview(data)
        while view:
            view = view[self._output.write(view) :]


class Tty:
    """A UART (/dev/serial0), a USB gadget's serial port (/dev/ttyGS0), a pseudo-terminal."""

    def __init__(self, path, baud):
        self._path = path
        self._baud = baud
        self._file = None
        self._said = ""
        self._open()

    def _open(self):
        try:
            if _MICROPYTHON:
                self._file = open(self._path, "r+b")
            else:
                # Not as the controlling terminal of a service, and without waiting for a carrier.
                flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
                self._file = open(os.open(self._path, flags), "r+b", 0)
            _make_raw(self._file.fileno(), self._baud)
        except (OSError, _NoTty) as error:
            self._lose(error)
            return
        self._in = _polled(self._file, select.POLLIN)
        self._out = _polled(self._file, select.POLLOUT)
        self._say("open")

    def _say(self, text):
        if text != self._said:
            self._said = text
            _tell("%s: %s" % (self._path, text))

    def _lose(self, error):
        """It is not there (any more): `read` tries again."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError:  # it is gone anyway
                pass
        self._file = None
        self._say("not there (%s); waiting for it" % (error,))

    def read(self):
        """See above; never b"", as the tty may come back."""
        if self._file is None:
            time.sleep(_TICK // 1000)
            self._open()
            return None
        if not self._in.poll(_TICK):
            return None
        try:
            data = _take(self._file)
        except OSError as error:
            self._lose(error)
            return None
        if data == b"":  # hung up: a gadget without its cable
            self._lose("hung up")
        return data or None

    def write(self, data):
        """Send `data`; what nobody takes in time is dropped, and asked for again."""
        view = memoryview(data)
        try:
            while view and self._file is not None:
                if not self._out.poll(_STUCK):
                    return
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            self._lose(error)


class Listener:
    """One TCP client at a time; the others wait for their turn, but not for one that is idle."""

    def __init__(self, host, port):
        address = socket.getaddrinfo(host or "127.0.0.1", port)[0][-1]
        self._server = socket.socket()
        self._server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._server.bind(address)
        self._server.listen(4)
        self._client = None
        self._waiting = _polled(self._server, select.POLLIN)
        if not _MICROPYTHON:
            port = self._server.getsockname()[1]
        _tell("listening on socket://%s:%d" % (host, port))

    def _accept(self):
        self._quiet = 0  # ticks
        self._client = self._server.accept()[0]
        self._in = _polled(self._client, select.POLLIN)
        self._out = _polled(self._client, select.POLLOUT)
        if not _MICROPYTHON:
            # A client whose machine has lost its power must not keep the place for ever.
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._client.setblocking(False)

    def _hang_up(self):
        if self._client is not None:
            self._client.close()
            self._client = None

    def read(self):
        """See above; never b"", as there are more clients."""
        if self._client is None:
            if self._waiting.poll(_TICK):
                self._accept()
            return None
        if not self._in.poll(_TICK):
            self._quiet += 1
            if self._quiet >= _IDLE and self._waiting.poll(0):
                self._hang_up()  # it says nothing, and somebody else would
            return None
        self._quiet = 0
        try:
            data = self._client.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data or None

    def write(self, data):
        """Send `data`; a client that does not take it is hung up on."""
        view = memoryview(data)
        try:
            while view and self._client is not None:
                if not self._out.poll(_STUCK):
                    self._hang_up()
                    return
                view = view[self._client.send(view) :]
        except OSError:
            self._hang_up()


def _make_raw(handle, baud):
    """Bytes as they are, at `baud`; a carrier need not be there."""
    speed = getattr(termios, "B%d" % baud, None)
    if speed is None:
        raise SystemExit("--baud: %d is no speed of this system's" % baud)
    if hasattr(termios, "setraw"):  # MicroPython
        termios.setraw(handle)
        attributes = termios.tcgetattr(handle)
    else:
        attributes = termios.tcgetattr(handle)
        # As cfmakeraw(3) does.
        attributes[0] &= ~(
            termios.IGNBRK
            | termios.BRKINT
            | termios.PARMRK
            | termios.ISTRIP
            | termios.INLCR
            | termios.IGNCR
            | termios.ICRNL
            | termios.IXON
        )
        attributes[1] &= ~termios.OPOST
        attributes[2] &= ~(termios.CSIZE | termios.PARENB)
        attributes[2] |= termios.CS8 | termios.CLOCAL | termios.CREAD
        attributes[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
        attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
    attributes[4] = attributes[5] = speed
    termios.tcsetattr(handle, termios.TCSANOW, attributes)
