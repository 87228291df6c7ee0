# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""RP2040 and RP2350 images: ours for a board of boards/, and the stock one, which stands for the official
download.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from . import interpreter, paths, stage, steps, uf2

_FLASH_BASE = 0x10000000  # RP2040 data sheet, 2.2, RP2350's, 2.2: where XIP flash appears
_STOCK_BOARD = "rpi_pico"  # whose chip the stock image is for
_DEV = "-dev"
_BARE = "-bare"  # as -dev, but nothing starts the modules; for measuring
_PORT = paths.SOURCE / "ports" / "rp2"


def build(name: str) -> None:
    """Make build/images/<name>/firmware.{uf2,bin,elf} unless there.

    name: BOARD, whose image has no way to MicroPython's prompt; BOARD-dev, the same with it;
    BOARD-bare, which starts nothing; or "stock"
    """
    interpreter.ready()
    with steps.locked(f"image-{name}"):
        if name == "stock":
            _build_stock()
        else:
            _build_board(name)


def _build_board(name: str) -> None:
    folder = paths.MICROPYTHON / "rp2" / name
    board = name.removesuffix(_BARE).removesuffix(_DEV)
    locked = board == name
    family = _family(board)
    wanted = stage.modules(board, locked=locked)
    if name.endswith(_BARE):
        del wanted["main.py"]
    settings = [file for file in stage.build_files(board) if file.suffix in (".cmake", ".h")]
    content = steps.digest(
        _inputs() + stage.build_files(board), str(locked), *wanted, *map(bytes.decode, wanted.values())
    )
    if _current(name, content):
        return
    stage.fill(folder / "stage", wanted)
    # MicroPython's own rule goes by times, and would not notice a module that is gone.
    (folder / "build" / "frozen_content.c").unlink(missing_ok=True)
    options = [
        f"-DMICROPY_BOARD={board}",
        f"-DMICROPY_BOARD_DIR={paths.BOARDS / board}",
        f"-DMICROPY_FROZEN_MANIFEST={paths.BOARDS / board / 'manifest.py'}",
        f"-DMICROPY_MANIFEST_STAGE_DIR={folder / 'stage'}",
        f"-DUNDERSTUDY_LOCKED={'ON' if locked else 'OFF'}",
    ]
    # A changed configuration of the C code asks for a new start: MicroPython's generated headers keep parts
    # of the old one.
    _make(name, folder / "build", options, family, settings)
    _stamp(name).write_text(content)


def _build_stock() -> None:
    manifest = paths.TOOLS / "stock_image" / "manifest.py"
    content = steps.digest([*_inputs(), manifest])
    if _current("stock", content):
        return
    options = ["-DMICROPY_BOARD=RPI_PICO", f"-DMICROPY_FROZEN_MANIFEST={manifest}"]
    _make("stock", paths.MICROPYTHON / "rp2" / "stock" / "build", options, _family(_STOCK_BOARD))
    _stamp("stock").write_text(content)


def _inputs() -> list[Path]:
    code = [Path(__file__).with_name(name) for name in ("image.py", "interpreter.py", "uf2.py")]
    return [paths.MICROPYTHON / "sources.json", *code]


def _outputs(name: str) -> list[Path]:
    return [paths.IMAGES / name / f"firmware.{kind}" for kind in ("uf2", "bin", "elf")]


def _stamp(name: str) -> Path:
    return paths.IMAGES / name / "firmware.stamp"


def _current(name: str, content: str) -> bool:
    return steps.up_to_date(_stamp(name), content, *_outputs(name))


def _make(name: str, folder: Path, options: list[str], family: int, settings: Sequence[Path] = ()) -> None:
    flags = interpreter.prefix_map()
    assembler = f"{flags} {flags.replace('-ffile-', '-fdebug-')}"  # GCC hands only the latter to `as`
    env = interpreter.environment(
        CFLAGS=flags, CXXFLAGS=flags, ASMFLAGS=assembler, MICROPY_MPYCROSS=str(paths.MPY_CROSS)
    )
    command = ["cmake", "-S", str(_PORT), "-B", str(folder), "-DPICO_NO_PICOTOOL=1", *options]
    configured = folder / "configured.stamp"
    wanted = steps.digest([*_inputs(), *settings], *command)
    if not steps.up_to_date(configured, wanted, folder / "Makefile"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        steps.run(f"image-{name}-configure", command, env=env)
        configured.write_text(wanted)
    steps.run(f"image-{name}", ["make", "--no-print-directory", interpreter.jobs(), "-C", folder], env=env)
    image = (folder / "firmware.bin").read_bytes()
    (folder / "firmware.uf2").write_bytes(uf2.pack(image, family, _FLASH_BASE))
    for output in _outputs(name):
        steps.put(folder / output.name, output)


def _family(name: str) -> int:
    family = stage.board(name).get("uf2_family")
    if family is None:
        raise steps.BuildError(f"the board {name} takes no image: its board.json has no uf2_family")
    return int(family, 16)
