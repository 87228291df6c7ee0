# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Fixtures: a machine of its own for every test, alone or with a device and a broker."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.login.broker import Broker, Provisioned
from tests.login.crowd import Crowd, CrowdedSite, crowded
from tests.login.machine import Machine
from tests.login.newcomer import Newcomer, newcomer
from tests.login.servers import PrivacyIdea, with_certificates
from tests.login.site import PASSWORD, Site, site
from tests.login.sshd import Sshd


@pytest.fixture(scope="session")
def root() -> None:
    """Logins need users, and those need root, if only in a namespace."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a mount namespace: `make test-login` runs it by `sudo -n` where it may")


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Provisioned:
    """A claimed device with users, to be copied."""
    return Provisioned(tmp_path_factory.mktemp("kept") / "host")


@pytest.fixture
def broker(kept: Provisioned, tmp_path: Path) -> Iterator[Broker]:
    """A broker that serves a device of its own."""
    with kept.device(tmp_path / "host") as cli:
        broker = Broker(cli, str(cli.folder / "port"))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


@pytest.fixture
def machine(root: None, tmp_path: Path) -> Iterator[Machine]:
    """A machine without a device."""
    with Machine(tmp_path / "machine") as machine:
        yield machine


@pytest.fixture
def at(root: None, tmp_path: Path, kept: Provisioned) -> Iterator[Site]:
    """A site where alice has a password and a code, with sshd's stack for both; no broker is started yet.

    The device knows bob, carol and dave, too, but the machine does not.
    """
    with site(kept, tmp_path) as made:
        made.machine.add_user("alice", PASSWORD)
        made.stack("sshd-password", "sshd")
        yield made


@pytest.fixture
def new(root: None, tmp_path: Path) -> Iterator[Newcomer]:
    """A machine on which nothing is set up, with a new device."""
    with newcomer(tmp_path) as made:
        yield made


@pytest.fixture
def sshd(new: Newcomer) -> Iterator[Sshd]:
    """Its sshd, as Debian has it."""
    with Sshd(new.machine, None) as new.sshd:
        yield new.sshd


@pytest.fixture(scope="session")
def _privacyidea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivacyIdea]:
    with with_certificates(tmp_path_factory.mktemp("privacyidea")) as server:
        yield server


@pytest.fixture
def privacyidea(_privacyidea: PrivacyIdea) -> PrivacyIdea:
    """A privacyIDEA that runs, the same one in several tests. Its `fresh` codes are erin's."""
    _privacyidea.again()
    return _privacyidea


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """A claimed device with many users, to be copied."""
    return Crowd(tmp_path_factory.mktemp("crowd") / "host")


@pytest.fixture
def busy(crowd: Crowd, tmp_path: Path) -> Iterator[CrowdedSite]:
    """A site with the crowd, and its broker running."""
    with crowded(crowd, tmp_path) as made:
        yield made
