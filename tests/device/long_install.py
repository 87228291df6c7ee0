# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The whole firmware by mpremote onto the emulated Pico with the stock image, to its hello: a quarter of an
hour, so `make test-install-long` runs it and `make test` does not."""

from pathlib import Path

import pytest
from test_install_files import stock_pico

from understudy import stock_board
from understudy.arrival import wait_for_device
from understudy.board_files import interruptible, modules
from understudy.boards import find_board
from understudy.bytecode import compiled
from understudy.deadline import Deadline
from understudy.paths import board_dir, firmware_dir, packages_dir
from understudy.simulator.littlefs_image import read_littlefs


@pytest.mark.timeout(1500)
def test_the_firmware_itself_comes_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of it, to the hello: some minutes on an emulated Pico."""
    board = {**find_board("rpi_pico"), "install": "mpremote"}
    with stock_pico(tmp_path) as (port, flash):
        count = stock_board.put_files(str(port), board, lambda _done, _total: None, print)
        found = wait_for_device(lambda: [str(port)], lambda hello: hello.board == "rpi_pico", Deadline(600))
        assert found.hello is not None and found.hello.state == "unclaimed" and not found.hello.locked
    source = modules(firmware_dir(), packages_dir(), board)
    interruptible(source, board_dir("common") / "main_dev.py")
    wanted = compiled(source, "armv6m")
    files = read_littlefs(flash.read_bytes())
    assert count == len(wanted) and {name: files.get(f"/{name}") for name in wanted} == wanted
