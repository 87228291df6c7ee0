# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Whoever was just invited or reset enrols inside the SSH login, with a phone at the screen."""

from tests.login.person import INSIDE, by_password, let_in, tried
from tests.login.phone import FIRST, RECOVERY, enrolled, scan
from tests.login.site import PASSWORD, Site, drop_in
from tests.login.sshd import Sshd


def test_who_was_reset_enrols_with_the_qr_code_shown(at: Site) -> None:
    at.cli.ok("user", "reset", "alice", "--yes")
    at.start('login.issuer = "Home NAS"')
    with Sshd(at.machine, drop_in("password")) as sshd:
        with sshd.ssh("alice", "echo", INSIDE) as terminal:
            phone = scan(terminal)
            assert (phone.totp.issuer, phone.totp.name) == ("Home NAS", "alice")
            first = phone.code()
            done, recovery = enrolled(terminal, first)
        assert let_in(done) and first not in done.out
        assert len(set(recovery)) == 10, done.out
        again = by_password(sshd, "alice", first)
        assert not let_in(again) and "used already" in again.out
        next_one = by_password(sshd, "alice", phone.code(1))
        assert let_in(next_one) and not RECOVERY.findall(next_one.out)
        assert let_in(by_password(sshd, "alice", recovery[3]))
        assert not let_in(by_password(sshd, "alice", recovery[3]))
        assert let_in(by_password(sshd, "alice", recovery[4].lower()))
    for text in (at.log.read_text(), at.machine.journal.text, sshd.log.read_text()):
        assert phone.totp.secret not in text and first not in text
        assert not any(one in text for one in recovery)


def test_who_was_invited_tries_a_wrong_code_first(at: Site) -> None:
    at.machine.add_user("erin", PASSWORD)
    at.cli.ok("user", "add", "erin", "--at-login")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        with sshd.ssh("erin", "echo", INSIDE) as terminal:
            phone = scan(terminal)
            terminal.type("000000" if phone.code() != "000000" else "111111")
            terminal.read_until("The code is wrong")
            terminal.read_until(FIRST)
            done, recovery = enrolled(terminal, phone.code())
        assert let_in(done) and len(recovery) == 10


def test_a_login_given_up_at_the_qr_code_begins_with_another(at: Site) -> None:
    at.cli.ok("user", "reset", "alice", "--yes")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        with sshd.ssh("alice", "echo", INSIDE) as terminal:
            given_up = scan(terminal)
        with sshd.ssh("alice", "echo", INSIDE) as terminal:
            phone = scan(terminal)
            assert phone.totp.secret != given_up.totp.secret
            terminal.type(given_up.code())
            terminal.read_until(FIRST)
            done, _ = enrolled(terminal, phone.code())
        assert let_in(done)
        assert not let_in(by_password(sshd, "alice", given_up.code(1)))


def test_nobody_enrols_where_it_is_not_allowed(at: Site) -> None:
    at.cli.ok("user", "reset", "alice", "--yes")
    at.start("service.sshd.enrol = false")
    with Sshd(at.machine, drop_in("password")) as sshd:
        done = tried(sshd, "alice", ("Password: ", PASSWORD))
        assert not let_in(done) and "have to enrol first" in done.out
        at.reload("")
        at.stack("sshd-password", "sshd", arguments="")
        done = tried(sshd, "alice", ("Password: ", PASSWORD))
        assert not let_in(done) and "have to enrol first" in done.out
        at.stack("sshd-password", "sshd")
        with sshd.ssh("alice", "echo", INSIDE) as terminal:
            scan(terminal)
