# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Debian package, installed into a small Debian, upgraded, removed and purged there."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deb import built, made
from tests.login.debian import Debian
from tools.buildlib.paths import ROOT

NOT_OURS = {"proc", "sys", "dev", "run", "tmp"}
# What dpkg, apt and debconf write down of their own work, and what passwd's tools keep of the file before.
LOGS = re.compile(
    r"/var/log/(dpkg\.log|apt/.*)|/var/cache/(apt|debconf)/.*|/var/lib/apt/lists/.*"
    r"|/var/lib/dpkg/status-old|/etc/(passwd|shadow|group|gshadow)-"
)
ACCOUNTS = ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow")
OUR_ACCOUNTS = ("understudy", "understudy-device", "i2c")
NAMES_IT = "auth required pam_understudy.so\n"
Tree = dict[str, tuple[int, int, int, bytes]]


@pytest.fixture
def debian(root: None, tmp_path: Path) -> Iterator[Debian]:
    with Debian(tmp_path / "debian") as debian:
        yield debian


@pytest.fixture
def installed(debian: Debian) -> Debian:
    debian.ok("dpkg", "--install", debian.copy(made()))
    return debian


def tree(debian: Debian) -> Tree:
    """Every file and folder by its path: its mode, owner, group, and what is in it."""
    top = debian.path("/")
    found: Tree = {}
    for folder, folders, files in os.walk(top):
        if Path(folder) == top:
            folders[:] = [name for name in folders if name not in NOT_OURS]
        for name in [*folders, *files]:
            path = Path(folder, name)
            inside = f"/{path.relative_to(top)}"
            if not LOGS.fullmatch(inside):
                state = path.lstat()
                found[inside] = (state.st_mode, state.st_uid, state.st_gid, content(path, inside))
    return found


def content(path: Path, inside: str) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return os.readlink(path).encode()
    if inside.endswith(".pyc"):  # is made on the machine, and not twice the same
        return b""
    if inside in ACCOUNTS:
        return without_ours(path.read_text())
    return hashlib.sha256(path.read_bytes()).digest() if stat.S_ISREG(mode) else b""


def without_ours(accounts: str) -> bytes:
    """A file like /etc/group without the users that stay after a purge."""
    lines = [line.split(":") for line in accounts.splitlines()]
    kept = [":".join([*line[:-1], members(line[-1])]) for line in lines if line[0] not in OUR_ACCOUNTS]
    return "\n".join(kept).encode()


def members(field: str) -> str:
    return ",".join(name for name in field.split(",") if name not in OUR_ACCOUNTS)


def changed(before: Tree, after: Tree) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def pam(of: Tree) -> Tree:
    return {path: state for path, state in of.items() if path.startswith(("/etc/pam", "/etc/systemd"))}


