# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What users of the mPass Windows agent have, here: at a real sshd, or by pamtester, which asks PAM."""

import signal

from tests.cli.support import SECRET, Done, code, hotp
from tests.login.person import by_password, let_in, tried
from tests.login.seeds import add_erin, administered, asking
from tests.login.servers import PrivacyIdea
from tests.login.site import PASSWORD, Site, drop_in
from tests.login.sshd import Sshd
from tests.login.test_pam_configs import PROFILE, update
from tests.login.test_server_down import told
from tools.buildlib.paths import UNPACKED


def unlocked(at: Site, *typed: str, tty: str = ":0", service: str = "screen") -> Done:
    """alice's screen, unlocked at `tty` by a program that types all that it may be asked for beforehand."""
    words = ("pamtester", "-I", f"tty={tty}", service, "alice", "authenticate")
    return at.machine.run(*words, stdin="".join(f"{one}\n" for one in (PASSWORD, *typed)))


def test_mpass_totp_and_hotp(at: Site) -> None:
    at.machine.add_user("erin", PASSWORD)
    words = ("user", "add", "erin", "--kind", "hotp", "--import-secret", "-", "--no-confirm")
    at.cli.ok(*words, stdin=SECRET + "\n")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(by_password(sshd, "alice", code()))
        for counter in (0, 2):
            assert let_in(by_password(sshd, "erin", hotp(counter)))
        assert not let_in(by_password(sshd, "erin", hotp(1)))  # before one that was used


def test_mpass_server_url(at: Site, privacyidea: PrivacyIdea) -> None:
    """Online, and offline by itself when nobody is at that address."""
    add_erin(at, privacyidea)
    at.start(asking(privacyidea))
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert let_in(by_password(sshd, "erin", privacyidea.fresh())), at.log.read_text()
        at.reload(asking(privacyidea, url="https://localhost:1"))
        assert let_in(by_password(sshd, "erin", privacyidea.fresh()))
    assert told(at.log.read_text(), "erin") == [("accepted", "server"), ("accepted", "device")]


def test_mpass_online_or_offline_mode(at: Site, privacyidea: PrivacyIdea) -> None:
    add_erin(at, privacyidea)
    at.start('mode = "device-only"\n' + asking(privacyidea))
    with Sshd(at.machine, drop_in("password")) as sshd:
        asked = len(privacyidea.asked)
        assert let_in(by_password(sshd, "erin", privacyidea.fresh()))
        assert len(privacyidea.asked) == asked and ", device-only: " in administered(at, "status").out
        at.reload('mode = "upstream-first"\n' + asking(privacyidea))
        assert let_in(by_password(sshd, "erin", privacyidea.fresh()))
        assert (
            len(privacyidea.asked) == asked + 1 and ", upstream-first: up" in administered(at, "status").out
        )


def test_mpass_unlocks_without_a_code(at: Site) -> None:
    at.stack("sudo", "screen")
    at.start("[grace]\nunlocks = 2\n")
    assert "authenticated" in unlocked(at, code()).out
    for _ in range(2):
        assert unlocked(at).code == 0
    assert unlocked(at, "000000").code != 0  # asked again
    assert unlocked(at, code(1)).code == 0
    assert unlocked(at, "000000", tty=":1").code != 0  # at another terminal
    assert unlocked(at).code == 0
    with Sshd(at.machine, drop_in("password")) as sshd:  # never over the network
        assert not let_in(by_password(sshd, "alice", code()))


def test_mpass_mfa_enabled_or_disabled(at: Site) -> None:
    at.start("mfa = false")
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert "asks nobody: mfa is off" in administered(at, "status").out
        assert let_in(tried(sshd, "alice", ("Password: ", PASSWORD)))
        at.reload("mfa = false\nservice.sshd.mfa = true\n")
        assert not let_in(by_password(sshd, "alice", "000000"))
        assert let_in(by_password(sshd, "alice", code()))


def test_mpass_login_text(at: Site) -> None:
    at.start('[login]\ntext = "The number from your phone, please: "\n')
    with Sshd(at.machine, drop_in("password")) as sshd:
        typed = (("Password: ", PASSWORD), ("The number from your phone, please: ", code()))
        assert let_in(tried(sshd, "alice", *typed))


def test_mpass_installed_and_removed_without_a_trace_in_pam(at: Site) -> None:
    """By pam-auth-update, as the package's scripts do it: then a password is enough again, broker or not."""
    before = update(at)
    at.machine.write("/etc/pam.d/sshd", (UNPACKED / "etc/pam.d/sshd").read_text())
    profile = at.machine.write("/usr/share/pam-configs/understudy", PROFILE.read_text())
    update(at, "--enable", "understudy")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert not let_in(by_password(sshd, "alice", "000000"))
        assert let_in(by_password(sshd, "alice", code()))
        assert update(at, "--remove", "understudy") == before
        profile.unlink()
        assert update(at) == before
        at.stop()
        at.device.stop(signal.SIGKILL)
        for module in at.machine.path("/usr/lib").glob("*/security/pam_understudy.so"):
            module.unlink()
        assert let_in(tried(sshd, "alice", ("Password: ", PASSWORD)))
    left = at.machine.run("grep", "-rl", "understudy", "/etc/pam.d", "/var/lib/pam")
    assert left.out == "", left
