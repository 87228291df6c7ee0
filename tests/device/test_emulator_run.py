# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The harness itself: booting, the serial port, and time that is exact."""

from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.simulator.errors import GuestError, SimulationTimeout
from understudy.simulator.flash_layout import FLASH_SIZE
from understudy.simulator.images import load_segments
from understudy.simulator.pico import Pico
from understudy.simulator.raw_repl import RawRepl

MakePico = Callable[..., Pico]


def test_boots_to_a_repl(stock_pico: MakePico) -> None:
    repl = RawRepl(stock_pico())
    assert repl.exec("import sys\nprint(6 * 7, sys.platform)") == "42 rp2\n"


def test_guest_exceptions_come_out(stock_pico: MakePico) -> None:
    with pytest.raises(GuestError, match="ZeroDivisionError"):
        RawRepl(stock_pico()).exec("1 // 0")


def test_raw_binary_boots_as_well(stock_image: Path, tmp_path: Path) -> None:
    flash = bytearray(b"\xff" * FLASH_SIZE)
    end = 0
    for offset, data in load_segments(stock_image):
        flash[offset : offset + len(data)] = data
        end = max(end, offset + len(data))
    binary = tmp_path / "firmware.bin"
    binary.write_bytes(flash[:end])
    pico = Pico(binary, seed=1)
    pico.boot()
    assert RawRepl(pico).exec("print('up')") == "up\n"


def test_long_input_arrives_whole(stock_pico: MakePico) -> None:
    """Longer than rp2040py's own 512-byte queue, which drops what does not fit."""
    text = "".join(f"{number:05}" for number in range(400))
    assert RawRepl(stock_pico()).exec(f"s = '{text}'\nprint(len(s), s[-5:])") == "2000 00399\n"


def test_same_calls_same_nanoseconds(stock_pico: MakePico) -> None:
    def run() -> tuple[int, bytes]:
        pico = stock_pico(seed=7)
        RawRepl(pico).exec("import os\nwith open('f', 'wb') as f: f.write(os.urandom(3000))")
        return pico.nanos, pico.flash_image()

    assert run() == run()


def test_run_us_is_exact_and_guest_agrees(stock_pico: MakePico) -> None:
    pico = stock_pico()
    repl = RawRepl(pico)
    before = int(repl.exec("import time\nprint(time.ticks_us())"))
    mark = pico.micros
    pico.run_us(1_000_000)
    assert 1_000_000 <= pico.micros - mark <= 1_000_001
    after = int(repl.exec("print(time.ticks_us())"))
    assert 1_000_000 < after - before < 1_030_000


def test_jump_moves_the_guests_clock(stock_pico: MakePico) -> None:
    pico = stock_pico()
    repl = RawRepl(pico)
    assert repl.exec("import time\nprint(time.gmtime()[:4])") == "(2021, 1, 1, 0)\n"
    pico.jump(86_400)
    assert repl.exec("print(time.gmtime()[:4])") == "(2021, 1, 2, 0)\n"


def test_limits_of_a_run(stock_pico: MakePico) -> None:
    pico = stock_pico()
    RawRepl(pico)
    pico.send(b"import time\nwhile True: time.sleep_ms(10)\n\x04")
    start = pico.micros
    assert not pico.run_until(lambda: False, sim_us=250_000)
    assert 250_000 <= pico.micros - start <= 250_001
    assert not pico.run_until(lambda: False, wall_s=0.05)
    with pytest.raises(SimulationTimeout, match="never"):
        pico.expect(b"never", sim_us=50_000)


def test_reset_starts_again_and_keeps_files(stock_pico: MakePico) -> None:
    pico = stock_pico()
    RawRepl(pico).exec("with open('kept', 'w') as f: f.write('yes')\nx = 1")
    pico.send(b"lost on the way")
    pico.reset()
    assert pico.unsent == 0
    pico.boot()
    assert RawRepl(pico).exec("print(open('kept').read(), 'x' in globals())") == "yes False\n"


def test_guest_can_reset_itself(stock_pico: MakePico) -> None:
    pico = stock_pico()
    RawRepl(pico)
    pico.send(b"import machine\nmachine.reset()\n\x04")
    pico.boot()
    assert RawRepl(pico).exec("import machine\nprint(machine.reset_cause() == machine.WDT_RESET)") == "True\n"


def test_nobody_waits_for_a_guest_that_has_reset_itself(stock_pico: MakePico) -> None:
    pico = stock_pico()
    RawRepl(pico)
    pico.send(b"import machine\nmachine.reset()\n\x04")
    with pytest.raises(SimulationTimeout, match="never.*has started anew"):
        pico.expect(b"never")
    assert RawRepl(pico).exec("print(1)") == "1\n"
