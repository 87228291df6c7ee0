# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The profile for Debian's pam-auth-update: switched on and off by the real one, and logged in with."""

from tests.cli.support import code
from tests.login.person import INSIDE, answered, by_password, let_in, tried
from tests.login.site import PASSWORD, Site, drop_in
from tests.login.sshd import Sshd
from tools.buildlib.paths import UNPACKED

from understudy.paths import etc_dir

PROFILE = etc_dir() / "pam-configs/understudy"
COMMON = ("common-auth", "common-account", "common-password", "common-session")


def update(at: Site, *words: str) -> dict[str, str]:
    """Call pam-auth-update as a maintainer's script does: the files it has left."""
    at.machine.ok("pam-auth-update", "--package", *words, env={"DEBIAN_FRONTEND": "noninteractive"})
    return {name: at.machine.path(f"/etc/pam.d/{name}").read_text() for name in COMMON}


def test_the_profile_asks_at_every_login_until_it_is_removed(at: Site) -> None:
    shipped = at.machine.path("/etc/pam.d/su").read_text()
    before = update(at)
    at.machine.write("/etc/pam.d/sshd", (UNPACKED / "etc/pam.d/sshd").read_text())
    at.machine.write("/usr/share/pam-configs/understudy", PROFILE.read_text())
    assert update(at) == before  # it is not switched on by being there
    after = update(at, "--enable", "understudy")
    assert {name for name in COMMON if after[name] != before[name]} == {"common-auth", "common-account"}
    assert at.machine.path("/etc/pam.d/su").read_text() == shipped
    at.machine.add_user("bob")
    at.start()
    with Sshd(at.machine, drop_in("password")) as sshd:
        assert not let_in(by_password(sshd, "alice", "000000"))
        assert let_in(by_password(sshd, "alice", code()))
        become = at.machine.terminal("su", "alice", "-c", f"echo {INSIDE}", user="bob")
        assert let_in(answered(become, [("Password: ", PASSWORD), ("Code: ", code(1))]))
        assert update(at, "--remove", "understudy") == before
        assert let_in(tried(sshd, "alice", ("Password: ", PASSWORD)))
