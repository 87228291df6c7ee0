# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`understudy setup` with something in its way: others' logins, another run, files that can't be written."""

import signal
import subprocess

import pytest
from tests.cli.support import SECONDS, wait_for
from tests.login.newcomer import (
    DROP_IN,
    FOLDER,
    PROGRAM,
    SHIPPED,
    STACK,
    TYPED,
    USER,
    Newcomer,
    confirm,
    number,
)
from tests.login.person import INSIDE, answered, by_password, let_in, tried
from tests.login.site import CONFIG, PASSWORD
from tests.login.sshd import Sshd
from tools.buildlib.paths import UNPACKED

from understudy.paths import etc_dir


def test_who_is_asked_for_no_code_gets_in_by_a_key_as_before(new: Newcomer, sshd: Sshd) -> None:
    new.machine.add_user("carol")  # no password
    new.machine.add_user("bob", PASSWORD)
    sshd.authorize("carol")
    new.switched_on()
    assert "carol: asked for no code, in by a key as before" in new.said.read_text()
    assert sshd.batch("carol", "echo", INSIDE).out == f"{INSIDE}\n"
    assert let_in(tried(sshd, "bob", TYPED))  # the password alone, as before
    assert sshd.batch(USER, "true").code == 255
    assert confirm(sshd, number(), TYPED).code == 0
    assert new.ended().code == 0


def test_nobody_is_shut_out_unless_that_is_meant(new: Newcomer, sshd: Sshd) -> None:
    new.machine.add_user("bob", PASSWORD)
    new.machine.add_user("carol")
    sshd.authorize("carol")
    sshd.authorize(USER)
    new.start(login="key")
    new.wait_until("start the broker now")
    new.serve()
    refused = new.ended()
    assert refused.code == 59 and "ssh would shut out bob; shut_out" in refused.err
    assert let_in(tried(sshd, "bob", SHIPPED))
    new.stop()  # without systemd nobody else does, and it has the port
    new.switched_on(login="key", shut_out=True)
    assert sshd.batch("carol", "echo", INSIDE).out == f"{INSIDE}\n"
    assert sshd.batch("bob", "true").code == 255
    assert confirm(sshd, number()).code == 0
    assert new.ended().code == 0


def test_a_login_by_the_key_alone_does_not_confirm(new: Newcomer, sshd: Sshd) -> None:
    """Whatever sudo has asked for: what was to be shown is that ssh lets in by a code."""
    new.machine.write("/etc/pam.d/sudo", (UNPACKED / "etc/pam.d/sudo").read_text())
    new.machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n", mode=0o440)
    sshd.authorize(USER)
    new.switched_on(ask_at=["sshd", "sudo"])
    match = f"Match User {USER}\n    AuthenticationMethods publickey\n"
    new.machine.write("/etc/ssh/sshd_config.d/99-alice.conf", match)
    sshd.process.send_signal(signal.SIGHUP)
    new.sshd_is_told()
    with sshd.ssh(USER, "sudo", PROGRAM, "setup", "--confirm", options={"RequestTTY": "force"}) as terminal:
        terminal.read_until("password for alice: ")
        terminal.type(PASSWORD)
        terminal.read_until("Code: ")
        terminal.type(number())
        assert terminal.wait() == 20 and "was asked for no code" in terminal.text


def test_a_way_round_the_code_is_seen_beforehand(new: Newcomer, sshd: Sshd) -> None:
    match = f"Match User {USER}\n    AuthenticationMethods publickey\n"
    new.machine.write("/etc/ssh/sshd_config.d/99-alice.conf", match)
    before = new.files()
    new.start()
    new.wait_until("start the broker now")
    new.serve()
    ended = new.ended()
    assert ended.code == 59 and "For alice, covered" in ended.err
    assert new.files() == before


def test_only_sudo_asks(new: Newcomer) -> None:
    """sshd is left as it is, and need not be there."""
    new.machine.write("/etc/pam.d/sudo", (UNPACKED / "etc/pam.d/sudo").read_text())
    new.machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n", mode=0o440)
    new.switched_on(ask_at=["sudo"])
    asked = new.machine.terminal("sudo", "-k", "echo", INSIDE, user=USER)
    assert let_in(answered(asked, [("password for alice: ", PASSWORD), ("Code: ", number())]))
    # A login by ssh asks for none, so sudo's question is what shows that codes work.
    with Sshd(new.machine, None) as sshd:
        words = ("sudo", "-k", PROGRAM, "setup", "--confirm")
        done = answered(
            sshd.ssh(USER, *words, options={"RequestTTY": "force"}),
            [SHIPPED, ("password for alice: ", PASSWORD), ("Code: ", number(1))],
        )
        assert done.code == 0, done
    assert new.ended().code == 0
    new.machine.write("/etc/pam.d/probe", "auth required pam_understudy.so\n")
    done = new.undo()
    assert done.code == 3 and "/etc/pam.d/probe" in done.out
    new.machine.path("/etc/pam.d/probe").unlink()
    assert new.machine.path("/etc/pam.d/sudo").read_text() == (UNPACKED / "etc/pam.d/sudo").read_text()


