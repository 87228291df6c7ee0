# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`understudy install` for boards that take a UF2 image: the drive found, the image checked, copied, and the
board (an emulated Pico that boots on what arrived) waited for."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.bootsel_board import INFO
from tests.cli.fake_device import fake_device, hello
from tests.cli.support import SECONDS, Cli, first_line, wait_for

from understudy import bootsel
from understudy.cli import boards, main
from understudy.discovery import announced
from understudy.statuses import exit_code
from understudy_device import protocol
from understudy_device.errors import NoDevice, UnderstudyError

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "build/images/rpi_pico/firmware.uf2"
PICO, PICO2 = "0xe48bff56", "0xe48bff59"
BOOT_SECONDS = 300  # for an emulated Pico to format its flash and say hello, on a busy machine


@pytest.fixture(scope="module")
def image() -> Path:
    if not IMAGE.is_file():
        subprocess.run(["make", "-s", "-C", str(ROOT), "image"], check=True, timeout=1800)
    return IMAGE


@pytest.fixture
def drive(cli: Cli) -> Path:
    folder = cli.folder / "drive"
    folder.mkdir()
    (folder / "INFO_UF2.TXT").write_text(INFO)
    return folder


def test_from_bootsel_to_a_device_that_says_hello(cli: Cli, image: Path) -> None:
    port = cli.folder / "port"
    words = [sys.executable, "-m", "tests.cli.bootsel_board", "drive", str(port), "flash.bin"]
    env = {**cli.env, "PYTHONPATH": str(ROOT)}
    board = subprocess.Popen(words, cwd=cli.folder, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert first_line(board) == "ready"
        words = ["install", "--board", "rpi_pico", "--drive", "drive", "--image", str(image)]
        install = cli.start(*words, "--timeout", str(BOOT_SECONDS))
        out, err = install.communicate(timeout=BOOT_SECONDS + SECONDS)
        assert install.returncode == 0, (out, err)
        assert str(port) in out and "rpi_pico" in out and "unclaimed" in out
        assert "locked" in out and "stay as they are" in err
        found = []

        def said() -> bool:
            found[:] = cli.json("devices")["devices"]
            return "board" in found[0]

        wait_for(said)  # a busy machine's may not have answered in time
        assert found[0]["board"] == "rpi_pico" and found[0]["port"] == str(port)
        assert ("not locked" in out) == (not found[0]["locked"])
    finally:
        board.send_signal(signal.SIGTERM)
        board.communicate(timeout=SECONDS)


def test_without_waiting_it_ends_with_the_copy(cli: Cli, drive: Path, image: Path) -> None:
    said = cli.json("install", "--board", "rpi_pico", "--drive", "drive", "--image", str(image), "--no-wait")
    assert said["board"] == "rpi_pico" and said["drive"] == "drive"
    assert (drive / "firmware.uf2").read_bytes() == image.read_bytes()


def test_a_board_that_does_not_come_up_is_said(cli: Cli, drive: Path, image: Path) -> None:
    done = cli("install", "--board", "rpi_pico", "--drive", "drive", "--image", str(image), "--timeout", "1")
    assert done.code == exit_code("timeout") and "did not come up" in done.err


def test_a_device_that_was_there_before_is_not_the_new_one(
    cli: Cli, drive: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, cli.env[name])
    words = ("install", "--board", "rpi_pico", "--drive", "drive", "--image", str(image), "--timeout", "2")
    with (
        fake_device(lambda _kind, nonce: [(protocol.HELLO, hello(board="rpi_pico"))]) as port,
        announced(port),
    ):
        assert cli.json("devices")["devices"][0]["board"] == "rpi_pico"
        assert cli(*words).code == exit_code("timeout")
        cli.env["UNDERSTUDY_PORT"] = port  # the device in use
        assert cli(*words).code == exit_code("timeout")


def test_no_drive_says_how_to_get_one(cli: Cli, image: Path) -> None:
    done = cli("install", "--board", "rpi_pico", "--image", str(image))
    assert done.code == exit_code("no-device") and "BOOTSEL" in done.err and "RPI-RP2" in done.err
    done = cli("install", "--board", "rpi_pico", "--image", str(image), "--drive", ".")
    assert done.code == exit_code("no-device") and "INFO_UF2.TXT" in done.err


def test_the_other_chips_drive_or_image(cli: Cli, drive: Path, image: Path) -> None:
    done = cli("install", "--board", "rpi_pico2", "--drive", "drive", "--image", str(image))
    assert done.code == 2 and "another chip" in done.err and "Pico 2" in done.err
    (drive / "INFO_UF2.TXT").write_text(INFO.replace("RPI-RP2", "RP2350"))
    done = cli("install", "--board", "rpi_pico", "--drive", "drive", "--image", str(image))
    assert done.code == exit_code("no-device") and "RP2350" in done.err
    assert [file.name for file in drive.iterdir()] == ["INFO_UF2.TXT"]


def test_an_image_that_is_not_whole(cli: Cli, drive: Path, image: Path) -> None:
    good = image.read_bytes()
    middle = 100 * 512
    for bad, complaint in (
        (b"", "not a UF2"),
        (b"MZ" * 1000, "not a UF2"),
        (good[:-100], "cut off"),
        (good[:-512], "damaged"),
        (good[:middle] + good[middle + 512 :], "damaged"),
        (good[: middle - 4] + bytes(4) + good[middle:], "damaged"),
        (good[: middle + 8] + bytes(4) + good[middle + 12 :], "what chip"),  # without the flag of a family
    ):
        (cli.folder / "bad.uf2").write_bytes(bad)
        done = cli("install", "--board", "rpi_pico", "--drive", "drive", "--image", "bad.uf2")
        assert done.code == 2 and complaint in done.err, done
    assert cli("install", "--board", "rpi_pico", "--drive", "drive", "--image", "none.uf2").code == 2
    assert [file.name for file in drive.iterdir()] == ["INFO_UF2.TXT"]


def test_no_image_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boards, "build_dir", lambda: tmp_path)  # a build folder without any
    assert main(["install", "--board", "rpi_pico2"]) == 2
    assert "make image BOARD=rpi_pico2" in capsys.readouterr().err


