# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The folder of what is frozen into a board's image: firmware/, its packages, the board's own modules and
its data.

It is kept from run to run and only what changed is written, so that a rebuild compiles just that.
"""

from pathlib import Path
from typing import Any

from understudy import board_files, board_schema

from . import paths, steps

_MAIN_DEV = "main_dev.py"
_NOT_AS_IT_IS = ("manifest.py", _MAIN_DEV)


def board(name: str) -> dict[str, Any]:
    """boards/<name>/board.json. Raises BuildError when there is no such board."""
    if not (paths.BOARDS / name / "board.json").is_file():
        known = ", ".join(sorted(found.parent.name for found in paths.BOARDS.glob("*/board.json")))
        raise steps.BuildError(f"there is no board {name!r}; the boards are: {known}")
    try:
        return board_files.board_data(paths.BOARDS / name)
    except board_schema.BoardError as error:
        raise steps.BuildError(str(error)) from error


def modules(name: str, *, locked: bool) -> dict[str, bytes]:
    """Module path -> source of all that a board's image holds frozen.

    One that is not locked starts by main_dev.py, and main.py is its module firmware_main.

    Raises BuildError when a package of the firmware is not there.
    """
    try:
        found = board_files.modules(paths.FIRMWARE, paths.PACKAGES, board(name), locked=locked)
    except FileNotFoundError as error:
        raise steps.BuildError(str(error)) from error
    for file in build_files(name):
        if file.suffix == ".py" and file.name not in _NOT_AS_IT_IS:
            found[file.name] = file.read_bytes()
    if not locked:
        board_files.interruptible(found, paths.BOARDS / "common" / _MAIN_DEV)
    return found


def build_files(name: str) -> list[Path]:
    """The files that a board's image is configured by: its own, and those it shares with others."""
    folders = (paths.BOARDS / "common", paths.BOARDS / name)
    return [file for folder in folders for file in sorted(folder.iterdir()) if file.is_file()]


def fill(folder: Path, wanted: dict[str, bytes]) -> None:
    """Make the folder hold just these modules, writing only those that changed."""
    for module, source in wanted.items():
        steps.write_if_changed(folder / module, source)
    for file in folder.rglob("*.py"):
        if str(file.relative_to(folder)) not in wanted:
            file.unlink()
