# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The boards that this version knows."""

from typing import Any

from understudy.board_files import board_data
from understudy.board_schema import BoardError
from understudy.paths import board_dir
from understudy.usage import WrongUsage
from understudy_device.errors import UnderstudyError


def all_boards() -> list[dict[str, Any]]:
    """The data of every board, by id. UnderstudyError when a board.json is not sound."""
    folder = board_dir("linux").parent
    return [find_board(file.parent.name) for file in sorted(folder.glob("*/board.json"))]


def find_board(name: str) -> dict[str, Any]:
    """The data of one. WrongUsage when there is none of that id."""
    folder = board_dir(name)
    if not name.replace("_", "").isalnum() or not (folder / "board.json").is_file():
        known = ", ".join(sorted(file.parent.name for file in folder.parent.glob("*/board.json")))
        raise WrongUsage(f"There is no board {name!r}; the boards are: {known}")
    try:
        return board_data(folder)
    except BoardError as error:
        raise UnderstudyError(str(error)) from error