def test_who_becomes_root_by_su_confirms(new: Newcomer, sshd: Sshd) -> None:
    new.machine.set_password("root", "root's password")
    new.switched_on()
    words = ("su", "-", "-c", f"'{PROGRAM} setup --confirm'")
    done = answered(
        sshd.ssh(USER, *words, options={"RequestTTY": "force"}),
        [TYPED, ("Code: ", number()), ("Password: ", "root's password")],
    )
    assert done.code == 0 and "Confirmed" in done.out, done
    assert new.ended().code == 0


def test_a_login_without_a_code_does_not_confirm_even_as_an_emergency(new: Newcomer, sshd: Sshd) -> None:
    lines = ["[device]", f'port = "{new.device.port}"', "[cover]", 'users = ["alice"]']
    text = "\n".join([*lines, "[emergency]", 'users = ["alice"]', ""])
    new.machine.write("/root/new.toml", text)
    new.switched_on(configuration="/root/new.toml")
    new.device.stop()
    done = answered(sshd.ssh(USER, "sudo", PROGRAM, "setup", "--confirm"), [TYPED])
    assert done.code == 20 and "asked for no code" in done.out


def test_a_sshd_that_takes_keys_only_goes_on_so(new: Newcomer, sshd: Sshd) -> None:
    keys_only = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    new.machine.write("/etc/ssh/sshd_config.d/50-keys.conf", keys_only)
    done = new.run("setup", "--answers", new.answer())
    assert done.code == 59 and "sshd takes no passwords now" in done.err
    with new.machine.terminal("sudo", PROGRAM, "setup", user=USER) as terminal:
        terminal.read_until("on the phone [alice]: ")
        terminal.type("")
        terminal.read_until("sshd takes keys only")
        terminal.read_until("sudo ask for a code, too? [y/N] ")
    done = new.run("setup", "--answers", new.answer(everywhere=True))
    assert done.code == 59 and "ask_at, with login" in done.err
    new.machine.write("/etc/ssh/sshd_config.d/50-keys.conf", "AuthenticationMethods publickey,password\n")
    done = new.run("setup", "--answers", new.answer())
    assert done.code == 59 and "has AuthenticationMethods publickey,password already" in done.err


def test_no_password_is_let_in_that_was_not_before(new: Newcomer, sshd: Sshd) -> None:
    new.machine.add_user("bob", PASSWORD)
    match = "Match User bob\n    PasswordAuthentication no\n"
    new.machine.write("/etc/ssh/sshd_config.d/50-bob.conf", match)
    new.start()
    new.wait_until("start the broker now")
    new.serve()
    ended = new.ended()
    assert ended.code == 59 and "sshd takes no password of bob" in ended.err


def test_only_su_asks(new: Newcomer) -> None:
    new.machine.set_password("root", "root's password")
    new.switched_on(ask_at=["su"], user="root")
    with Sshd(new.machine, None) as sshd:
        words = ("su", "-", "-c", f"'{PROGRAM} setup --confirm'")
        done = answered(
            sshd.ssh(USER, *words, options={"RequestTTY": "force"}),
            [SHIPPED, ("Password: ", "root's password"), ("Code: ", number())],
        )
        assert done.code == 0, done
    assert new.ended().code == 0


def test_what_was_switched_on_by_hand_stays_on(new: Newcomer, sshd: Sshd) -> None:
    profile = (etc_dir() / "pam-configs/understudy").read_text()
    new.machine.write("/usr/share/pam-configs/understudy", profile)
    new.machine.ok("pam-auth-update", "--enable", "understudy", env={"DEBIAN_FRONTEND": "noninteractive"})
    before = new.files()
    for changed in ({}, {"everywhere": True}):
        done = new.run("setup", "--answers", new.answer(**changed))
        assert done.code == 59 and "asks pam_understudy already" in done.err
    done = new.run("setup", "--undo", "--yes")
    assert done.code == 3 and "/etc/pam.d/common-auth" in done.out
    assert new.files() == before


def test_who_is_covered_later_is_told_of(new: Newcomer, sshd: Sshd) -> None:
    new.machine.add_user("carol")
    sshd.authorize("carol")
    new.switched_on()
    assert confirm(sshd, number(), TYPED).code == 0
    text = new.machine.path(CONFIG).read_text().replace('["alice"]', '["alice", "carol"]')
    new.machine.write("/root/new.toml", text)
    done = new.run("config", "apply", "/root/new.toml")
    assert done.code == 0 and f"carol: covered, and let in by the key alone in {DROP_IN}" in done.err
    found = new.run("doctor", "--json").json["findings"]
    (wrong,) = [one for one in found if one["id"] == "sshd-methods-match"]
    assert wrong["severity"] == "problem" and "carol" in wrong["what"]


def test_a_second_signal_does_not_break_off_the_way_back(new: Newcomer, sshd: Sshd) -> None:
    before = new.files()
    process = new.start()
    new.wait_until("start the broker now")
    for name in ("SIGHUP", "SIGHUP", "SIGTERM", "SIGINT"):
        process.send_signal(signal.Signals[name])
    assert new.ended().code == 130
    assert new.files() == before


