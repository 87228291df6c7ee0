# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""sudo, su and the console's login, with the stacks of host_tools/etc/pam as they stand there."""

import pytest
from tests.cli.support import Done, code
from tests.demo import read_qr
from tests.login.person import INSIDE, answered, let_in
from tests.login.site import PASSWORD, Site

SUDO = "password for alice: "
SAY = ("echo", INSIDE)
SUDOERS = "/etc/sudoers.d/tests"


@pytest.fixture
def with_sudo(at: Site) -> Site:
    """alice may call sudo, once for each try; it asks for a password and a code."""
    at.machine.ok("usermod", "--groups", "sudo", "alice")
    at.machine.write(SUDOERS, "Defaults passwd_tries=1\n", mode=0o440)
    at.stack("sudo")
    at.stack("sudo", "sudo-i")
    return at


def sudo(at: Site, *typed: tuple[str, str], words: tuple[str, ...] = SAY) -> Done:
    """alice calls sudo once."""
    return answered(at.machine.terminal("sudo", "-k", *words, user="alice"), typed)


def test_sudo_asks_for_password_and_code(with_sudo: Site) -> None:
    with_sudo.start()
    typed = code()
    assert let_in(sudo(with_sudo, (SUDO, PASSWORD), ("Code: ", typed)))
    again = sudo(with_sudo, (SUDO, PASSWORD), ("Code: ", typed))
    assert not let_in(again) and "used already" in again.out
    with_sudo.machine.journal.wait_for("COMMAND=/usr/bin/echo")


def test_sudo_asks_again_after_a_refusal(with_sudo: Site) -> None:
    with_sudo.machine.path(SUDOERS).unlink()
    with_sudo.start()
    done = sudo(with_sudo, (SUDO, PASSWORD), ("Code: ", "000000"), (SUDO, PASSWORD), ("Code: ", code()))
    assert let_in(done) and "The code is wrong" in done.out and "Sorry, try again" in done.out


def test_who_was_reset_enrols_at_a_sudo(with_sudo: Site) -> None:
    with_sudo.cli.ok("user", "reset", "alice", "--yes")
    with_sudo.start()
    with with_sudo.machine.terminal("sudo", *SAY, user="alice") as terminal:
        terminal.read_until(SUDO)
        terminal.type(PASSWORD)
        terminal.read_until("First code: ")
        assert read_qr(terminal.text).startswith("otpauth://totp/")


def test_a_shell_by_sudo_i_asks_too(with_sudo: Site) -> None:
    with_sudo.start()
    words = ("-i", *SAY)
    assert not let_in(sudo(with_sudo, (SUDO, PASSWORD), ("Code: ", "000000"), words=words))
    assert let_in(sudo(with_sudo, (SUDO, PASSWORD), ("Code: ", code()), words=words))


def test_sudo_that_may_not_ask_says_so(with_sudo: Site) -> None:
    with_sudo.start()
    done = with_sudo.machine.run("sudo", "-n", *SAY, user="alice")
    assert (done.code, done.out) == (1, "") and "a password is required" in done.err
    # What is typed ahead is a password, and no code.
    piped = with_sudo.machine.run("sudo", "-S", *SAY, user="alice", stdin=PASSWORD + "\n")
    assert (piped.code, piped.out) == (1, ""), piped


def test_su_asks_for_the_password_and_code_of_who_one_becomes(at: Site) -> None:
    at.stack("su")
    at.machine.add_user("bob")
    at.start()
    for words, typed in ((("su", "alice"), code()), (("su", "-", "alice"), code(1))):
        for answer in ("000000", typed):
            terminal = at.machine.terminal(*words, "-c", " ".join(SAY), user="bob")
            done = answered(terminal, [("Password: ", PASSWORD), ("Code: ", answer)])
            assert let_in(done) == (answer == typed), done


def test_su_asks_root_for_nothing(at: Site) -> None:
    at.stack("su")
    at.start()
    assert at.machine.ok("su", "alice", "-c", "id -un").out == "alice\n"


def test_the_console_asks_for_password_and_code(at: Site) -> None:
    at.stack("login")
    at.start()
    wrong = [("login: ", "alice"), ("Password: ", PASSWORD), ("Code: ", "000000"), ("The code is wrong", "")]
    # An empty line makes login ask anew.
    right = [("login: ", "alice"), ("Password: ", PASSWORD), ("Code: ", code())]
    inside = [("$ ", "exec printf 'I am %s\\n' in")]
    assert let_in(answered(at.machine.terminal("login"), wrong + right + inside))


def test_without_a_broker_root_has_a_way_out_at_the_console_if_that_is_wanted(at: Site) -> None:
    at.machine.set_password("root", PASSWORD)
    at.stack("login")

    def ends_with(name: str, words: str) -> None:
        with at.machine.terminal("login", name) as terminal:
            terminal.read_until("Password: ")
            terminal.type(PASSWORD)
            terminal.read_until(words)

    ends_with("root", "The code can't be checked")
    stack = at.machine.path("/etc/pam.d/login").read_text()
    at.machine.write("/etc/pam.d/login", stack.replace("#auth      [success=1", "auth [success=1"))
    ends_with("root", "# ")
    ends_with("alice", "The code can't be checked")
