# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The firmware's files as one board takes them: all that is portable, its own port, its data as a module, and
what the firmware takes from PyPI.

Needs nothing but the standard library: the build of images uses it too.
"""

import json
from pathlib import Path
from typing import Any

from understudy.board_schema import BoardError, check_board

# What a board with a display takes of firmware.lock's packages; MicroPython has its framebuf built in.
DISPLAY_MODULES = (
    "adafruit_bus_device/__init__.py",
    "adafruit_bus_device/i2c_device.py",
    "adafruit_bus_device/spi_device.py",
    "adafruit_miniqr.py",
    "adafruit_ssd1306.py",
)


def board_data(folder: Path) -> dict[str, Any]:
    """`board.json` of a board's folder. OSError when there is none, BoardError when it is not sound."""
    file = folder / "board.json"
    try:
        data = json.loads(file.read_text())
    except ValueError as error:
        raise BoardError(f"{file}: {error}") from error
    return check_board(data, folder.name, str(file))


def modules(
    firmware: Path, packages: Path, data: dict[str, Any], *, locked: bool = False
) -> dict[str, bytes]:
    """What a board runs.

    :param firmware: the folder with main.py
    :param packages: the folder with what firmware.lock pins
    :param data: of the board's board.json
    :param locked: whether it is for an image without a way to MicroPython's prompt; the firmware reads that
        in `board_data.BOARD`, and says so
    :return: relative path -> source
    :raises FileNotFoundError: `packages` lacks a module
    """
    found = {
        str(file.relative_to(firmware)): file.read_bytes()
        for file in sorted(firmware.rglob("*.py"))
        if _wanted(file.relative_to(firmware), data["port"])
    }
    if data["display"]:
        found.update((name, _read(packages / name)) for name in DISPLAY_MODULES)
    found["board_data.py"] = f"BOARD = {data | {'locked': locked}!r}\n".encode()
    return found


def interruptible(found: dict[str, bytes], main_dev: Path) -> None:
    """Change `found`, what a board runs: Ctrl-C opens MicroPython's prompt for two seconds after power-up.

    :param main_dev: what becomes main.py; the real one is its module firmware_main
    """
    found["firmware_main.py"] = found["main.py"]
    found["main.py"] = main_dev.read_bytes()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no {file}, which the firmware needs; run `make setup`") from error


def _wanted(module: Path, port: str) -> bool:
    """Of ports/, a board takes its own (<port>.py, <port>_*.py) and what is for all (_*.py)."""
    if module.parts[0] != "ports":
        return True
    stem = module.parts[1].removesuffix(".py")
    return stem.startswith("_") or stem == port or stem.startswith(f"{port}_")
