# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`understudy install` for a board with a stock MicroPython: real mpremote against the emulated Pico on the
stock image. What arrived is read back from the flash."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.support import wait_for

from understudy import stock_board
from understudy.board_files import interruptible, modules
from understudy.boards import find_board
from understudy.bytecode import compiled
from understudy.cli import main
from understudy.paths import board_dir, packages_dir
from understudy.simulator.littlefs_image import read_littlefs
from understudy.statuses import exit_code
from understudy_device.errors import NoDevice, PortBusy

ROOT = Path(__file__).resolve().parents[2]
STOCK = ROOT / "build/images/stock/firmware.uf2"
SERVE = """
import sys
from pathlib import Path
from understudy.simulator.pico import Pico
from understudy.simulator.pty_server import serve
from understudy.simulator.stop_signals import StopSignals
image, state, link = map(Path, sys.argv[1:])
with StopSignals() as stop:
    pico = Pico(image)
    pico.boot()
    ready = lambda _: print("ready", flush=True)
    serve(pico, pace=False, state_file=state, link=link, on_ready=ready, stop=stop)
"""
# What the board gets in the place of the firmware, whose 290 KB take an emulated Pico minutes: folders and
# files of every size, and a main.py that tells that it runs.
SMALL = {
    "main.py": b"from deep.er import mark\nmark.write()\n",
    "empty.py": b"",
    "deep/__init__.py": b"",
    "deep/er/__init__.py": b"",
    "deep/er/mark.py": b"def write():\n    with open('/ran', 'w') as file:\n        file.write('yes')\n",
    "ports/micropython.py": b"TABLE = (" + b"b'\\x00\\x04\\r\\n', 'quotes\"', " * 200 + b")\n",
    "ports/linux.py": b"not for this board",
}


@contextmanager
def stock_pico(folder: Path) -> Iterator[tuple[Path, Path]]:
    """(port, flash file) of a Pico with the stock image; the file is whole when this ends."""
    port, flash = folder / "port", folder / "flash.bin"
    words = [sys.executable, "-c", SERVE, str(STOCK), str(flash), str(port)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield port, flash
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A firmware folder with SMALL."""
    folder = tmp_path / "firmware"
    for name, content in SMALL.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    monkeypatch.setattr(stock_board, "firmware_dir", lambda: folder)
    return folder


def test_the_files_arrive_the_board_restarts_and_silence_is_said(
    tmp_path: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with stock_pico(tmp_path) as (port, flash):
        words = ["install", "--board", "rpi_pico_w", "--port", str(port), "--timeout", "1"]
        assert main(words) == exit_code("timeout")  # what it got is no firmware, so nobody says hello
        said = capsys.readouterr()
        assert "did not come up" in said.err and "Copied " in said.err and "unlocked" in said.err
        wait_for(lambda: "/ran" in read_littlefs(flash.read_bytes()))  # main.py, after the restart
        assert main([*words, "--no-wait"]) == 0  # again, over what is there
    found = read_littlefs(flash.read_bytes())
    source = modules(small, packages_dir(), find_board("rpi_pico_w"))
    interruptible(source, board_dir("common") / "main_dev.py")
    wanted = compiled(source, "armv6m")
    assert {"main.py", "firmware_main.mpy", "deep/er/mark.mpy"} <= set(
        wanted
    ) and "/deep/er/mark.py" not in found
    assert {name: found.get(f"/{name}") for name in wanted} == wanted
    assert "/ports/linux.py" not in found
    assert found["/ran"] == b"yes"


def test_progress(tmp_path: Path, small: Path) -> None:
    told: list[tuple[int, int]] = []
    with stock_pico(tmp_path) as (port, _):
        count = stock_board.put_files(
            str(port), find_board("rpi_pico_w"), lambda *one: told.append(one), print
        )
    # (That a try is repeated, on a busy machine, begins it anew.)
    assert told[-1] == (count, count) and {done for done, _ in told} == set(range(count + 1))


def test_a_port_that_is_not_there_or_taken(tmp_path: Path) -> None:
    board = find_board("rpi_pico_w")
    with pytest.raises((NoDevice, PortBusy), match="no board|Another program"):
        stock_board.put_files(str(tmp_path / "none"), board, lambda _done, _total: None, print)
