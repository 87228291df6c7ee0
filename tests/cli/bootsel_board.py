# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A Pico in BOOTSEL mode: a folder that looks like its drive; when a whole UF2 file lies there, the drive
goes away and an emulated Pico boots on just those bytes, with its port at LINK.

python -m tests.cli.bootsel_board DRIVE LINK STATE
"""

import struct
import sys
import time
from pathlib import Path

from understudy.discovery import announced
from understudy.simulator.pico import Pico
from understudy.simulator.pty_server import serve
from understudy.simulator.stop_signals import StopSignals

_BLOCK = 512
INFO = "UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n"


def whole(file: Path) -> bool:
    """Whether all blocks of a UF2 file are there, as the boot ROM counts them."""
    data = file.read_bytes() if file.is_file() else b""
    return len(data) >= _BLOCK and len(data) == _BLOCK * struct.unpack_from("<8I", data)[6]


def main(drive: Path, link: Path, state: Path) -> None:
    """Until it is stopped."""
    drive.mkdir(exist_ok=True)
    (drive / "INFO_UF2.TXT").write_text(INFO)
    print("ready", flush=True)
    with StopSignals() as stop:
        while not whole(drive / "firmware.uf2"):
            if stop():
                return
            time.sleep(0.05)
        image = state.with_suffix(".uf2")
        (drive / "firmware.uf2").replace(image)
        (drive / "INFO_UF2.TXT").unlink()
        pico = Pico(image)
        pico.boot()
        with announced(str(link)):
            serve(pico, pace=False, state_file=state, link=link, on_ready=lambda _: None, stop=stop)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
