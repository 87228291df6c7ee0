# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Fixtures: the emulated Pico that power cuts are tried on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.device.conftest import find_image
from tests.power.pico_engine import PicoEngine


@pytest.fixture(scope="session")
def bare_image() -> Path:
    """The Pico's image with our firmware frozen, and nothing that starts it."""
    return find_image("rpi_pico-bare")


@pytest.fixture(scope="session")
def pico(bare_image: Path) -> Iterator[PicoEngine]:
    """Powers up emulated Picos, one at a time."""
    with PicoEngine(bare_image) as engine:
        yield engine
