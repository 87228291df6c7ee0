# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Costs are exact and repeatable, and a profile knows where they went."""

from collections.abc import Callable
from pathlib import Path

from understudy.simulator.cost import Stopwatch, request_cost, run_to_grid
from understudy.simulator.flash_layout import FLASH_SIZE
from understudy.simulator.littlefs_image import install_files
from understudy.simulator.pc_profile import Profile, Symbols
from understudy.simulator.pico import Pico
from understudy.simulator.raw_repl import RawRepl

MakePico = Callable[..., Pico]
ECHO = b"""import sys, hashlib
while True:
    line = sys.stdin.buffer.readline(256)
    sys.stdout.buffer.write(hashlib.sha256(line * 20).digest().hex() + '\\n')
"""


def costs(make: MakePico) -> list[int]:
    pico = make(flash=install_files(b"\xff" * FLASH_SIZE, {"main.py": ECHO}))
    pico.run_us(100_000)
    return [request_cost(pico, b"x" * 90 + b"\n", b"\n")[0].ns for _ in range(5)]


def test_request_costs_are_identical_in_a_second_run(stock_pico: MakePico) -> None:
    first = costs(stock_pico)
    assert first == costs(stock_pico)
    assert all(500_000 < cost < 10_000_000 for cost in first)


def test_grid(stock_pico: MakePico) -> None:
    pico = stock_pico()
    pico.run_us(1234)
    run_to_grid(pico, 10_000)
    assert pico.nanos % 10_000_000 < 1_000


def test_stopwatch_counts_flash(stock_pico: MakePico) -> None:
    pico = stock_pico()
    repl = RawRepl(pico)
    watch = Stopwatch(pico)
    repl.exec("import rp2\nrp2.Flash().writeblocks(300, bytes(4096))")
    cost = watch.cost()
    assert (cost.programs, cost.erases, cost.flash_ns) == (16, 1, (45_000 + 16 * 700) * 1000)
    assert cost.us > cost.flash_ns / 1000


def test_profile_finds_the_hash_function(stock_image: Path, stock_pico: MakePico) -> None:
    elf = stock_image.with_suffix(".elf")
    assert elf.is_file(), (
        "the ELF file belongs beside the image (one chosen with UNDERSTUDY_IMAGE_STOCK, too)"
    )
    pico = stock_pico()
    repl = RawRepl(pico)
    repl.exec("import hashlib\nd = bytes(20000)")
    with Profile(pico, Symbols(elf)) as profile:
        repl.exec("hashlib.sha256(d).digest()")
    (name, count), *_ = profile.samples.most_common(1)
    assert "sha256" in name
    assert count > profile.samples.total() // 2
