# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Build genuine MicroPython:  build_micropython.py interpreter | image NAME...

NAME: a board such as rpi_pico, whose image is locked: it has no way to a prompt; BOARD-dev, the same with
MicroPython's prompt, for development; BOARD-bare, as that, with nothing started, for measuring; or stock,
which stands for MicroPython's official image.

Everything goes to build/micropython and build/images, and a second run does only what changed.
"""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(_ROOT / "host_tools"), str(_ROOT / "firmware")]  # for understudy.board_files

from buildlib import image, interpreter, steps  # noqa: E402


def _main() -> None:
    what, *names = sys.argv[1:] or [""]
    if what == "interpreter" and not names:
        interpreter.ready()
    elif what == "image" and names:
        for name in names:
            image.build(name)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    steps.main(_main)
