# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`understudy setup` out of the package, on a Debian whose systemd runs: its units, sshd, restarts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.support import SECRET, Done, wait_for
from tests.cli.terminal import Pty
from tests.deb import made
from tests.login.debian import Debian
from tests.login.newcomer import number, time_is_up, walked
from tests.login.person import answered

PORT = "socket://127.0.0.1:7250"  # the machine has a network of its own
SETUP = ("understudy", "--port", PORT, "setup")
PASSWORD = "a long password"
ANSWERS = (
    'user = "alice"\nenrol = "import"\nsecret_file = "/root/secret"\ncompare = false\nconfirm_within = {}\n'
)
FOLDER = "/var/lib/understudy-setup"
UNITS = ("understudyd.socket", "understudyd.service", "understudy-rollback.service")
WATCH = "understudy-setup-watch"


@pytest.fixture
def new(root: None, tmp_path: Path) -> Iterator[Debian]:
    """A running machine with the package, alice, and a device that nobody has claimed."""
    with Debian(tmp_path / "debian", boot=True) as debian:
        debian.ok("dpkg", "--install", debian.copy(made()))
        debian.add_user("alice", PASSWORD)
        debian.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
        debian.write("/root/secret", SECRET + "\n", mode=0o600)
        debian.write("/etc/default/understudy-device", f"LINK={PORT}\nCLOCK=host\n")
        debian.ok("systemctl", "enable", "--now", "understudy-device")
        wait_for(lambda: debian.run("understudy", "devices", "--port", PORT).code == 0)
        assert is_active(debian, "ssh")
        yield debian


def is_active(at: Debian, unit: str) -> bool:
    return at.run("systemctl", "is-active", unit).out == "active\n"


def is_enabled(at: Debian, unit: str) -> bool:
    return at.run("systemctl", "is-enabled", unit).out == "enabled\n"


def files(at: Debian) -> dict[str, tuple[object, ...]]:
    """All that is in /etc and in what PAM keeps: mode, owner, time and content."""
    places = ("/etc", "/var/lib/pam", "/usr/share/pam-configs")
    found = {path: about for place in places for path, about in walked(at.path("/"), place)}
    del found["/etc/machine-id"]  # each start makes one
    return found


def logins(at: Debian) -> dict[str, str]:
    """The texts of PAM's and sshd's files."""
    folders = [at.path("/etc/pam.d"), at.path("/etc/ssh/sshd_config.d")]
    return {path.name: path.read_text() for folder in folders for path in folder.iterdir()}


def switched_on(new: Debian, within: int) -> Pty:
    """`understudy setup`, up to where it waits."""
    new.write("/root/answers.toml", ANSWERS.format(within), mode=0o600)
    terminal = new.terminal(*SETUP, "--answers", "/root/answers.toml")
    terminal.read_until("setup --confirm")
    return terminal


def by_ssh(at: Debian, command: str, *typed: tuple[str, str]) -> Done:
    """Log in as alice, and do it."""
    options = ("-o", "StrictHostKeyChecking=no", "-o", "NumberOfPasswordPrompts=1")
    return answered(at.terminal("ssh", *options, "alice@127.0.0.1", command), typed)


def test_set_up_confirmed_and_removed_with_the_package(new: Debian) -> None:
    shipped = logins(new)
    with switched_on(new, 600) as terminal:
        assert is_active(new, WATCH) and all(is_enabled(new, unit) for unit in UNITS)
        done = by_ssh(new, "sudo understudy setup --confirm", ("Password: ", PASSWORD), ("Code: ", number()))
        assert done.code == 0 and "Confirmed" in done.out
        assert terminal.wait() == 0
    wait_for(lambda: not is_active(new, WATCH))
    assert is_active(new, "understudyd") and not is_enabled(new, "understudy-rollback.service")
    again = by_ssh(new, "echo in", ("Password: ", PASSWORD), ("Code: ", number(1)))
    assert again.code == 0
    # Removing the package takes it out of PAM and sshd, first.
    new.ok("dpkg", "--remove", "understudy")
    assert "pam_understudy" not in new.path("/etc/pam.d/sshd").read_text()
    assert by_ssh(new, "echo in", ("password: ", PASSWORD)).code == 0
    assert logins(new) == shipped


def test_others_who_ask_the_broker_keep_it(new: Debian) -> None:
    with switched_on(new, 600):
        new.write("/etc/pam.d/probe", "auth required pam_understudy.so\n")
        done = new.run("understudy", "setup", "--undo", "--yes")
        assert done.code == 3 and "The broker goes on" in done.out
    assert is_active(new, "understudyd") and "pam_understudy" not in new.path("/etc/pam.d/sshd").read_text()


def test_the_terminal_dies_and_nobody_confirms(new: Debian) -> None:
    before = files(new)
    with switched_on(new, 3600) as terminal:
        new.ok("pkill", "--signal", "KILL", "--full", "--", "setup --answers")
        terminal.wait()
        time_is_up(new)
        wait_for(lambda: not new.path(FOLDER).exists())
    wait_for(lambda: not is_active(new, WATCH))
    assert files(new) == before
    assert not any(is_enabled(new, unit) or is_active(new, unit) for unit in UNITS)
    assert "nobody has confirmed the set-up" in new.ok("journalctl", "--output=cat").out
    assert by_ssh(new, "echo in", ("password: ", PASSWORD)).code == 0


def test_the_power_fails_before_anybody_confirms(new: Debian, tmp_path: Path) -> None:
    before = files(new)
    with switched_on(new, 3600):
        base = new.saved(tmp_path / "saved.tar")
    with Debian(tmp_path / "again", boot=True, base=base) as again:
        assert files(again) == before
        assert not again.path(FOLDER).exists()
        assert not any(is_enabled(again, unit) or is_active(again, unit) for unit in UNITS)
        assert by_ssh(again, "echo in", ("password: ", PASSWORD)).code == 0
