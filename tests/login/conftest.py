# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Fixtures: a machine of its own for every test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.login.machine import Machine


def pytest_runtest_setup() -> None:
    """Logins need users, and those need root, if only in a namespace."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a mount namespace: `make test-login` runs it by `sudo -n` where it may")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine without a device."""
    with Machine(tmp_path / "machine") as machine:
        yield machine
