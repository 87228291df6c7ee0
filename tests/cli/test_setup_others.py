# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Whom a set-up would shut out of ssh, and whom it lets in by a key as before."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from understudy.doctor.findings import Host
from understudy.setup.others import DROP_IN, Others, excepted, exception, others
from understudy.setup.pam_lines import KEY, PASSWORD

KEYS = "# a comment\n\nssh-ed25519 AAAA somebody\n"
USERS = {  # name: shell, password, file of keys
    "root": ("/bin/bash", "*", "root/.ssh/authorized_keys"),
    "alice": ("/bin/bash", "$6$x", "home/alice/.ssh/authorized_keys"),
    "bob": ("/bin/bash", "$6$x", ""),
    "git": ("/usr/bin/git-shell", "!", "home/git/.ssh/authorized_keys2"),
    "daemon": ("/usr/sbin/nologin", "*", ""),
    "two words": ("/bin/bash", "!", "home/two words/.ssh/authorized_keys"),
    "carol": ("/bin/bash", "!", "etc/ssh/keys/carol"),
}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A machine with USERS."""
    (tmp_path / "etc").mkdir()
    home = {name: f"/home/{name}" if name != "root" else "/root" for name in USERS}
    lines = [f"{name}:x:1:1::{home[name]}:{shell}" for name, (shell, _, _) in USERS.items()]
    (tmp_path / "etc/passwd").write_text("\n".join(lines) + "\n")
    shadow = [f"{name}:{password}:1::::::" for name, (_, password, _) in USERS.items()]
    (tmp_path / "etc/shadow").write_text("\n".join(shadow) + "\n")
    for _, _, keys in USERS.values():
        if keys:
            (tmp_path / keys).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / keys).write_text(KEYS)
    (tmp_path / "home/bob/.ssh").mkdir(parents=True)
    (tmp_path / "home/bob/.ssh/authorized_keys").write_text("# nothing\n")
    return Host(root=tmp_path)


DEBIAN = {  # of sshd -T, as Debian has it
    "passwordauthentication": "yes",
    "kbdinteractiveauthentication": "no",
    "permitrootlogin": "prohibit-password",
    "authenticationmethods": "any",
    "authorizedkeyscommand": "none",
    "trustedusercakeys": "none",
}
NO_PASSWORDS = {"passwordauthentication": "no"}


def told(host: Host, way: str, *rows: tuple[str, str, Mapping[str, str]], **changed: str) -> Others:
    """Others, alice being asked for a code; `rows`: what Match blocks change for whom, from where."""
    settings = {**DEBIAN, **changed}
    several = [(user, address, {**settings, **own}) for user, address, own in rows]
    return others(host, lambda user: user == "alice", settings, lambda users: (several, 0), way)


def test_after_a_password(host: Host) -> None:
    # bob and his password go on.
    assert told(host, PASSWORD) == Others(["root", "git"], ["root", "git"], ["two words"], [])


def test_after_a_key(host: Host) -> None:
    assert told(host, KEY) == Others(["root", "git"], [], ["bob", "two words"], [])


def test_who_got_in_by_no_password_is_not_shut_out(host: Host) -> None:
    assert told(host, KEY, **NO_PASSWORDS).shut_out == ["two words"]
    assert told(host, KEY, ("bob", "", NO_PASSWORDS)).shut_out == ["two words"]
    (host.root / "etc/shadow").write_text("root:$6$x:1::::::\n")
    (host.root / "root/.ssh/authorized_keys").unlink()
    assert told(host, KEY).shut_out == ["two words"]
    assert told(host, KEY, permitrootlogin="yes").shut_out == ["root", "two words"]


def test_who_got_in_by_no_password_does_not_after(host: Host) -> None:
    assert told(host, PASSWORD, ("bob", "", NO_PASSWORDS)).opened == ["bob"]
    assert told(host, PASSWORD, ("bob", "", {}), ("bob", "10.0.0.1", NO_PASSWORDS)).opened == ["bob"]
    (host.root / "home/bob/.ssh/authorized_keys").write_text(KEYS)
    kept = told(host, PASSWORD, ("bob", "", NO_PASSWORDS))
    assert kept.opened == [] and kept.by_key_only == ["root", "bob", "git"]
    text = exception(told(host, PASSWORD), PASSWORD)
    assert "Match User bob\n    AuthenticationMethods publickey keyboard-interactive:pam\n" in text
    assert "Match User root,git\n    AuthenticationMethods publickey\n" in text
    assert "Match User root,bob,git\n    AuthenticationMethods publickey\n" in exception(kept, PASSWORD)


def test_root_s_password_counts_where_sshd_takes_it(host: Host) -> None:
    (host.root / "etc/shadow").write_text("root:$6$x:1::::::\n")
    assert told(host, PASSWORD, **NO_PASSWORDS, permitrootlogin="yes").by_key_only == ["root", "git"]
    assert told(host, PASSWORD).opened == [] and told(host, PASSWORD, permitrootlogin="yes").opened == []
    (host.root / "root/.ssh/authorized_keys").unlink()
    own = ("root", "10.0.0.1", NO_PASSWORDS)
    assert told(host, PASSWORD, own, permitrootlogin="yes").opened == ["root"]
    assert told(host, PASSWORD, own).opened == []


def test_keys_lie_where_sshd_says(host: Host) -> None:
    files = ".ssh/authorized_keys /etc/ssh/keys/%u"
    assert told(host, PASSWORD, authorizedkeysfile=files).by_key == ["root", "carol"]
    assert told(host, PASSWORD, authorizedkeysfile="%h/.ssh/authorized_keys2").by_key == ["git"]
    own = ("carol", "", {"authorizedkeysfile": "/etc/ssh/keys/%u"})
    assert told(host, PASSWORD, own).by_key == ["root", "git", "carol"]
    own = ("daemon", "", {"authorizedkeyscommand": "/usr/bin/keys"})
    assert told(host, PASSWORD, own).by_key == ["root", "git", "daemon"]


def test_who_has_a_match_block_of_his_own_keeps_it(host: Host) -> None:
    own = [(name, "", {"authenticationmethods": "publickey"}) for name in ("git", "bob")]
    assert told(host, PASSWORD, *own) == Others(["root"], ["root"], ["two words"], [])
    assert told(host, KEY, *own) == Others(["root"], [], ["two words"], [])


def test_who_can_t_be_listed_is_told_in_words(host: Host) -> None:
    found = told(host, PASSWORD, authorizedkeyscommand="/usr/bin/keys", gssapiauthentication="yes").shut_out
    assert found == [
        "two words",
        "whose keys come by authorizedkeyscommand",
        "who comes by gssapiauthentication",
    ]
    (host.root / "etc/nsswitch.conf").write_text("passwd: files ldap\n")
    assert told(host, KEY).shut_out[-1] == "users of ldap without a key"
    assert told(host, KEY, **NO_PASSWORDS).shut_out == ["two words"]
    assert told(host, PASSWORD).shut_out == ["two words"]
    many = others(host, lambda user: False, DEBIAN, lambda users: ([], 7), PASSWORD)
    assert many.shut_out[-1] == "7 more users"


@pytest.mark.parametrize("way", [PASSWORD, KEY])
def test_what_was_written_is_found_again(host: Host, way: str) -> None:
    path = host.path(DROP_IN)
    path.parent.mkdir(parents=True)
    assert excepted(host) == []
    path.write_text("# Match User nobody\n" + exception(Others(["root", "git"], ["root"], [], []), way))
    assert sorted(excepted(host)) == ["git", "root"]
    assert exception(Others([], [], [], []), way) == ""
