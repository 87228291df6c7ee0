# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`understudy setup`, from a device that nobody has claimed to a login with a code, and back."""

import os
import signal

from tests.cli.support import SECONDS, wait_for
from tests.login.newcomer import (
    DROP_IN,
    FOLDER,
    PENDING,
    PROGRAM,
    ROLLED_BACK,
    SHIPPED,
    STACK,
    TYPED,
    USER,
    Newcomer,
    confirm,
    number,
)
from tests.login.person import INSIDE, answered, by_password, let_in, tried
from tests.login.phone import RECOVERY, Phone, enrolled, scan
from tests.login.site import CONFIG, PASSWORD
from tests.login.sshd import Sshd
from tools.buildlib.paths import UNPACKED


def test_from_a_new_device_to_a_login_and_back(new: Newcomer, sshd: Sshd) -> None:
    assert let_in(tried(sshd, USER, SHIPPED))
    before = new.files()
    new.switched_on()
    assert not let_in(by_password(sshd, USER, "000000"))
    done = confirm(sshd, number(), TYPED)
    assert done.code == 0 and "Confirmed" in done.out, done
    ended = new.ended()
    assert ended.code == 0 and "Confirmed" in ended.out
    assert let_in(by_password(sshd, USER, number(1)))
    assert new.run("setup", "--answers", new.answer()).code == 20  # it is set up
    assert new.undo().code == 0
    assert let_in(tried(sshd, USER, SHIPPED))
    assert new.files() == before
    again = new.run("setup", "--undo", "--yes")
    assert again.code == 0 and "no set-up" in again.out


def test_nobody_confirms(new: Newcomer, sshd: Sshd) -> None:
    before = new.files()
    new.switched_on()
    new.let_time_run_out()
    assert "as it was" in new.rolled_back().err
    assert new.files() == before
    assert let_in(tried(sshd, USER, SHIPPED))


def test_the_command_dies_and_nobody_confirms(new: Newcomer, sshd: Sshd) -> None:
    """Somebody else watches, whatever becomes of the terminal that it was begun in."""
    before = new.files()
    process = new.switched_on()
    process.kill()
    process.wait(SECONDS)
    new.let_time_run_out()
    wait_for(lambda: not new.machine.path(FOLDER).exists())
    new.machine.journal.wait_for("nobody has confirmed the set-up")
    new.sshd_is_told()
    assert new.files() == before
    assert let_in(tried(sshd, USER, SHIPPED))


def test_ctrl_c_takes_it_back(new: Newcomer, sshd: Sshd) -> None:
    before = new.files()
    process = new.switched_on()
    process.send_signal(signal.SIGINT)
    new.rolled_back()
    assert new.files() == before
    assert let_in(tried(sshd, USER, SHIPPED))


def test_the_machine_restarts_before_anybody_confirms(new: Newcomer, sshd: Sshd) -> None:
    before = new.files()
    process = new.switched_on()
    process.kill()
    process.wait(SECONDS)
    (watching,) = new.watchers()
    os.kill(watching, signal.SIGKILL)
    wait_for(lambda: not new.watchers())
    assert new.run("setup", "--boot").code == 0  # as the unit has it
    assert new.files() == before


def test_answers_wait_for_nobody(new: Newcomer, sshd: Sshd) -> None:
    """wait = false: the command ends, and the confirmation may come from whoever goes on, by a new login."""
    new.switched_on(wait=False)
    assert new.ended().code == 0
    assert confirm(sshd, number(), TYPED).code == 0
    assert new.machine.path(DROP_IN).exists() and not new.machine.path(PENDING).exists()
    assert let_in(by_password(sshd, USER, number(1)))


