# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The emulated Pico as a board of `understudy simulate`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.paths import build_dir
from understudy.simulator.errors import SimulatorError, StateError
from understudy.simulator.flash_state import FlashStateFile
from understudy.simulator.pico import Pico
from understudy.simulator.pty_server import serve
from understudy_device.errors import NoDevice, PortBusy, UnderstudyError

if TYPE_CHECKING:
    from understudy.simulate import Plan


def default_image() -> Path:
    """The locked image that the build makes."""
    return build_dir() / "images/rpi_pico/firmware.uf2"


def serve_pico(plan: "Plan", on_ready: Callable[[str], None], stop: Callable[[], bool]) -> None:
    """Power the emulated board up and serve its USB port until `stop()`."""
    image = plan.image or default_image()
    if not image.is_file():
        raise NoDevice(f"There is no image {image}; `make images` builds it, or name one with --image.")
    try:
        with FlashStateFile(plan.folder / "flash.bin") as state:
            pico = Pico(image, flash=state.load(), unique_id=state.unique_id())
            pico.boot()
            serve(pico, pace=not plan.free, state_file=state, link=plan.link, on_ready=on_ready, stop=stop)
    except StateError as error:
        raise PortBusy(str(error)) from error
    except SimulatorError as error:
        raise UnderstudyError(str(error)) from error
