# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A person logs in over SSH, with the stacks and drop-ins of host_tools/etc as they stand there."""

import re
import time

import pytest
from tests.cli.support import code
from tests.login.person import answered, by_password, let_in, tried
from tests.login.site import PASSWORD, Site, drop_in
from tests.login.sshd import Sshd

USED = "This code was used already"


def test_password_then_code(at: Site) -> None:
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        typed = code()
        done = by_password(sshd, "alice", typed)
        assert let_in(done), at.log.read_text()
        assert typed not in done.out and PASSWORD not in done.out
        assert "Accepted keyboard-interactive/pam for alice" in sshd.log.read_text()
        again = by_password(sshd, "alice", typed)
        assert not let_in(again) and USED in again.out
    for text in (at.log.read_text(), at.machine.journal.text, sshd.log.read_text()):
        assert typed not in text and PASSWORD not in text


def test_a_shell(at: Site) -> None:
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        typed = [("Password: ", PASSWORD), ("Code: ", code()), ("$ ", "echo $((6 * 7)); exit")]
        done = answered(sshd.ssh("alice"), typed)
        assert done.code == 0 and "\n42\n" in done.out.replace("\x1b[?2004l", "")


def test_a_wrong_password_is_asked_no_code(at: Site) -> None:
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        done = tried(sshd, "alice", ("Password: ", "not hers"))
        assert not let_in(done) and "Code:" not in done.out
        assert let_in(by_password(sshd, "alice", code()))


def test_key_then_code(at: Site) -> None:
    at.stack("sshd-key", "sshd")
    at.start()
    with Sshd(at.machine, drop_in("key")) as sshd:
        assert "Code: " not in tried(sshd, "alice").out
        sshd.authorize("alice")
        assert not let_in(tried(sshd, "alice", ("Code: ", "000000")))
        assert let_in(tried(sshd, "alice", ("Code: ", code())))
        assert "Partial publickey for alice" in sshd.log.read_text()


def test_a_key_alone_lets_nobody_in(at: Site) -> None:
    at.start()
    for name in ("password", "key"):
        with Sshd(at.machine, drop_in(name)) as sshd:
            sshd.authorize("alice")
            assert sshd.batch("alice", "true").code == 255


@pytest.mark.parametrize("name", ["password", "key"])
def test_who_may_come_with_a_key_alone_if_the_device_does_not_say_no(at: Site, name: str) -> None:
    at.stack(f"sshd-{name}", "sshd")
    at.person("robot")
    at.person("former")
    at.cli.ok("user", "disable", "former")
    exempted = drop_in(name).replace("# Match User backup\n#  ", "Match User robot,former\n")
    at.start()
    with Sshd(at.machine, exempted) as sshd:
        for user in ("alice", "robot", "former"):
            sshd.authorize(user)
        assert sshd.batch("robot", "id", "-un").out == "robot\n"
        assert sshd.batch("alice", "id", "-un").code == 255
        assert sshd.batch("former", "id", "-un").code == 255
        at.stop()
        assert sshd.batch("robot", "id", "-un").out == "robot\n"


def test_the_key_stack_lets_nobody_in_whose_key_was_not_asked_for(at: Site) -> None:
    at.stack("sshd-key", "sshd")
    at.start('cover.except_users = ["alice"]')
    with Sshd(at.machine, "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n") as sshd:
        assert not let_in(tried(sshd, "alice"))
    with Sshd(at.machine) as sshd:  # as Debian ships it
        assert not let_in(tried(sshd, "alice", ("password: ", PASSWORD)))


def test_a_wrong_code_slows_the_next_one_down(at: Site) -> None:
    at.cli.ok("settings", "set", "--attempts", "1", "--delay", "20", "--max-delay", "20")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        wrong = by_password(sshd, "alice", "000000")
        assert not let_in(wrong) and "The code is wrong" in wrong.out
        early = tried(sshd, "alice", ("Password: ", PASSWORD))
        assert not let_in(early)
        found = re.search(r"again in (\d+) s", early.out)
        assert found is not None, early.out
        assert 1 <= int(found[1]) <= 20
        time.sleep(int(found[1]))
        assert let_in(by_password(sshd, "alice", code()))