def test_only_a_new_login_by_a_code_confirms(new: Newcomer, sshd: Sshd) -> None:
    old = sshd.ssh(USER)
    with old:
        old.read_until("password: ")
        old.type(PASSWORD)
        old.read_until("$ ")
        new.switched_on()
        old.type(f"sudo {PROGRAM} setup --confirm; echo ended=$?")
        old.read_until("ended=20")
        assert "This terminal was open before" in old.text
        # A login that asked for no code shows nothing.
        new.machine.add_user("bob", PASSWORD)
        new.machine.write("/etc/sudoers.d/bob", "bob ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
        with sshd.ssh("bob", "sudo", PROGRAM, "setup", "--confirm") as other:
            other.read_until("Password: ")
            other.type(PASSWORD)
            assert other.wait() == 20 and "was asked for no code" in other.text
        assert new.machine.run(PROGRAM, "setup", "--confirm", user=USER).code == 20  # not root
        assert confirm(sshd, number(), TYPED).code == 0
    assert new.ended().code == 0


def test_a_key_then_the_code(new: Newcomer, sshd: Sshd) -> None:
    sshd.authorize(USER)
    before = new.files()
    new.switched_on(login="key")
    assert confirm(sshd, number()).code == 0
    assert new.ended().code == 0
    assert not let_in(tried(sshd, USER, ("Code: ", "000000")))
    assert new.undo().code == 0
    assert new.files() == before


def test_everything_with_common_auth(new: Newcomer, sshd: Sshd) -> None:
    new.machine.add_user("bob")
    new.machine.write("/etc/sudoers.d/alice", "", mode=0o440)
    new.machine.write("/etc/sudoers.d/bob", "bob ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
    before = new.files()
    new.switched_on(everywhere=True)
    become = new.machine.terminal("su", USER, "-c", f"echo {INSIDE}", user="bob")
    assert let_in(answered(become, [TYPED, ("Code: ", number())]))
    done = new.undo()
    assert done.code == 0, done
    assert new.ended().code == ROLLED_BACK
    assert new.files() == before
    become = new.machine.terminal("su", USER, "-c", f"echo {INSIDE}", user="bob")
    assert let_in(answered(become, [TYPED]))


def test_pam_auth_update_has_run_since(new: Newcomer, sshd: Sshd) -> None:
    """Another package's profile has come: it stays, and ours goes."""
    common = [f"/etc/pam.d/common-{name}" for name in ("auth", "account", "session", "password")]
    new.switched_on(everywhere=True)
    assert confirm(sshd, number(), TYPED).code == 0
    profile = (
        "Name: Another\nDefault: yes\nPriority: 300\nAuth-Type: Additional\nAuth:\n\toptional pam_warn.so\n"
    )
    new.machine.write("/usr/share/pam-configs/another", profile)
    update = ("env", "DEBIAN_FRONTEND=noninteractive", "pam-auth-update", "--package")
    new.machine.ok(*update)
    texts = [new.machine.path(name).read_text() for name in common]
    assert "pam_warn" in texts[0] and "pam_understudy" in texts[0]
    done = new.undo()
    assert done.code == 0, done
    texts = [new.machine.path(name).read_text() for name in common]
    assert "pam_warn" in texts[0] and not any("pam_understudy" in text for text in texts)
    assert let_in(tried(sshd, USER, SHIPPED))


def test_a_person_is_asked_and_scans_the_code(new: Newcomer, sshd: Sshd) -> None:
    before = new.files()
    with new.machine.terminal("sudo", "NO_COLOR=1", PROGRAM, "setup", user=USER) as terminal:
        terminal.read_until("The first user, who gets a code on the phone [alice]: ")
        terminal.type("")
        terminal.read_until("begin with a key (y), or with a password (N)? [y/N] ")
        terminal.type("")
        terminal.read_until("Shall sudo ask for a code, too? [y/N] ")
        terminal.type("")
        for _ in ("admin", "broker"):
            terminal.read_until("Does the device show the same six digits? [y/N] ")
            terminal.type("y")
        terminal.read_until("First code: ")
        phone = Phone(terminal.text)
        terminal.type(phone.code())
        terminal.read_until("start the broker now")
        new.serve()
        terminal.read_until("Switch it on? [y/N] ")
        terminal.type("y")
        terminal.read_until("setup --confirm")
        new.sshd_is_told()
        assert confirm(sshd, phone.code(1), TYPED).code == 0
        assert terminal.wait() == 0 and "Confirmed" in terminal.text
    assert len(set(RECOVERY.findall(terminal.text))) == 10
    assert new.undo().code == 0
    assert new.files() == before


def test_the_first_user_enrols_in_the_login_that_confirms(new: Newcomer, sshd: Sshd) -> None:
    new.switched_on(enrol="at-login", secret_file=None)
    with sshd.ssh(USER, "sudo", PROGRAM, "setup", "--confirm") as terminal:
        phone = scan(terminal)
        done, recovery = enrolled(terminal, phone.code())
    assert done.code == 0 and "Confirmed" in done.out and len(recovery) == 10
    assert new.ended().code == 0
    assert let_in(by_password(sshd, USER, phone.code(1)))


def test_several_services(new: Newcomer, sshd: Sshd) -> None:
    new.machine.write("/etc/pam.d/sudo", (UNPACKED / "etc/pam.d/sudo").read_text())
    new.machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n", mode=0o440)
    before = new.files()
    new.switched_on(ask_at=["sshd", "sudo"])
    become = new.machine.terminal("sudo", "-k", "echo", INSIDE, user=USER)
    assert let_in(answered(become, [("password for alice: ", PASSWORD), ("Code: ", number())]))
    assert new.undo().code == 0
    assert new.ended().code == ROLLED_BACK
    assert new.files() == before


def test_what_others_have_changed_since_stays(new: Newcomer, sshd: Sshd) -> None:
    new.switched_on()
    assert confirm(sshd, number(), TYPED).code == 0
    machine = new.machine
    shipped = (UNPACKED / "etc/pam.d/sshd").read_text()
    edited = "# the admin's\n" + machine.path(STACK).read_text()
    machine.write(STACK, edited)
    machine.write(DROP_IN, machine.path(DROP_IN).read_text() + "# the admin's, too\n")
    machine.write(CONFIG, machine.path(CONFIG).read_text() + "# and this\n")
    done = new.undo()
    assert done.code == 0 and done.out.count("was changed since") == 3, done
    assert machine.path(STACK).read_text() == "# the admin's\n" + shipped
    assert not machine.path(DROP_IN).exists()
    assert machine.path(f"{DROP_IN}.saved").read_text().endswith("# the admin's, too\n")
    assert machine.path(CONFIG).read_text().endswith("# and this\n")
    assert let_in(tried(sshd, USER, SHIPPED))


def test_lines_that_are_not_ours_are_told(new: Newcomer) -> None:
    new.machine.write("/etc/pam.d/probe", "auth required pam_understudy.so\n")
    done = new.run("setup", "--undo", "--yes", "--json")
    assert done.code == 3 and "/etc/pam.d/probe" in done.json["left"][0]


def test_a_sshd_that_would_not_start_again(new: Newcomer, sshd: Sshd) -> None:
    """What is wrong by then is seen before sshd is told."""
    new.start()
    new.wait_until("start the broker now")
    new.machine.write("/etc/ssh/sshd_config.d/90-broken.conf", "NoSuchKeyword yes\n")
    new.serve()
    ended = new.ended()
    assert ended.code == 59 and "90-broken.conf" in ended.err
    assert not new.machine.path(FOLDER).exists() and not new.machine.path(DROP_IN).exists()
    assert let_in(tried(sshd, USER, SHIPPED))  # which was never told


REFUSED = {
    "no-user": ({"user": None}, 59, "name no user"),
    "unknown-user": ({"user": "nobody-here"}, 59, "no user nobody-here"),
    "no-service": ({"ask_at": ["sshd", "nothing"]}, 59, "no PAM service nothing"),
    "a-path": ({"ask_at": ["../shadow"]}, 59, "no PAM service"),
    "no-services": ({"ask_at": []}, 59, "names no service"),
    "not-laid-out": ({"ask_at": ["odd"]}, 59, "@include common-auth"),
    "key-everywhere": ({"login": "key", "everywhere": True}, 59, "everywhere goes with the password"),
    "misspelt": ({"confirm_in": 5}, 59, "confirm_within"),
    "no-secret": ({"secret_file": None}, 59, "no secret_file"),
    "a-table": ({"service": 5}, 59, "service"),
}


def test_what_is_refused_changes_nothing(new: Newcomer) -> None:
    new.machine.write("/etc/ssh/sshd_config", new.machine.path("/usr/share/openssh/sshd_config").read_text())
    new.machine.write("/etc/pam.d/odd", "auth required pam_permit.so\n")
    before = new.files()
    for name, (changed, exit_code, said) in REFUSED.items():
        done = new.run("setup", "--answers", new.answer(**changed))
        assert done.code == exit_code and said in done.err, (name, done)
        assert new.files() == before, name
    assert new.run("setup").code == 2  # nobody is at the terminal
    assert new.run("setup", "--confirm").code == 24
    assert new.run("setup", "--confirm", "--undo").code == 2
    assert new.run("setup", "--undo").code == 2
    new.machine.write("/etc/ssh/sshd_config", "UsePAM yes\n")
    assert "takes no drop-ins" in new.run("setup", "--answers", new.answer()).err


def test_somebody_else_s_device(new: Newcomer, sshd: Sshd) -> None:
    """The key of who has called sudo is found; without a key there is nothing to be done."""
    new.cli.ok("claim", "--yes")
    done = new.run("setup", "--answers", new.answer())
    assert done.code == 52 and "--identity" in done.err
    home = new.machine.ok("getent", "passwd", USER).out.split(":")[5]
    text = new.cli.identity.read_text()
    new.machine.write(f"{home}/.config/understudy/identity.json", text, mode=0o600, owner=USER)
    new.switched_on(by=USER, wait=False)
    assert new.ended().code == 0
    owner = new.machine.path(f"{home}/.config/understudy/identity.json").stat().st_uid
    assert owner == int(new.machine.ok("id", "-u", USER).out)
    assert confirm(sshd, number(), TYPED).code == 0
