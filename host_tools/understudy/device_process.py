# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device as a process: `understudy-device`, which host_tools/etc/understudy-device.service starts.

understudy-device [--board ID] [--interpreter FILE] and the options of firmware/ports/linux.py: --link LINK,
--baud N, --flash FILE, --flash-size BYTES, --clock CLOCK, --i2c NUMBER, --screen FILE.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from understudy.boards import find_board
from understudy.paths import board_dir, firmware_dir, packages_dir
from understudy.statuses import EXIT_USAGE
from understudy.usage import WrongUsage

_BOARD = "raspberry_pi"


def command(board: str, options: Mapping[str, object], interpreter: Sequence[str] = ()) -> list[str]:
    """The command line of a device process for a board of the linux port; `options` as in ports/linux.py.

    WrongUsage for a board that is no process.
    """
    if find_board(board)["install"] != "process":
        raise WrongUsage(f"{board} is no board that runs as a process; see `understudy boards`.")
    # -s: the device must not pick up modules of the user's own; see `environment`, too.
    python = list(interpreter) or [sys.executable, "-s"]
    given = {"--board-file": board_dir(board) / "board.json", **options}
    return [*python, str(firmware_dir() / "main.py"), *(str(word) for pair in given.items() for word in pair)]


def environment() -> dict[str, str]:
    """This process's; the modules that a device finds are the firmware's and its packages', and no others."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(("MICROPY", "PYTHON"))}
    return found | {"PYTHONPATH": str(packages_dir()), "MICROPYPATH": f".frozen:{packages_dir()}"}


def main() -> int:
    """Become the device; returns only when that can't be."""
    words = sys.argv[1:]
    if len(words) % 2 or any(not word.startswith("--") for word in words[::2]):
        sys.stderr.write(__doc__ or "")
        return EXIT_USAGE
    options: dict[str, object] = dict(zip(words[::2], words[1::2], strict=True))
    board = str(options.pop("--board", _BOARD))
    interpreter = options.pop("--interpreter", None)
    if "--flash" in options:
        options["--flash"] = Path(str(options["--flash"])).absolute()
    try:
        line = command(board, options, [str(interpreter)] if interpreter else ())
    except WrongUsage as error:
        sys.stderr.write(f"understudy-device: {error.message}\n")
        return EXIT_USAGE
    os.chdir(firmware_dir())
    os.execve(line[0], line, environment())  # noqa: S606 -- the unit's process is the device itself


if __name__ == "__main__":
    sys.exit(main())
