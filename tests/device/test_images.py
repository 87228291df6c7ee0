# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The images as files: each for its chip, none in the way of its store, and no prompt in a locked one."""

import json
import struct
from pathlib import Path

import pytest
from conftest import ROOT, find_image

from understudy.simulator.flash_layout import FS_START, XIP_BASE

STORE = {"rpi_pico": FS_START, "rpi_pico2": 0x100000}  # offsets in flash
PROMPTS = (b"raw REPL; CTRL-B to exit", b"paste mode; Ctrl-C to cancel")  # what the prompt's code says
IMAGES = ("rpi_pico", "rpi_pico-dev", "rpi_pico-bare", "rpi_pico2")


def blocks(image: Path) -> list[tuple[int, int]]:
    """(family, address behind it) of every block of a UF2."""
    data = image.read_bytes()
    heads = [struct.unpack_from("<8I", data, start) for start in range(0, len(data), 512)]
    return [(head[7], head[3] + head[4]) for head in heads]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_for_its_chip_and_leaves_the_store_alone(name: str) -> None:
    board = name.split("-", maxsplit=1)[0]
    family = json.loads((ROOT / "boards" / board / "board.json").read_text())["uf2_family"]
    found = blocks(find_image(name))
    assert {block[0] for block in found} == {int(family, 16)}
    assert max(block[1] for block in found) <= XIP_BASE + STORE[board]


@pytest.mark.parametrize("name", IMAGES)
def test_only_an_image_that_is_not_locked_holds_a_prompt(name: str) -> None:
    data = find_image(name).with_suffix(".bin").read_bytes()
    found = [prompt for prompt in PROMPTS if prompt in data]
    assert bool(found) == ("-" in name), found
