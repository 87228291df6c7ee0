# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The real driver against the model of its chip; and the model against the data sheet."""

import os

import pytest

from golden_screens import URI, examples, golden
from parts import Bench, BenchBoard
from ports._linux_i2c import LinuxI2C, import_driver
from understudy.picture import drawn, png, rows, terminal_text
from understudy.simulator.ssd1306 import Ssd1306
from wired_bus import WiredBus


class WiredBoard(BenchBoard):
    """A bench board with a real driver."""

    def __init__(self, bus):
        super().__init__()
        self.i2c = bus

    def open_display(self):
        return import_driver().open_display(self.i2c)


@pytest.fixture
def chip():
    return Ssd1306()


@pytest.fixture
def bench(chip):
    bench = Bench(WiredBoard(WiredBus(chip)))
    bench.device.tick()
    return bench


def show(bench, screen):
    """What the chip shows of it, after so many seconds at the most as a display is tried again."""
    bench.device.panel.hold(screen)
    bench.board.up += 10
    bench.device.tick()


@pytest.mark.parametrize("name", examples())
def test_the_driver_brings_each_screen_to_the_panel(bench, chip, name):
    show(bench, examples()[name])
    assert chip.picture() == rows(golden(name))


def test_at_the_other_address():
    chip = Ssd1306(0x3D)
    bench = Bench(WiredBoard(WiredBus(chip)))
    show(bench, ("sealed", ()))
    assert chip.picture() == rows(golden("sealed"))


def test_none_there():
    bench = Bench(WiredBoard(WiredBus()))
    assert not bench.device.panel.is_there
    assert bench.ask("screen")["display"] is False


def fail_by(bench, chip, how):
    if how == "unplugged":
        chip.present = False
    elif how == "stuck":
        bench.board.i2c.stuck = True
    else:
        chip.nak_after = int(how)


@pytest.mark.parametrize("how", ["unplugged", "stuck", "0", "1", "5", "20", "700"])
def test_it_fails_and_comes_back(bench, chip, how):
    fail_by(bench, chip, how)
    show(bench, ("sealed", ()))
    assert bench.ask("status")["status"] == "ok"
    assert not bench.device.panel.is_there
    chip.present, bench.board.i2c.stuck, chip.nak_after = True, False, None
    show(bench, ("sealed", ()))
    assert bench.device.panel.is_there
    assert chip.picture() == rows(golden("sealed"))


def test_unplugged_and_plugged_in_while_nothing_is_sent(bench, chip):
    show(bench, ("sealed", ()))
    chip.present = False
    chip.present = True
    assert not chip.lit
    show(bench, ("sealed", ()))
    assert chip.picture() == rows(golden("sealed"))


def test_a_chip_that_does_not_tell_is_left_alone(chip):
    chip.read = lambda: 0xFF
    bench = Bench(WiredBoard(WiredBus(chip)))
    show(bench, ("sealed", ()))
    chip.ram[:] = bytes(1024)
    show(bench, ("sealed", ()))
    assert not any(chip.ram)  # nothing was sent again


# The model.


def command(chip, *values):
    for value in values:
        chip.begin(False)
        assert chip.write(0x80) and chip.write(value)


def data(chip, values):
    chip.begin(False)
    chip.write(0x40)
    for value in values:
        chip.write(value)


def test_nothing_is_lit_without_charge_pump_or_after_a_power_up(chip):
    assert not chip.lit
    command(chip, 0xAF)
    assert not chip.lit
    command(chip, 0x8D, 0x14)
    assert chip.lit
    assert chip.read() == 0
    command(chip, 0xAE)
    assert not any(map(any, chip.picture()))
    assert chip.read() == 0x40


def ready(chip):
    command(chip, 0x8D, 0x14, 0xAF, 0xA1, 0xC8, 0x20, 0x00, 0x21, 0, 127, 0x22, 0, 7)
    data(chip, bytes(1024))


def lit(chip):
    return {(x, y) for y, row in enumerate(chip.picture()) for x, on in enumerate(row) if on}


def test_addressing_modes(chip):
    ready(chip)
    command(chip, 0x21, 10, 11, 0x22, 2, 3)
    data(chip, b"\x01\x02\x04\x08\x10")  # the fifth is over the first again
    assert lit(chip) == {(10, 20), (11, 17), (10, 26), (11, 27)}
    ready(chip)
    command(chip, 0x20, 0x01, 0x21, 10, 11, 0x22, 2, 3)
    data(chip, b"\x01\x04\x02\x08")  # down first
    assert lit(chip) == {(10, 16), (10, 26), (11, 17), (11, 27)}
    ready(chip)
    command(chip, 0x20, 0x02, 0xB5, 0x0E, 0x17)  # page 5, column 0x7e
    data(chip, b"\x80\x80\x80")  # goes round in its page
    assert lit(chip) == {(0, 47), (126, 47), (127, 47)}


def test_directions_inversion_and_rows(chip):
    ready(chip)
    data(chip, b"\x01")
    assert lit(chip) == {(0, 0)}
    command(chip, 0xA0, 0xC0)
    assert lit(chip) == {(127, 63)}
    command(chip, 0xA1, 0xC8, 0x40 | 60)
    assert lit(chip) == {(0, 4)}
    command(chip, 0x40, 0xA7)
    assert len(lit(chip)) == 128 * 64 - 1
    command(chip, 0xA6, 0xA5)
    assert len(lit(chip)) == 128 * 64
    command(chip, 0xA8, 31)
    assert len(lit(chip)) == 128 * 32
    command(chip, 0x81, 5)
    assert chip.contrast == 5


# Around it.


def test_the_qr_code_is_read_back():
    image = pytest.importorskip("PIL.Image")
    zxingcpp = pytest.importorskip("zxingcpp")
    assert read_qr(image, zxingcpp, drawn(examples()["enrolment"])) == URI


def read_qr(image, zxingcpp, pixels):
    import io

    found = zxingcpp.read_barcodes(image.open(io.BytesIO(png(rows(pixels)))).convert("L"))
    return found[0].text


def test_terminal_text_has_every_pixel():
    pixels = golden("enrolment")
    lines = terminal_text(pixels).splitlines()
    assert len(lines) == 18 and {len(line) for line in lines} == {66}
    dots = sum(bin(ord(cell) - 0x2800).count("1") for line in lines[1:-1] for cell in line[1:-1])
    assert dots == sum(map(sum, rows(pixels)))


def test_the_linux_bus(tmp_path):
    device = tmp_path / "i2c-7"
    device.write_bytes(b"\x01\x02\x03\x04\x05")
    asked = []
    bus = LinuxI2C(7, str(tmp_path), lambda _file, request, address: asked.append((request, address)))
    assert bus.try_lock() and not bus.try_lock()
    bus.unlock()
    assert bus.try_lock()
    bus.writeto(0x3C, b"")  # reads one byte
    buffer = bytearray(4)
    bus.readfrom_into(0x3C, buffer, start=1, end=3)
    assert buffer == b"\0\x02\x03\0"
    bus.writeto(0x3D, b"abcd", start=1, end=2)
    assert device.read_bytes() == b"\x01\x02\x03b\x05"
    with pytest.raises(OSError, match="short read"):
        bus.writeto_then_readfrom(0x3D, b"x", buffer)
    assert asked[-1] == (0x0703, 0x3D)
    os.close(bus._file)