def test_undo_waits_for_nobody_who_is_at_it(new: Newcomer, sshd: Sshd) -> None:
    new.start()
    new.wait_until("start the broker now")
    done = new.run("setup", "--undo", "--yes")
    assert done.code == 20 and "under way" in done.err


def test_one_at_a_time(new: Newcomer, sshd: Sshd) -> None:
    new.start()
    new.wait_until("start the broker now")
    second = new.run("setup", "--answers", new.answer())
    assert second.code == 20 and "under way" in second.err
    new.serve()
    new.wait_until("setup --confirm")
    new.sshd_is_told()
    third = new.run("setup", "--answers", new.answer())
    assert third.code == 20 and "waits to be confirmed" in third.err
    assert confirm(sshd, number(), TYPED).code == 0


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_stopped_while_it_is_being_made(new: Newcomer, sshd: Sshd, name: str) -> None:
    before = new.files()
    process = new.start()
    new.wait_until("start the broker now")
    process.send_signal(signal.Signals[name])
    ended = new.ended()
    assert ended.code == 130 and "Everything on this machine is as it was." in ended.err
    assert new.files() == before


def test_one_that_was_killed_is_taken_back_by_the_next(new: Newcomer, sshd: Sshd) -> None:
    process = new.start()
    new.wait_until("start the broker now")
    process.kill()
    process.wait(SECONDS)
    assert new.machine.path(FOLDER).exists()
    new.switched_on()
    assert "did not come to its end; it is taken back first" in new.said.read_text()
    assert confirm(sshd, number(), TYPED).code == 0


def test_a_broker_that_runs_goes_by_the_new_configuration(new: Newcomer, sshd: Sshd) -> None:
    new.switched_on()
    assert confirm(sshd, number(), TYPED).code == 0
    old = new.machine.path(CONFIG).read_text()
    assert new.undo().code == 0
    new.machine.write(CONFIG, old)
    text = f'{old}[login]\ntext = "Digits: "\n'
    new.machine.write("/root/new.toml", text)
    new.switched_on(configuration="/root/new.toml")
    assert let_in(tried(sshd, USER, TYPED, ("Digits: ", number(1))))
    assert new.machine.path(CONFIG).read_text() == text


def test_one_file_that_can_t_be_put_back_does_not_keep_the_others(new: Newcomer, sshd: Sshd) -> None:
    """And it is tried again."""
    before = new.files()
    process = new.switched_on(confirm_within=600)
    process.kill()
    process.wait(SECONDS)
    stack = new.machine.path(STACK)
    bind = ("mount", "--bind", str(DROP_IN), str(DROP_IN))  # it can't be replaced or removed
    new.machine.ok(*bind)
    failed = new.undo()
    assert failed.code == 70 and f"{DROP_IN} can't be put back" in failed.err
    assert stack.read_text() == (UNPACKED / "etc/pam.d/sshd").read_text()
    new.machine.ok("umount", str(DROP_IN))
    assert new.undo().code == 0
    assert new.files() == before


def test_files_that_can_t_be_written(new: Newcomer, sshd: Sshd) -> None:
    new.machine.ok("mount", "--bind", str(STACK), str(STACK))
    before = new.files()
    new.start()
    new.wait_until("start the broker now")
    new.serve()
    ended = new.ended()
    assert ended.code == 59 and f"{STACK} can't be written" in ended.err
    assert new.files() == before


def test_the_watcher_tries_again(new: Newcomer, sshd: Sshd) -> None:
    before = new.files()
    process = new.switched_on()
    new.machine.ok("mount", "--bind", str(DROP_IN), str(DROP_IN))
    process.kill()
    process.wait(SECONDS)
    new.let_time_run_out()
    new.machine.journal.wait_for("can't be taken back; this is tried again")
    new.machine.ok("umount", str(DROP_IN))
    wait_for(lambda: not new.machine.path(FOLDER).exists())
    assert new.files() == before


def test_the_environment_names_another_configuration(new: Newcomer) -> None:
    done = new.run("setup", "--answers", new.answer(), env={"UNDERSTUDY_CONFIG": "/root/other.toml"})
    assert done.code == 59 and "unset it" in done.err


def test_what_has_a_stack_of_its_own_for_a_login_shell_asks_too(new: Newcomer, sshd: Sshd) -> None:
    for name in ("sudo", "sudo-i"):
        new.machine.write(f"/etc/pam.d/{name}", (UNPACKED / "etc/pam.d/sudo").read_text())
    new.machine.write("/etc/pam.d/su-l", new.machine.path("/etc/pam.d/su").read_text())
    new.switched_on(ask_at=["sshd", "sudo", "su"])
    for name in ("sshd", "sudo", "sudo-i", "su", "su-l"):
        assert "pam_understudy.so enrol" in new.machine.path(f"/etc/pam.d/{name}").read_text()
    assert not let_in(by_password(sshd, USER, "000000"))
    assert isinstance(new.process, subprocess.Popen)
