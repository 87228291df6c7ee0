# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Two builds in different folders give the same bytes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Everything that an image is built from; MicroPython's compiler for the host is not built again.
MADE = ("firmware-packages", "micropython/src", "micropython/mpy-cross", "micropython/unix")
STAMPS = ("micropython/sources.json", "micropython/interpreter.stamp")


def copy_of_the_checkout(folder: Path) -> None:
    """What git has or would take, and what an image takes of build/."""
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, capture_output=True, check=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for name in MADE:
        shutil.copytree(ROOT / "build" / name, folder / "build" / name, symlinks=True)
    for name in STAMPS:
        shutil.copy(ROOT / "build" / name, folder / "build" / name)


@pytest.mark.timeout(1800)
def test_the_same_bytes_wherever_it_is_built(device_image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "another" / "place"
    copy_of_the_checkout(folder)
    # What a shell may have set must not count either.
    env = {**os.environ, "CFLAGS": "-O0", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    command = [sys.executable, folder / "tools" / "build_micropython.py", "image", "rpi_pico"]
    subprocess.run(command, check=True, env=env, timeout=1700)
    again = folder / "build" / "images" / "rpi_pico" / "firmware.uf2"
    assert again.read_bytes() == device_image.read_bytes()
