# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Counts, times, cuts and tears the flash operations of an emulated Pico.

Without it erasing and programming cost no simulated time. rp2040py applies a flash command when chip-select
rises; this stands in its place, lets it happen, and then lets the clock run for as long as a real chip is
busy.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rp2040py.clock.clock import IClock
from rp2040py.peripherals.ssi import CMD_BLOCK_ERASE, CMD_PAGE_PROGRAM, CMD_SECTOR_ERASE
from rp2040py.rp2040 import RP2040

from .flash_layout import PAGE, SECTOR
from .patches.hooks import AnyCallable, wrap

OpKind = Literal["program", "erase"]
Tear = Literal["none", "half", "bits", "all"]
TEARS: tuple[Tear, ...] = ("none", "half", "bits", "all")

# Typical times of the Pico's W25Q16JV (data sheet 9.6): page program 0.4 to 3 ms, sector erase 45 to 400 ms.
PROGRAM_US = 700
ERASE_US = 45_000
_BLOCK = 65536
_ERASE_SIZES = {CMD_SECTOR_ERASE: SECTOR, CMD_BLOCK_ERASE: _BLOCK}
_ADDRESS_END = 4  # opcode and three address bytes


@dataclass(frozen=True)
class FlashOp:
    """One operation: `at_ns` is the simulated time it began, address and size are in bytes."""

    kind: OpKind
    address: int
    size: int
    at_ns: int


@dataclass
class _Cut:
    index: int
    tear: Tear
    seed: int


class FlashMeter:
    """The flash chip's instruments; `Pico.meter` is one."""

    def __init__(
        self,
        mcu: RP2040,
        on_power_cut: Callable[[], None],
        *,
        program_us: int = PROGRAM_US,
        erase_us: int = ERASE_US,
    ) -> None:
        """
        :param on_power_cut: called in the operation at which the power fails
        :param program_us: busy time of a page program; 0 for none
        :param erase_us: busy time of a sector erase; a block erase takes as many as it has sectors
        """
        self._flash, self._ssi = mcu.flash, mcu.ssi
        self._clock: IClock = mcu.clock
        self._on_power_cut = on_power_cut
        self._busy_us = {"program": program_us, "erase": erase_us}
        self._cut: _Cut | None = None
        self._dead = False
        self.ops: list[FlashOp] = []
        self.on_change: Callable[[FlashOp], None] | None = None
        wrap(self._ssi, "_apply_command", self._make_apply)

    def take(self) -> list[FlashOp]:
        """The operations since the last `take()`, oldest first."""
        ops, self.ops = self.ops, []
        return ops

    @property
    def programs(self) -> int:
        """Page programs since the last `take()`."""
        return sum(op.kind == "program" for op in self.ops)

    @property
    def erases(self) -> int:
        """Erases since the last `take()`."""
        return len(self.ops) - self.programs

    @property
    def programmed_bytes(self) -> int:
        """Bytes programmed since the last `take()`."""
        return sum(op.size for op in self.ops if op.kind == "program")

    @property
    def busy_us(self) -> int:
        """Simulated microseconds the chip was busy since the last `take()`."""
        return sum(self._duration_us(op) for op in self.ops)

    def cut_power_at(self, index: int, tear: Tear = "none", seed: int = 0) -> None:
        """Let the power fail in the `index`-th operation from now (0 is the next one).

        :param tear: how much of that operation is on the chip afterwards: none of it, its first half, a
            random subset of its bits (by `seed`), or all of it (but the guest never learns)
        :raises ValueError: no such tear
        """
        if tear not in TEARS:
            raise ValueError(f"no such tear: {tear!r}")
        self.ops.clear()
        self._cut = _Cut(index, tear, seed)

    def _make_apply(self, original: AnyCallable) -> AnyCallable:
        def apply_command() -> None:
            op = self._decode()
            if op is None:
                original()
            elif not self._dead:
                self._perform(op, original)

        return apply_command

    def _decode(self) -> FlashOp | None:
        """The command that has just been shifted in, if it is one that changes the flash."""
        sent = self._ssi._tx_buffer
        if not sent or not self._ssi._write_enabled or len(sent) < _ADDRESS_END:
            return None
        address = self._ssi._address_from_buffer()
        now = round(self._clock.nanos)
        if sent[0] == CMD_PAGE_PROGRAM and len(sent) > _ADDRESS_END:
            return FlashOp("program", address, min(len(sent) - _ADDRESS_END, PAGE), now)
        size = _ERASE_SIZES.get(sent[0])
        return FlashOp("erase", address & ~(size - 1), size, now) if size else None

    def _perform(self, op: FlashOp, original: AnyCallable) -> None:
        cut = self._cut if self._cut is not None and self._cut.index == len(self.ops) else None
        before = bytes(self._flash[op.address : op.address + op.size]) if cut else b""
        self.ops.append(op)
        original()
        if cut is not None:
            self._tear(op, before, cut)
            self._dead = True
            self._on_power_cut()
        else:
            self._clock.tick(self._duration_us(op) * 1000)
        if self.on_change is not None:
            self.on_change(op)

    def _duration_us(self, op: FlashOp) -> int:
        return self._busy_us[op.kind] * (op.size // SECTOR if op.kind == "erase" else 1)

    def _tear(self, op: FlashOp, before: bytes, cut: _Cut) -> None:
        after = bytes(self._flash[op.address : op.address + op.size])
        self._flash[op.address : op.address + op.size] = torn(before, after, cut.tear, cut.seed)


def torn(before: bytes, after: bytes, tear: Tear, seed: int = 0) -> bytes:
    """What a flash operation from `before` to `after` leaves when the power fails in it."""
    if tear == "none":
        return before
    if tear == "half":
        half = len(after) // 2
        return after[:half] + before[half:]
    if tear == "bits":
        landed = random.Random(seed).randbytes(len(after))  # noqa: S311 - to be repeatable
        return bytes((new & bit) | (old & ~bit) for old, new, bit in zip(before, after, landed, strict=True))
    return after
