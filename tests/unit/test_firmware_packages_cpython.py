# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the firmware takes from PyPI is there, pinned, and goes onto a board with the firmware."""

import json
import subprocess
from pathlib import Path

import pytest

import blinka
from understudy.board_files import DISPLAY_MODULES, modules
from understudy.paths import board_dir, firmware_dir, packages_dir

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = ROOT / "build" / "micropython" / "unix" / "micropython"
DRIVER = """
import adafruit_ssd1306
class Bus:
    def __init__(self): self.sent = []
    def try_lock(self): return True
    def unlock(self): pass
    def scan(self): return [60]
    def writeto(self, address, buffer, *, start=0, end=None): self.sent.append(bytes(buffer))
bus = Bus()
display = adafruit_ssd1306.SSD1306_I2C(128, 64, bus)
display.fill(1)
display.show()
import adafruit_miniqr
qr = adafruit_miniqr.QRCode()
qr.add_data(b"otpauth")
qr.make()
print(qr.matrix.width, len(bus.sent[-1]), set(bus.sent[-1][1:]))
"""
SHOWN = "21 1025 {255}\n"


def board(name):
    return json.loads((board_dir(name) / "board.json").read_text())


def test_a_board_with_a_display_takes_its_modules_and_no_other_does():
    found = modules(firmware_dir(), packages_dir(), board("rpi_pico"), locked=True)
    assert set(DISPLAY_MODULES) <= set(found)
    scope = {}
    exec(found["board_data.py"], scope)
    assert scope["BOARD"] == board("rpi_pico") | {"locked": True}
    without = modules(firmware_dir(), packages_dir(), board("rpi_pico") | {"display": False})
    assert not set(DISPLAY_MODULES) & set(without)


def test_a_missing_package_is_said_plainly(tmp_path):
    with pytest.raises(FileNotFoundError, match="make setup"):
        modules(firmware_dir(), tmp_path, board("rpi_pico"))


def test_the_driver_runs_under_cpython(capsys):
    blinka.driver()
    exec(DRIVER, {})
    assert capsys.readouterr().out == SHOWN


def test_the_driver_runs_under_micropython():
    done = subprocess.run(
        [MICROPYTHON, "-c", DRIVER],
        env={"MICROPYPATH": f".frozen:{packages_dir()}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (SHOWN, "")
