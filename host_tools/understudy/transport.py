# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Ports by URL: anything pyserial opens (`/dev/ttyACM0`, `socket://host:port`); errors say what to do."""

import errno
import os
import termios
from types import TracebackType
from typing import Self

import serial

from understudy_device.errors import LinkTimeout, NoDevice, PortBusy, UnderstudyError

_BAUD = 115200  # for a UART; USB and ptys ignore it
_WRITE_SECONDS = 5.0
_CHUNK = 4096  # bytes

_BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
_GONE = (errno.ENOENT, errno.ENODEV, errno.ENXIO)


class Closing:
    """Something to be closed at the end of a `with`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let it go; closing twice is fine."""


class Port(Closing):
    """An open serial port that this process owns alone. Use it in a `with`."""

    def __init__(self, url: str) -> None:
        """Open `url`. PortBusy when another program holds it, NoDevice when there is nothing to open."""
        self.url = url
        try:
            self._serial = serial.serial_for_url(
                url, do_not_open=True, baudrate=_BAUD, write_timeout=_WRITE_SECONDS
            )
            if isinstance(self._serial, serial.Serial):
                self._serial.exclusive = True
            self._serial.open()
        except ValueError as error:
            raise NoDevice(f"{url} is not a port this version can open.") from error
        except (OSError, termios.error) as error:
            raise _explain(url, error) from error

    def close(self) -> None:
        """Let the port go; closing twice is fine."""
        self._serial.close()

    def read(self, seconds: float) -> bytes:
        """Return what has arrived, waiting up to `seconds` for the first byte; empty when none came."""
        try:
            self._serial.timeout = seconds
            first = self._serial.read(1)
            if not first:
                return b""
            waiting = min(self._serial.in_waiting, _CHUNK)
            return bytes(first + self._serial.read(waiting)) if waiting else bytes(first)
        except (OSError, termios.error, TypeError) as error:
            # TypeError: pyserial's read on a port that another thread has closed.
            raise NoDevice(f"The device at {self.url} has gone.") from error

    def write(self, data: bytes) -> None:
        """Send all of `data`. LinkTimeout when the other side takes nothing, NoDevice when it is gone."""
        try:
            self._serial.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkTimeout(f"The device at {self.url} takes no data.") from error
        except (OSError, termios.error) as error:
            raise NoDevice(f"The device at {self.url} has gone.") from error


def _explain(url: str, error: Exception) -> UnderstudyError:
    code = getattr(error, "errno", None)
    if code is None and error.args and isinstance(error.args[0], int):
        code = error.args[0]  # termios.error
    if code in _BUSY:
        return PortBusy(f"Another program holds {url}; stop it first (`fuser {url}` names it).")
    if code in (errno.EACCES, errno.EPERM):
        return NoDevice(
            f"You may not open {url}; join its group (`ls -l {url}`; often dialout) and log in again."
        )
    if code in _GONE:
        return NoDevice(f"There is no port {url}; `understudy devices` lists the ones that answer.")
    if os.path.exists(url):
        return NoDevice(f"{url} is not a serial port.")
    return NoDevice(f"{url} can't be opened.")
