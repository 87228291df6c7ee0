# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Flash operations as the chip sees them, whole pages and sectors, and what a power cut leaves of one."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from understudy.simulator.flash_layout import PAGE, SECTOR
from understudy.simulator.flash_meter import torn

Tear = Literal["none", "half", "middle", "tail", "rest", "first", "last", "bits", "all"]
# "none" and "all" are the clean ones: not begun, and done but never answered. "half" is half of the page or
# sector. A record seldom crosses the middle of its page; "middle" is half of the bytes that change, "first"
# and "last" are one of them and all but one, and "rest" all but the first half. "tail" is a sector whose
# second half is erased and whose first is not. "bits" is any mixture.
SHORT: tuple[Tear, ...] = ("none", "half", "middle", "tail", "all")
LONG: tuple[Tear, ...] = ("none", "half", "middle", "tail", "rest", "first", "last", "bits", "all")


@dataclass(frozen=True)
class Op:
    """One operation: offset into the store's region, and all of its page or sector before and after."""

    kind: Literal["program", "erase"]
    offset: int
    before: bytes
    after: bytes

    def left(self, tear: Tear, seed: int = 0) -> bytes:
        """What stands there when the power fails in it."""
        if tear in ("none", "half", "bits", "all"):
            return torn(self.before, self.after, tear, seed)  # type: ignore[arg-type]
        if tear == "tail":
            half = len(self.after) // 2 if self.kind == "erase" else len(self.after)
            return self.before[:half] + self.after[half:]
        changed = [i for i, (old, new) in enumerate(zip(self.before, self.after, strict=True)) if old != new]
        if not changed:
            return self.after
        end = changed[
            {"middle": len(changed) // 2, "rest": len(changed) // 2, "first": 1, "last": -1}[tear]
            % len(changed)
        ]
        done, undone = (self.before, self.after) if tear == "rest" else (self.after, self.before)
        return done[:end] + undone[end:]


@dataclass(frozen=True)
class Cut:
    """The region as a power cut left it."""

    index: int
    tear: Tear
    seed: int
    image: bytes

    def __str__(self) -> str:
        return f"cut in operation {self.index}, {self.tear}" + (f" {self.seed}" if self.seed else "")


def apply(image: bytes, op: Op, content: bytes | None = None) -> bytes:
    """The region after `op`, or with `content` where it was to be done."""
    put = op.after if content is None else content
    return image[: op.offset] + put + image[op.offset + len(put) :]


def cuts(
    image: bytes, ops: Sequence[Op], tears: Sequence[Tear], seeds: Sequence[int] = (1,)
) -> Iterator[Cut]:
    """Every cut of a run that began on `image` and made `ops`; one only of those that leave the same."""
    seen = set()
    for index, op in enumerate(ops):
        if image[op.offset : op.offset + len(op.before)] != op.before:
            raise ValueError(f"operation {index} was recorded over something else")
        for tear in tears:
            for seed in seeds if tear == "bits" else (0,):
                left = apply(image, op, op.left(tear, seed))
                digest = hashlib.sha256(left).digest()
                if digest not in seen:
                    seen.add(digest)
                    yield Cut(index, tear, seed, left)
        image = apply(image, op)


def program(offset: int, before: bytes, after: bytes) -> Op:
    """The operation on the whole page around `offset`, from that page's content before and after."""
    return Op("program", offset - offset % PAGE, before, after)


def erase(offset: int, before: bytes) -> Op:
    """The operation that erases the sector at `offset`."""
    return Op("erase", offset, before, b"\xff" * SECTOR)
