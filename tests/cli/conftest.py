# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Fixtures: the command line, a simulated device, a claimed one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.support import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A command line with a home of its own, and no device."""
    return Cli(tmp_path / "host")


@pytest.fixture
def new_device(cli: Cli) -> Iterator[str]:
    """The port of a device that nobody has claimed."""
    with cli.simulator() as port:
        yield port


@pytest.fixture
def device(cli: Cli, new_device: str) -> str:
    """The port of a device whose admin is `cli`."""
    cli.ok("claim", "--yes", "--name", "test host")
    return new_device