def test_installed_as_the_readme_says_and_purged_it_leaves_nothing(debian: Debian) -> None:
    (command,) = re.findall(
        r"^sudo (apt-get install \S*_\*\.deb)", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    before = tree(debian)
    debian.ok("mkdir", "-p", "/tmp/build/dist")
    debian.ok("cp", debian.copy(made()), "/tmp/build/dist")
    debian.ok("sh", "-c", f"cd /tmp && {command}", env={"DEBIAN_FRONTEND": "noninteractive"})
    after = tree(debian)
    # It has switched nothing on: neither a PAM stack, nor a unit.
    assert pam(after) == pam(before)
    assert {path for path in changed(before, after) if path.startswith("/etc/")} == set()
    assert all(debian.ok("getent", "passwd", name).out for name in ("understudy", "understudy-device"))
    assert list(
        debian.path("/usr/lib/understudy/lib").glob("*/site-packages/understudy/cli/__pycache__")
    )  # compiled once, for all

    for folder in ("/etc/understudy", "/var/lib/understudy", "/var/lib/understudy-device"):
        debian.write(f"{folder}/kept", "of the machine's\n")
    debian.ok("dpkg", "--remove", "understudy")
    left = changed(before, tree(debian))
    assert {path for path in left if path.endswith("/kept")} == {
        f"{folder}/kept"
        for folder in ("/etc/understudy", "/var/lib/understudy", "/var/lib/understudy-device")
    }
    assert {path for path in left if path.startswith("/usr/")} == set()
    debian.ok("dpkg", "--purge", "understudy")
    assert changed(before, tree(debian)) == set()


def test_what_is_installed_works(installed: Debian) -> None:
    assert installed.ok("understudy", "--version").out.startswith("understudy ")
    installed.ok(
        "sh", "-ec", "cd /tmp && understudy config default > new.toml && understudy config check new.toml"
    )
    installed.ok("/usr/lib/understudy/bin/python", "-m", "understudy", "--version")  # as it starts itself
    assert installed.run("understudyd", "--config", "/nowhere").code == 59
    assert "--link" in installed.run("understudy-device", "--help").err
    units = [str(path) for path in sorted(installed.path("/usr/lib/systemd/system").glob("understudy*"))]
    names = [f"/usr/lib/systemd/system/{Path(path).name}" for path in units]
    assert len(names) >= 4
    verified = installed.ok("systemd-analyze", "verify", "--man=no", *names)
    assert verified.err == "", verified
    carried = installed.ok("understudy", "boards", "--etc").out.strip()
    assert installed.ok("cat", f"{carried}/understudyd.service").out.count("/usr/bin/understudyd") == 1


def test_pam_finds_the_module(installed: Debian) -> None:
    installed.write("/etc/pam.d/probe", NAMES_IT)
    asked = installed.run("pamtester", "probe", "root", "authenticate")
    assert asked.code and "cannot retrieve authentication info" in asked.err  # as no broker runs


@pytest.mark.parametrize(
    "typed,completed",
    [
        ("understudy fact", "understudy factory-reset"),
        ("understudy user resy", "understudy user resync"),
        ("understudy doctor --rehe", "understudy doctor --rehearse"),
    ],
)
def test_bash_completes(installed: Debian, typed: str, completed: str) -> None:
    loads = ". /usr/share/bash-completion/bash_completion; PS1='ready> '\n"
    installed.write("/tmp/rc", loads)
    with installed.terminal("bash", "--noprofile", "--rcfile", "/tmp/rc", "-i") as terminal:
        terminal.read_until("ready> ")
        terminal.press(f"{typed}\t")
        terminal.read_until(completed)


@pytest.mark.parametrize("file", ["/etc/pam.d/sshd", "/etc/pam.d/of-the-site", "/etc/pam.conf"])
def test_it_is_not_removed_below_a_stack_that_names_it(installed: Debian, file: str) -> None:
    before = tree(installed)
    installed.write(file, f"# a stack\n{NAMES_IT}")
    refused = installed.run("dpkg", "--remove", "understudy")
    assert refused.code and f"    {file}\n" in refused.err and "nobody could log in" in refused.err
    assert changed(before, tree(installed)) == {file, "/var/lib/dpkg/status"}
    installed.write(file, f"# no more: {NAMES_IT}")
    installed.ok("dpkg", "--remove", "understudy")


@pytest.mark.parametrize("command", ["whole", "broken"])
def test_it_takes_its_profile_out_of_pam(installed: Debian, command: str) -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    installed.ok("pam-auth-update", "--package", env=quiet)
    before = pam(tree(installed))
    installed.ok("pam-auth-update", "--enable", "understudy", env=quiet)
    assert pam(tree(installed)) != before
    if command == "broken":  # as by another Python: PAM is left all the same
        installed.write("/usr/bin/understudy", "#!/bin/sh\nexit 70\n", mode=0o755)
    installed.ok("dpkg", "--remove", "understudy", env=quiet)
    assert pam(tree(installed)) == before


def test_units_that_were_switched_on_are_off_after_it(installed: Debian) -> None:
    before = tree(installed)
    installed.ok(
        "systemctl", "enable", "understudyd.socket", "understudyd.service", "understudy-device.service"
    )
    assert pam(tree(installed)) != pam(before)
    installed.ok("dpkg", "--remove", "understudy")
    assert pam(tree(installed)) == pam(before)


def test_an_upgrade_keeps_what_is_there(installed: Debian, tmp_path: Path) -> None:
    installed.write("/etc/understudy/understudy.toml", "mfa = true\n")
    installed.ok("systemctl", "enable", "understudyd.socket")
    installed.ok("pam-auth-update", "--enable", "understudy", env={"DEBIAN_FRONTEND": "noninteractive"})
    before = tree(installed)
    installed.ok("dpkg", "--install", installed.copy(built(tmp_path, "--version", "99.0")))
    others = {path for path in changed(before, tree(installed)) if not path.startswith("/var/lib/dpkg/")}
    documents = re.compile(r"/usr/share/(man/.*/.*\.gz|doc/understudy/changelog\.gz)")
    assert {path for path in others if not documents.fullmatch(path)} == set()
    assert installed.ok("dpkg-query", "-W", "-f", "${Version}", "understudy").out == "99.0"
