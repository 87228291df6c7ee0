# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who is asked for a code, and how, is the configuration's: at a real sshd."""

from tests.cli.support import code
from tests.login.person import answered, by_password, let_in, tried
from tests.login.site import PASSWORD, Site, drop_in
from tests.login.sshd import Sshd

NOT_COVERED = (
    "mfa = false",
    "service.sshd.mfa = false",
    'cover.users = ["bob"]',
    'cover.groups = ["admins"]',
    'cover.except_users = ["alice"]',
    'cover = {users = ["alice"], except_groups = ["staff"]}',
)
COVERED = (
    'cover.users = ["alice"]',
    'cover.groups = ["staff"]',
    'cover.except_users = ["Alice", "alice@home"]',
)


def test_who_is_covered_is_asked_and_nobody_else(at: Site) -> None:
    at.machine.ok("groupadd", "--force", "staff")
    at.machine.ok("usermod", "--groups", "staff", "alice")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        for text in NOT_COVERED:
            at.reload(text)
            done = tried(sshd, "alice", ("Password: ", PASSWORD))
            assert let_in(done) and "Code:" not in done.out, text
        assert not let_in(tried(sshd, "alice", ("Password: ", "not hers")))
        for text in COVERED:
            at.reload(text)
            assert not let_in(by_password(sshd, "alice", "none")), text
        assert let_in(by_password(sshd, "alice", code()))


def test_who_has_a_key_and_is_not_covered_needs_the_key(at: Site) -> None:
    at.stack("sshd-key", "sshd")
    at.start('cover.except_users = ["alice"]')
    with Sshd(at.machine, drop_in("key")) as sshd:
        assert not let_in(tried(sshd, "alice"))
        sshd.authorize("alice")
        assert let_in(tried(sshd, "alice"))


def test_nullok_is_for_who_has_no_authenticator_yet(at: Site) -> None:
    at.machine.add_user("erin", PASSWORD)
    at.start("login.nullok = true")
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(tried(sshd, "erin", ("Password: ", PASSWORD)))
        assert not let_in(by_password(sshd, "alice", "000000"))


def test_each_service_has_its_own_texts(at: Site) -> None:
    at.stack("su")
    at.machine.add_user("bob")
    at.start('login.text = "Token, please: "\nservice.sshd = {text = "Number from the phone: ", echo = true}')
    with Sshd(at.machine, drop_in("password")) as sshd:
        typed = code()
        done = tried(sshd, "alice", ("Password: ", PASSWORD), ("Number from the phone: ", typed))
        assert let_in(done) and typed in done.out
    typed = code(1)
    terminal = at.machine.terminal("su", "alice", "-c", "echo I am in", user="bob")
    done = answered(terminal, [("Password: ", PASSWORD), ("Token, please: ", typed)])
    assert let_in(done) and typed not in done.out


def test_a_reload_is_heeded_and_a_bad_file_is_not(at: Site) -> None:
    at.start("mfa = false")
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(tried(sshd, "alice", ("Password: ", PASSWORD)))
        at.reload("mfa = true")
        assert not let_in(by_password(sshd, "alice", "000000"))
        at.reload("mfa = flase")
        assert "not-reloaded" in at.log.read_text()
        assert let_in(by_password(sshd, "alice", code()))
