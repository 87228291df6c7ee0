# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The machine that the tests of logins have: real programs, and nothing of it on the real one."""

import os
from pathlib import Path

import pytest
from tests.cli.support import wait_for
from tests.login.machine import Machine
from tests.login.sshd import Sshd

pytestmark = pytest.mark.usefixtures("root")

PROBED = ("/etc", "/etc/pam.d", "/usr/sbin", "/run", "/var/log", "/dev")


def fingerprint() -> dict[str, tuple[int, int]]:
    """The real machine's files of accounts and logins; its folders are others', too."""
    found = [path for name in ("pam.d", "ssh", "security") for path in Path("/etc", name).rglob("*")]
    found += [Path("/etc", name) for name in ("passwd", "shadow", "group", "nsswitch.conf")]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_it_leaves_the_real_machine_alone(tmp_path: Path) -> None:
    before = fingerprint()
    with Machine(tmp_path / "machine") as machine:
        machine.add_user("alice", "secret", groups=("staff",))
        for folder in PROBED:
            machine.write(f"{folder}/understudy-probe", "auth required pam_permit.so\n")
        assert machine.ok("id", "-un", user="alice").out == "alice\n"
        sleeper = machine.start("sleep", "1000")
    assert sleeper.wait(0) == -9  # it had ended before the machine did
    assert fingerprint() == before
    assert not [folder for folder in PROBED if Path(folder, "understudy-probe").exists()]
    assert "alice" not in Path("/etc/passwd").read_text()
    assert not any((tmp_path / "machine").iterdir())


def test_it_ends_with_whoever_made_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # a test process that is killed
        machine = Machine(tmp_path / "machine")
        os.write(writer, str(machine.start("sleep", "1000").pid).encode())
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    sleeper = os.read(reader, 100).decode()
    os.close(reader)
    os.close(writer)
    wait_for(lambda: not Path("/proc", sleeper, "exe").exists())


def test_syslog_is_read(machine: Machine) -> None:
    machine.ok("logger", "-t", "probe", "-p", "authpriv.warning", "--id=77", "something happened")
    entry = machine.journal.wait_for("something happened")
    assert (entry.tag, entry.pid, entry.priority, entry.facility) == ("probe", 77, 4, 10)


@pytest.mark.parametrize("right", [True, False])
def test_a_person_at_a_terminal_becomes_another_user(machine: Machine, right: bool) -> None:
    machine.add_user("alice")
    machine.add_user("bob", "secret of bob")
    with machine.terminal("su", "bob", "-c", "id -un", user="alice") as terminal:
        terminal.read_until("Password: ")
        terminal.type("secret of bob" if right else "secret of alice")
        assert (terminal.wait() == 0) == right
        assert ("\nbob\n" in terminal.text) == right


def test_sudo_is_setuid(machine: Machine) -> None:
    machine.add_user("alice", "secret", groups=("sudo",))
    with machine.terminal("sudo", "id", "-un", user="alice") as terminal:
        terminal.read_until("password for alice: ")
        terminal.type("secret")
        assert terminal.wait() == 0
        assert terminal.text.endswith("\nroot\n")


def test_sshd_takes_a_password_and_a_key(machine: Machine) -> None:
    machine.add_user("alice", "secret")
    machine.add_user("bob")
    with Sshd(machine) as sshd:
        assert sshd.batch("alice", "true", user="bob").code == 255
        with sshd.ssh("alice", "id", "-un", user="bob") as terminal:
            terminal.read_until("password: ")
            terminal.type("secret")
            assert terminal.wait() == 0
            assert "\nalice\n" in terminal.text
        sshd.authorize("alice", user="bob")
        assert sshd.batch("alice", "id", "-un", user="bob").out == "alice\n"
