# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The folder of what is frozen into a board's image: firmware/, the board's own modules and its data.

It is kept from run to run and only what changed is written, so that a rebuild compiles just that.
"""

import json
from pathlib import Path
from typing import Any

from . import paths, steps

_BOARD_FILES = ("manifest.py",)  # Python, but for the build


def board(name: str) -> dict[str, Any]:
    """boards/<name>/board.json. Raises BuildError when there is no such board."""
    file = paths.BOARDS / name / "board.json"
    if not file.is_file():
        known = ", ".join(sorted(found.parent.name for found in paths.BOARDS.glob("*/board.json")))
        raise steps.BuildError(f"there is no board {name!r}; the boards are: {known}")
    return dict(json.loads(file.read_text()))


def modules(name: str) -> dict[str, bytes]:
    """Module path -> source of all that a board's image holds frozen."""
    data = board(name)
    found = {
        str(file.relative_to(paths.FIRMWARE)): file.read_bytes()
        for file in sorted(paths.FIRMWARE.rglob("*.py"))
        if _wanted(file.relative_to(paths.FIRMWARE), data["port"])
    }
    for file in (paths.BOARDS / name).glob("*.py"):
        if file.name not in _BOARD_FILES:
            found[file.name] = file.read_bytes()
    found["board_data.py"] = f"BOARD = {data!r}\n".encode()
    return found


def _wanted(module: Path, port: str) -> bool:
    """Of ports/, an image takes its own (<port>.py, <port>_*.py) and what is for all (_*.py)."""
    if module.parts[0] != "ports":
        return True
    stem = module.parts[1].removesuffix(".py")
    return stem.startswith("_") or stem == port or stem.startswith(f"{port}_")


def fill(folder: Path, wanted: dict[str, bytes]) -> None:
    """Make the folder hold just these modules, writing only those that changed."""
    for module, source in wanted.items():
        steps.write_if_changed(folder / module, source)
    for file in folder.rglob("*.py"):
        if str(file.relative_to(folder)) not in wanted:
            file.unlink()
