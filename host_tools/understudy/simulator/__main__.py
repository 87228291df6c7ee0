# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`python -m understudy.simulator`: an image on a pty and nothing else (see `understudy simulate`)."""

import argparse
from pathlib import Path

from .flash_layout import FLASH_SIZE
from .flash_state import FlashStateFile
from .littlefs_image import install_files
from .pico import Pico
from .pty_server import serve
from .stop_signals import StopSignals


def main() -> None:
    """Parse the command line and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m understudy.simulator", description=__doc__)
    parser.add_argument("--image", type=Path, required=True, help="firmware, UF2 or raw binary")
    parser.add_argument("--state", type=Path, required=True, help="file that keeps the flash")
    parser.add_argument("--link", type=Path, help="symbolic link to the port")
    parser.add_argument("--free", action="store_true", help="do not follow the wall clock")
    parser.add_argument("--main", type=Path, help="put this file on a blank flash as main.py")
    options = parser.parse_args()
    with FlashStateFile(options.state) as state, StopSignals() as stop:
        flash = state.load()
        if flash is None and options.main is not None:
            flash = install_files(b"\xff" * FLASH_SIZE, {"main.py": options.main.read_bytes()})
        pico = Pico(options.image, flash=flash, unique_id=state.unique_id())
        pico.boot()
        serve(
            pico,
            pace=not options.free,
            state_file=state,
            link=options.link,
            on_ready=lambda path: print(path, flush=True),
            stop=stop,
        )


if __name__ == "__main__":
    main()
