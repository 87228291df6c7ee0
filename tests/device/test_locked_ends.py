# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Wherever a locked image could stand still or fall to a prompt, it starts anew instead."""

import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from understudy.simulator.flash_layout import XIP_BASE
from understudy.simulator.pico import Pico

VECTORS = XIP_BASE + 0x100
HARD_FAULT = 3  # the vector's number
WATCHDOG = 0x40058  # the peripheral's address, less its last twelve bits
FAULT = 0x55534402  # what ports/micropython.py takes for a fault
WATCHDOG_MS = 8388
COUNTS = 2000  # of its counter, to a millisecond (RP2040 data sheet, erratum RP2040-E1)
REASON, BY_TIMER = 8, 1
HANG_US = 1000  # MicroPython starts then: the SDK has set the clocks up, no Python has run
FOREVER = 0xE7FE  # Thumb: branch to itself
RAM = 0x2003F000  # of the heap, which a device that has just started does not fill


def address(image: Path, name: str) -> int:
    """Of a function."""
    with image.with_suffix(".elf").open("rb") as file:
        (symbol,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)
        return int(symbol["st_value"]) & ~1


def restarts(pico: Pico) -> bool:
    """Whether it comes up on USB anew, as after power-up."""
    pico.boot()
    return pico.connections == 2


@pytest.fixture
def pico(device_image: Path) -> Pico:
    """A locked one, at the very start of main.py."""
    pico = Pico(device_image, seed=1)
    pico.boot()
    return pico


@pytest.mark.parametrize(
    "name",
    [
        "HardFault_Handler",
        "__wrap_nlr_jump_fail",
        "understudy_soft_reset",
        "pyexec_raw_repl",
        "pyexec_friendly_repl",
    ],
)
def test_each_end_is_a_restart_after_a_fault(device_image: Path, pico: Pico, name: str) -> None:
    pico.mcu.core.pc = address(device_image, name)
    scratch = pico.mcu.peripherals[WATCHDOG].scratch_data
    assert pico.run_until(lambda: scratch[0] == FAULT, sim_us=1000)
    assert restarts(pico)


def test_a_fault_comes_to_our_handler(device_image: Path, pico: Pico) -> None:
    (handler,) = struct.unpack_from("<I", pico.flash_image(), VECTORS - XIP_BASE + 4 * HARD_FAULT)
    assert handler == address(device_image, "HardFault_Handler") | 1


def test_the_watchdog_bites_before_python_has_armed_its_own(device_image: Path) -> None:
    """A hang from MicroPython's first instructions on."""
    pico = Pico(device_image, seed=1)
    pico.run_us(HANG_US)
    timer = pico.mcu.peripherals[WATCHDOG].timer
    assert WATCHDOG_MS - HANG_US // 1000 - 1 <= timer.counter / COUNTS <= WATCHDOG_MS
    pico.mcu.write_uint16(RAM, FOREVER)
    pico.mcu.core.pc = RAM
    pico.run_us(1000)
    assert pico.mcu.core.pc == RAM
    timer.set(2 * COUNTS)  # the rest of the eight seconds would take minutes to emulate
    pico.boot()
    assert pico.mcu.peripherals[WATCHDOG].read_uint32(REASON) == BY_TIMER
