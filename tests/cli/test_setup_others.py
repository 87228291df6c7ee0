# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Whom a set-up would shut out of ssh, and whom it lets in by a key as before."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from understudy.doctor.findings import Host
from understudy.setup.others import DROP_IN, excepted, exception, others
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


def found(
    host: Host,
    way: str,
    settings: Mapping[str, str] | None = None,
    own: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[list[str], list[str]]:
    told = others(
        host, lambda user: user == "alice", settings or {}, lambda user: (own or {}).get(user, {}), way
    )
    return told.by_key, told.shut_out


def test_after_a_password(host: Host) -> None:
    assert found(host, PASSWORD) == (["root", "git"], ["two words"])  # bob and his password go on


def test_after_a_key(host: Host) -> None:
    assert found(host, KEY) == (["root", "git"], ["bob", "two words"])


def test_keys_lie_where_sshd_says(host: Host) -> None:
    settings = {"authorizedkeysfile": ".ssh/authorized_keys /etc/ssh/keys/%u"}
    assert found(host, PASSWORD, settings) == (["root", "carol"], ["two words"])
    assert found(host, PASSWORD, {"authorizedkeysfile": "%h/.ssh/authorized_keys2"}) == (["git"], [])


def test_who_has_a_match_block_of_his_own_keeps_it(host: Host) -> None:
    own = {"git": {"authenticationmethods": "publickey"}, "root": {"authenticationmethods": "any"}}
    assert found(host, PASSWORD, own=own) == (["root"], ["two words"])


def test_who_can_t_be_listed_is_told_in_words(host: Host) -> None:
    settings = {"authorizedkeyscommand": "/usr/bin/keys", "trustedusercakeys": "none"}
    assert found(host, PASSWORD, settings)[1] == ["two words", "whose keys come by authorizedkeyscommand"]
    (host.root / "etc/nsswitch.conf").write_text("passwd: files ldap\n")
    assert found(host, KEY)[1][-1] == "users of ldap without a key"
    assert found(host, PASSWORD)[1] == ["two words"]


@pytest.mark.parametrize("way", [PASSWORD, KEY])
def test_what_was_written_is_found_again(host: Host, way: str) -> None:
    path = host.path(DROP_IN)
    path.parent.mkdir(parents=True)
    assert excepted(host) == []
    path.write_text("# Match User nobody\n" + exception(["root", "git"], way))
    assert excepted(host) == ["root", "git"]
    assert exception([], way) == ""
