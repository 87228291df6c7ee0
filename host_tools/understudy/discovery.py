# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Which port: named by the caller, or found by USB id and by the notes that running simulators leave."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import serial.tools.list_ports

from understudy.deadline import Deadline
from understudy.files import make_private_dir, try_lock
from understudy.link import PROBE_SECONDS, Hello, Link
from understudy.paths import simulators_dir
from understudy.transport import Port
from understudy_device.errors import NoDevice, NotYours, UnderstudyError

_USB_VENDOR = 0x2E8A  # Raspberry Pi
_USB_MICROPYTHON = 0x0005  # the product id that MicroPython uses on this vendor's boards
_USB_NAME = "Understudy"


@dataclass(frozen=True)
class Found:
    """A port that may have a device, and what answered there: a hello, or an error."""

    port: str
    hello: Hello | None = None
    error: UnderstudyError | None = None


def candidates() -> list[str]:
    """The ports worth asking, without opening any."""
    usb = [
        one.device
        for one in serial.tools.list_ports.comports()
        if one.vid == _USB_VENDOR and (one.pid == _USB_MICROPYTHON or _USB_NAME in (one.product or ""))
    ]
    return sorted(usb) + sorted(running())


def probe(port: str) -> Found:
    """Open `port`, say hello, close."""
    try:
        with Port(port) as opened:
            return Found(port, hello=Link(opened).hello(Deadline(PROBE_SECONDS)))
    except UnderstudyError as error:
        return Found(port, error=error)


def choose(device: str | None, wanted: Callable[[Hello], bool], absent: str) -> str:
    """The one port whose device has the id `device` (None: any) and is `wanted`.

    NoDevice when nothing answers or several fit, NotYours with the text `absent` when only others do.
    """
    ports = candidates()
    if len(ports) == 1:
        return ports[0]  # the caller asks it himself, and can say more exactly what does not fit
    found = [probe(port) for port in ports]
    answering = [(one.port, one.hello) for one in found if one.hello is not None]
    if not answering:
        errors = [one.error for one in found if one.error is not None]
        raise (
            errors[0]
            if len(errors) == 1
            else NoDevice("No device found; plug it in, or name its port with --port.")
        )
    if device is not None:
        answering = [(port, hello) for port, hello in answering if hello.device == device]
        if not answering:
            raise NoDevice(f"The device {device} is not among those that answer; see `understudy devices`.")
        return answering[0][0]
    fitting = [(port, hello) for port, hello in answering if wanted(hello)]
    if not fitting and len(answering) == 1:
        return answering[0][0]  # the caller can say more exactly why it does not fit
    if not fitting:
        raise NotYours(absent)
    if len(fitting) > 1:
        names = ", ".join(f"{hello.device} ({port})" for port, hello in fitting)
        raise NoDevice(f"Several devices fit: {names}. Choose one with --device or --port.")
    return fitting[0][0]


@contextmanager
def announced(port: str) -> Iterator[None]:
    """While inside, other processes of this user find `port` without being told.

    The note is locked: a process that was killed leaves one that nobody holds, which is then ignored, as its
    pty's number may have become someone's terminal by then.
    """
    folder = simulators_dir()
    make_private_dir(folder)
    note = folder / f"{os.getpid()}.json"
    handle = try_lock(note)
    if handle is None:
        yield  # another process of our number, in a different namespace: do without
        return
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"port": port}).encode(), 0)
        yield
    finally:
        note.unlink(missing_ok=True)
        os.close(handle)


def running() -> Iterator[str]:
    """The ports of the simulators that run now."""
    folder = simulators_dir()
    for note in folder.glob("*.json") if folder.is_dir() else ():
        port = _read_note(note)
        if port is not None and os.path.exists(port):
            yield port


def _read_note(note: Path) -> str | None:
    try:
        with note.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return str(json.load(file)["port"])
        note.unlink(missing_ok=True)  # nobody holds it
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None
