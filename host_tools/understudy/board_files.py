# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The firmware's files as one board takes them: all that is portable, its own port, and its data as a module.

Needs nothing but the standard library: the build of images uses it too.
"""

import json
from pathlib import Path
from typing import Any

from understudy.board_schema import BoardError, check_board


def board_data(folder: Path) -> dict[str, Any]:
    """`board.json` of a board's folder. OSError when there is none, BoardError when it is not sound."""
    file = folder / "board.json"
    try:
        data = json.loads(file.read_text())
    except ValueError as error:
        raise BoardError(f"{file}: {error}") from error
    return check_board(data, folder.name, str(file))


def modules(firmware: Path, data: dict[str, Any]) -> dict[str, bytes]:
    """Relative path -> source of what a board with `data` runs, from the folder `firmware`."""
    found = {
        str(file.relative_to(firmware)): file.read_bytes()
        for file in sorted(firmware.rglob("*.py"))
        if _wanted(file.relative_to(firmware), data["port"])
    }
    found["board_data.py"] = f"BOARD = {data!r}\n".encode()
    return found


def _wanted(module: Path, port: str) -> bool:
    """Of ports/, a board takes its own (<port>.py, <port>_*.py) and what is for all (_*.py)."""
    if module.parts[0] != "ports":
        return True
    stem = module.parts[1].removesuffix(".py")
    return stem.startswith("_") or stem == port or stem.startswith(f"{port}_")
