# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Fixtures: the command line, a simulated device, a claimed one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.service import served
from tests.cli.support import Cli

# Modules whose tests run over every link that a device on Linux has.
OVER_EVERY_LINK = ("test_cli_link", "test_cli_users", "test_clock")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The simulator, and the device's service on a tty and on TCP."""
    if "new_device" in metafunc.fixturenames and metafunc.module.__name__.endswith(OVER_EVERY_LINK):
        metafunc.parametrize("new_device", ["simulator", "pty", "socket"], indirect=True)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A command line with a home of its own, and no device."""
    return Cli(tmp_path / "host")


@pytest.fixture
def new_device(cli: Cli, request: pytest.FixtureRequest) -> Iterator[str]:
    """The port of a device that nobody has claimed."""
    link = getattr(request, "param", "simulator")
    if link == "simulator":
        with cli.simulator() as port:
            yield port
    else:
        with served(cli.folder / "device", link) as (_, port, _cable):
            cli.env["UNDERSTUDY_PORT"] = port
            yield port


@pytest.fixture
def device(cli: Cli, new_device: str) -> str:
    """The port of a device whose admin is `cli`."""
    cli.ok("claim", "--yes", "--name", "test host")
    return new_device
