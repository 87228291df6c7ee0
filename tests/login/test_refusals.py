# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Whoever is not let in over SSH is told why; nobody is let in because something is missing."""

import os
import signal

import pytest
from tests.cli.support import code
from tests.login.person import by_password, let_in, tried
from tests.login.site import PASSWORD, Site, drop_in
from tests.login.sshd import Sshd


def test_who_is_unknown_to_the_device(at: Site) -> None:
    at.machine.add_user("mallory", PASSWORD)
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        done = tried(sshd, "mallory", ("Password: ", PASSWORD))
        assert not let_in(done) and "mallory has no authenticator" in done.out and "Code:" not in done.out


def test_who_the_machine_does_not_know_is_told_nothing(at: Site) -> None:
    at.cli.add("ghost")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        done = tried(sshd, "ghost", ("Password: ", PASSWORD))
        assert not let_in(done)
        assert "Code:" not in done.out and "device" not in done.out and "authenticator" not in done.out
    assert "verdict=" not in at.log.read_text()


def test_who_is_disabled(at: Site) -> None:
    at.cli.ok("user", "disable", "alice")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        done = tried(sshd, "alice", ("Password: ", PASSWORD))
        assert not let_in(done) and "This user is switched off" in done.out


def test_what_is_no_code_costs_no_guess(at: Site) -> None:
    at.cli.ok("settings", "set", "--attempts", "1", "--delay", "600")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        for typed in ("", "12", "my cat's name", "\N{FULLWIDTH DIGIT ONE}23456"):
            done = by_password(sshd, "alice", typed)
            assert not let_in(done) and "not a code" in done.out
        assert let_in(by_password(sshd, "alice", code()))


def test_an_unset_clock_leaves_the_recovery_codes(at: Site) -> None:
    recovery = at.cli.json("user", "recovery", "alice", "--yes")["codes"]
    at.device.stop()
    at.device.start("--clock", "unset")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        done = by_password(sshd, "alice", code())
        assert not let_in(done) and "use a recovery code" in done.out
        assert let_in(by_password(sshd, "alice", recovery[0]))
        assert not let_in(by_password(sshd, "alice", recovery[0]))


def test_a_program_that_can_not_ask_fails_at_once(at: Site) -> None:
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        done = sshd.batch("alice", "true")
        assert done.code == 255 and "Permission denied (keyboard-interactive)" in done.err


@pytest.mark.parametrize("how", ["not there", "stopped", "silent"])
def test_without_the_broker_nobody_is_let_in(at: Site, how: str) -> None:
    with Sshd(at.machine, drop_in("password")) as sshd:
        at.stack("sshd-password", "sshd", "timeout=1")
        if how != "not there":
            at.start()
            assert at.process is not None
        if how == "stopped":
            at.stop()
        elif how == "silent":
            os.kill(at.process.pid, signal.SIGSTOP)
        done = tried(sshd, "alice", ("Password: ", PASSWORD))
        assert not let_in(done) and "The code can't be checked" in done.out
        if how == "silent":
            os.kill(at.process.pid, signal.SIGCONT)
            at.stack("sshd-password", "sshd")
            assert let_in(by_password(sshd, "alice", code()))