def test_boards_and_options_that_do_not_fit(cli: Cli) -> None:
    assert "boards are" in cli("install", "--board", "../etc").err
    for words in (
        ("linux",),
        ("raspberry_pi",),
        ("esp32_generic", "--image", "x"),
        ("rpi_pico_w", "--drive", "."),
    ):
        assert cli("install", "--board", *words).code == 2


# The drive.


class Told:
    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.calls.append((done, total))


def test_progress_is_told_and_the_end_reached(drive: Path) -> None:
    told = Told()
    bootsel.copy(b"x" * 100_000, drive, told)
    assert told.calls[-1] == (100_000, 100_000) and len(told.calls) == 4


def test_a_full_drive(cli: Cli) -> None:
    if os.geteuid():
        pytest.skip("needs to mount a small file system")
    folder = cli.folder / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("may not mount here")
    try:
        with pytest.raises(UnderstudyError, match="full"):
            bootsel.copy(b"x" * 200_000, folder, Told())
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_drive_that_is_pulled(drive: Path) -> None:
    def pull(done: int, _total: int) -> None:
        if done == 32 * 1024:
            raise OSError(5, "Input/output error")

    with pytest.raises(UnderstudyError, match="went away after 32768 of 100000 bytes.*BOOTSEL"):
        bootsel.copy(b"x" * 100_000, drive, pull)


def test_a_drive_that_vanishes_with_the_last_block_is_the_board_starting(drive: Path) -> None:
    def gone(done: int, total: int) -> None:
        if done == total:
            raise OSError(5, "Input/output error")

    bootsel.copy(b"x" * 100_000, drive, gone)


def test_a_drive_that_may_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="BOOTSEL"):
        bootsel.copy(b"x", tmp_path / "none", Told())


def test_it_is_found_among_the_mounts(drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "a b"
    other.mkdir()
    mounts = tmp_path / "mountinfo"
    line = "36 35 98:0 / {} rw,noatime shared:1 - {} /dev/sda1 rw\n"
    mounts.write_text(line.format("/", "ext4") + line.format(str(other).replace(" ", "\\040"), "vfat"))
    monkeypatch.setattr(bootsel, "_MOUNTS", mounts)
    monkeypatch.setattr(bootsel, "_USUAL", (str(tmp_path / "nothing"),))
    with pytest.raises(NoDevice, match="RPI-RP2"):
        bootsel.find_drive(PICO, "Pico")
    (other / "INFO_UF2.TXT").write_text("Board-ID: RP2350\r\n")
    with pytest.raises(NoDevice, match="another chip's.*RP2350"):
        bootsel.find_drive(PICO, "Pico")
    assert bootsel.find_drive(PICO2, "Pico 2") == other
    monkeypatch.setattr(bootsel, "_USUAL", (str(drive.parent),))
    assert bootsel.find_drive(PICO, "Pico") == drive
    shutil.copytree(drive, drive.parent / "drive2")
    with pytest.raises(NoDevice, match="Several"):
        bootsel.find_drive(PICO, "Pico")
