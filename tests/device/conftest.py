# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Fixtures for tests that run a real firmware image on the emulated Pico."""

import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pico_session import PicoSession

from understudy.simulator.pico import Pico

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "build" / "images"


def find_image(board: str) -> Path:
    """The UF2 of a board: `UNDERSTUDY_IMAGE_<BOARD>` if set, else in build/images and built if missing."""
    chosen = os.environ.get(f"UNDERSTUDY_IMAGE_{board.upper().replace('-', '_')}")
    image = Path(chosen) if chosen else IMAGES / board / "firmware.uf2"
    if not chosen and not image.is_file():
        IMAGES.mkdir(parents=True, exist_ok=True)
        with (IMAGES / ".lock").open("w") as lock:  # one of pytest-xdist's workers builds, the others wait
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not image.is_file():
                subprocess.run(["make", "-C", str(ROOT), "image", f"BOARD={board}"], check=True, timeout=1800)
    if not image.is_file():
        pytest.fail(f"there is no firmware image {image}")
    return image


@pytest.fixture(scope="session")
def stock_image() -> Path:
    """The UF2 of a plain MicroPython for RPI_PICO, with a REPL."""
    return find_image("stock")


@pytest.fixture
def stock_pico(stock_image: Path) -> Callable[..., Pico]:
    """Boots a Pico with the plain MicroPython; takes `Pico`'s keyword arguments (seed 1 by default)."""

    def make(**options: object) -> Pico:
        pico = Pico(stock_image, **{"seed": 1, **options})  # type: ignore[arg-type]
        pico.boot()
        return pico

    return make


@pytest.fixture(scope="session")
def device_image() -> Path:
    """The UF2 of the Pico as a device: MicroPython with our firmware frozen."""
    return find_image("rpi_pico")


@pytest.fixture
def new_device(device_image: Path) -> Callable[[], PicoSession]:
    """Powers up a device on a blank flash."""
    return lambda: PicoSession(device_image)
