# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The emulated flash: counted, cut, torn, and kept over a power cycle."""

from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.simulator.errors import ImageError, PowerLost
from understudy.simulator.flash_layout import FLASH_SIZE, FS_START, PAGE, SECTOR
from understudy.simulator.flash_meter import torn
from understudy.simulator.images import image_kind, load_segments
from understudy.simulator.littlefs_image import has_littlefs, install_files, make_littlefs, read_littlefs
from understudy.simulator.pico import Pico
from understudy.simulator.raw_repl import RawRepl

MakePico = Callable[..., Pico]
BLANK = b"\xff" * FLASH_SIZE
BLOCK = 340  # of the file system, near its end and so far unused
ADDRESS = FS_START + BLOCK * SECTOR
OPEN_FLASH = "import rp2\nf = rp2.Flash()"
ERASE = f"f.ioctl(6, {BLOCK})"


def program(value: int) -> str:
    """Guest code that programs one page of BLOCK without erasing."""
    return f"f.writeblocks({BLOCK}, bytes([{value}]) * {PAGE}, 0)"


def page(pico: Pico) -> bytes:
    return pico.flash_image()[ADDRESS : ADDRESS + PAGE]


def test_counts_operations_bytes_and_time(stock_pico: MakePico) -> None:
    pico = stock_pico()
    repl = RawRepl(pico)
    repl.exec(OPEN_FLASH)
    pico.meter.take()
    repl.exec(ERASE)
    repl.exec(program(0x5A))
    repl.exec(program(0x0F))
    meter = pico.meter
    assert (meter.programs, meter.erases, meter.programmed_bytes) == (2, 1, 2 * PAGE)
    assert meter.busy_us == 45_000 + 2 * 700
    assert [(op.kind, op.address, op.size) for op in meter.take()] == [
        ("erase", ADDRESS, SECTOR),
        ("program", ADDRESS, PAGE),
        ("program", ADDRESS, PAGE),
    ]
    assert (meter.programs, meter.erases) == (0, 0)
    assert page(pico) == bytes([0x5A & 0x0F]) * PAGE  # programming only clears bits


@pytest.mark.parametrize("tear", ["none", "half", "bits", "all"])
def test_power_cut_in_a_program(stock_pico: MakePico, tear: str) -> None:
    pico = stock_pico()
    repl = RawRepl(pico)
    repl.exec(OPEN_FLASH)
    repl.exec(ERASE)
    pico.meter.cut_power_at(1, tear, seed=5)  # type: ignore[arg-type]
    repl.exec(program(0xF0))
    with pytest.raises(PowerLost):
        repl.exec(program(0x00))
    with pytest.raises(PowerLost):
        pico.run_us(1)
    old, new = b"\xf0" * PAGE, bytes(PAGE)
    left = page(pico)
    if tear == "bits":
        assert left not in (old, new)
        assert all(byte & ~0xF0 == 0 for byte in left)
    else:
        assert left == {"none": old, "half": new[: PAGE // 2] + old[PAGE // 2 :], "all": new}[tear]


def test_power_cut_in_an_erase(stock_pico: MakePico) -> None:
    pico = stock_pico()
    repl = RawRepl(pico)
    repl.exec(OPEN_FLASH)
    repl.exec(ERASE)
    repl.exec(f"f.writeblocks({BLOCK}, bytes({SECTOR}), 0)")
    pico.meter.cut_power_at(0, "half")
    with pytest.raises(PowerLost):
        repl.exec(ERASE)
    sector = pico.flash_image()[ADDRESS : ADDRESS + SECTOR]
    assert sector == b"\xff" * (SECTOR // 2) + bytes(SECTOR // 2)


def test_torn_bits_are_a_mix_by_seed() -> None:
    old, new = b"\xff" * 64, bytes(64)
    assert torn(old, new, "bits", 1) == torn(old, new, "bits", 1) != torn(old, new, "bits", 2)
    assert torn(b"\xa5" * 64, b"\x81" * 64, "bits", 3).translate(None, b"\xa5\xa1\x85\x81") == b""


def test_power_cycle_keeps_files_and_forgets_ram(stock_image: Path, stock_pico: MakePico) -> None:
    first = stock_pico()
    RawRepl(first).exec("with open('kept', 'w') as f: f.write('yes')\nx = 1")
    second = stock_pico(flash=first.flash_image())
    assert RawRepl(second).exec("print(open('kept').read(), 'x' in globals())") == "yes False\n"
    assert second.meter.ops == []  # mounting what is there writes nothing


def test_file_system_made_on_the_host(stock_pico: MakePico) -> None:
    files = {"main.py": b"import lib.hello\n", "lib/hello.py": b"print('hello', __name__)\n"}
    pico = stock_pico(flash=BLANK[:FS_START] + make_littlefs(files))
    pico.expect(b"hello lib.hello\r\n")
    RawRepl(pico).exec("import os\nos.mkdir('d')\nwith open('d/new', 'wb') as f: f.write(bytes(5000))")
    left = read_littlefs(pico.flash_image())
    assert {path.lstrip("/"): data for path, data in left.items()} == {**files, "d/new": bytes(5000)}


def test_install_files_leaves_a_used_flash_alone() -> None:
    assert not has_littlefs(BLANK)
    once = install_files(BLANK, {"main.py": b"1"})
    assert has_littlefs(once) and len(once) == FLASH_SIZE
    assert install_files(once, {"main.py": b"2"}) == once
    both = install_files(once, {"other.py": b"2"}, overwrite=True)
    assert sorted(read_littlefs(both).values()) == [b"1", b"2"]


def test_flash_image_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="2097152 bytes"):
        Pico(None, flash=bytes(FLASH_SIZE + 1))


def test_tells_images_apart(stock_image: Path, tmp_path: Path) -> None:
    uf2 = stock_image.read_bytes()
    assert image_kind(uf2) == "uf2"
    firmware = b"".join(data for _, data in load_segments(stock_image))
    assert image_kind(firmware) == "bin"
    for wrong in (b"", b"\xff" * 1024, bytes(1024), uf2[4:]):
        with pytest.raises(ImageError):
            image_kind(wrong)


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (508, b"\0\0\0\0", "damaged UF2: block 0"),
        (16, (500).to_bytes(4, "little"), "damaged UF2: block 0"),
        (12, (0x2000_0000).to_bytes(4, "little"), "outside the flash"),
        (28, (0xE48BFF59).to_bytes(4, "little"), "nothing for the RP2040"),  # the RP2350's family
    ],
)
def test_bad_uf2_is_refused(
    stock_image: Path, tmp_path: Path, offset: int, value: bytes, message: str
) -> None:
    block = bytearray(stock_image.read_bytes()[:512])
    block[offset : offset + len(value)] = value
    path = tmp_path / "bad.uf2"
    path.write_bytes(block)
    with pytest.raises(ImageError, match=message):
        load_segments(path)
    path.write_bytes(block[:500])
    with pytest.raises(ImageError):
        load_segments(path)
