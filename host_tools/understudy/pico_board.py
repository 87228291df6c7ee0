# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The emulated Pico as a board of `understudy simulate`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.board_files import board_data, interruptible, modules
from understudy.bytecode import compiled
from understudy.paths import board_dir, build_dir, firmware_dir, packages_dir
from understudy.simulator.errors import SimulatorError, StateError
from understudy.simulator.flash_layout import FLASH_SIZE
from understudy.simulator.flash_state import FlashStateFile
from understudy.simulator.i2c_bus import I2CBus, I2CTarget
from understudy.simulator.littlefs_image import install_files
from understudy.simulator.pico import Pico
from understudy.simulator.pty_server import serve
from understudy.simulator.ssd1306 import Ssd1306
from understudy_device.errors import NoDevice, PortBusy, UnderstudyError

if TYPE_CHECKING:
    from understudy.simulate import Plan


_FROZEN = b"understudy_device/"  # how an image of ours names its modules


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
            pico = Pico(
                image,
                flash=with_firmware(image, state.load()),
                unique_id=state.unique_id(),
                devices=[display_bus(Ssd1306())] if plan.display else [],
            )
            pico.boot()
            serve(pico, pace=not plan.free, state_file=state, link=plan.link, on_ready=on_ready, stop=stop)
    except StateError as error:
        raise PortBusy(str(error)) from error
    except SimulatorError as error:
        raise UnderstudyError(str(error)) from error


def display_bus(*chips: I2CTarget) -> I2CBus:
    """The bus that the Pico's display is on, with these chips."""
    pins = board_data(board_dir("rpi_pico"))["pins"]
    return I2CBus(pins["i2c"], chips, pins=(pins["sda"], pins["scl"]))


def with_firmware(image: Path, flash: bytes | None) -> bytes | None:
    """The flash to start `image` on; None is a blank one.

    An official MicroPython does not hold the firmware: it goes to its file system, as mpremote would put it.
    """
    if _FROZEN in image.read_bytes():
        return flash
    data = board_data(board_dir("rpi_pico"))
    found = modules(firmware_dir(), packages_dir(), data)
    interruptible(found, board_dir("common") / "main_dev.py")
    files = compiled(found, data["arch"])
    return install_files(flash or b"\xff" * FLASH_SIZE, files, overwrite=True)
