# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A board with a stock MicroPython: the firmware as files on its file system, put there by mpremote.

By mpremote's command line, which is documented; what it has in Python changes from version to version.
"""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import serial.tools.list_ports

from understudy.board_files import modules
from understudy.bytecode import compiled
from understudy.paths import firmware_dir, packages_dir
from understudy_device.errors import LinkTimeout, NoDevice, PortBusy, UnderstudyError

_USB_VENDOR = 0x2E8A  # Raspberry Pi
_USB_MICROPYTHON = 0x0005  # the product id that MicroPython uses on this vendor's boards
_TRIES = 4
_SILENT_SECONDS = 120.0  # in which not one file gets done
_MAIN = "main.py"  # what runs at power-up: goes first and comes back last, so that no half of it ever runs
# A module's source would be taken rather than its bytecode.
_PREPARE = """
import os
for folder in {folders!r}:
    try:
        os.mkdir(folder)
    except OSError:
        pass
    for name in os.listdir(folder):
        if name.endswith(".py"):
            os.remove(folder + "/" + name)
try:
    os.remove({main!r})
except OSError:
    pass
"""


def find_port() -> str:
    """The port of the one board with MicroPython that is plugged in. NoDevice when there is not just one."""
    ports = sorted(
        one.device
        for one in serial.tools.list_ports.comports()
        if one.vid == _USB_VENDOR and one.pid == _USB_MICROPYTHON
    )
    if len(ports) != 1:
        seen = f"There are several boards: {', '.join(ports)}" if ports else "No board with MicroPython found"
        raise NoDevice(f"{seen}; name its port with --port.")
    return ports[0]


def put_files(
    port: str,
    board: dict[str, Any],
    told: Callable[[int, int], None],
    more: Mapping[str, bytes] = MappingProxyType({}),
) -> int:
    """Copy the firmware for `board` to the board at `port` and restart it; returns how many files.

    `told(done, total)` as it goes; `more`: further files by name. NoDevice, PortBusy or UnderstudyError when
    it can't be.
    """
    files = compiled(modules(firmware_dir(), packages_dir(), board), board["arch"]) | dict(more)
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        for name, content in files.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        words = _words(port, Path(folder), list(files))
        for left in reversed(range(_TRIES)):
            try:
                _run(port, words, len(files), told)
                break
            except LinkTimeout:  # a hiccup of the line; what is there already is not copied again
                if not left:
                    raise
    return len(files)


def _words(port: str, folder: Path, names: list[str]) -> list[str]:
    """mpremote's command line for all of it."""
    folders = sorted({str(parent) for name in names for parent in Path(name).parents} - {"."})
    words = [sys.executable, "-u", "-m", "mpremote", "connect", port]
    words += ["exec", _PREPARE.format(folders=folders, main=_MAIN)]
    for name in sorted(names, key=lambda name: (name == _MAIN, name)):
        words += ["+", "fs", "cp", str(folder / name), f":{name}"]
    return [*words, "+", "reset"]


def _run(port: str, words: list[str], total: int, told: Callable[[int, int], None]) -> None:
    """Run it; a line of its output tells that a file has begun, so that all before it are done."""
    said: list[str] = []
    silent = threading.Event()
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:

        def give_up() -> None:
            silent.set()
            process.kill()

        timer = _started(give_up)
        try:
            for line in process.stdout or ():
                timer.cancel()
                timer = _started(give_up)
                said.append(line.strip())
                told(max(0, _begun(said) - 1), total)
        finally:
            timer.cancel()
            if sys.exc_info()[0] is not None:  # Ctrl-C: the board is left as it is
                process.kill()
    if silent.is_set():
        raise LinkTimeout(f"The board at {port} has stopped answering after {_begun(said)} of {total} files.")
    if process.returncode:
        raise _explained(port, said)
    told(total, total)


def _begun(said: list[str]) -> int:
    return sum(line.startswith("cp ") for line in said)


def _started(action: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(_SILENT_SECONDS, action)
    timer.daemon = True
    timer.start()
    return timer


def _explained(port: str, said: list[str]) -> UnderstudyError:
    text = " ".join(said)
    if "in use by another program" in text and Path(port).exists():
        return PortBusy(f"Another program holds {port}, or you may not open it (`ls -l {port}`).")
    if "failed to access" in text or "no device found" in text:
        return NoDevice(f"There is no board at {port}.")
    if "could not enter raw repl" in text:
        return NoDevice(
            f"No MicroPython prompt answers at {port}. A board that runs Understudy keeps its prompt shut: "
            "put MicroPython on it anew first."
        )
    if "ENOSPC" in text or "No space" in text or "[Errno 28]" in text:
        return UnderstudyError(f"The file system of the board at {port} is full.")
    if "timeout waiting" in text:
        return LinkTimeout(f"The board at {port} has stopped answering.")
    last = next((line for line in reversed(said) if line and not line.startswith("cp ")), "no reason given")
    return UnderstudyError(f"mpremote could not copy to {port}: {last}")
