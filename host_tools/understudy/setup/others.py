# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Those who are asked for no code, and come in by ssh: what sshd has to let them go on as before.

AuthenticationMethods holds for all: who has a key and no password, such as a backup or root, would be shut
out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from understudy.doctor.checks_sshd import OfUsers
from understudy.doctor.checks_users import accounts, directories
from understudy.doctor.findings import Host
from understudy.setup.pam_lines import KEY

DROP_IN = "/etc/ssh/sshd_config.d/00-understudy.conf"  # sshd takes the first of what it is told twice
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # nothing that a pattern of sshd's would mean otherwise
_MATCH = re.compile(r"^Match User (\S+)$", re.MULTILINE)
_HEAD = """
# They are asked for no code, and have a key: it gets them in as before. Who is to be asked after all has to
# be taken out here, too.
"""
_KEEP = "Match User {names}\n    AuthenticationMethods {ways}\n"
_ELSEWHERE = ("authorizedkeyscommand", "trustedusercakeys")  # where keys may come from
_METHODS = ("gssapiauthentication", "hostbasedauthentication")


@dataclass(frozen=True)
class Others:
    """What becomes of those who are asked for no code.

    `by_key` go on by their key, and of them `by_key_only` by nothing else, as before. `shut_out` have a
    password only, or a name that sshd can't be told, or are such as nobody can list. `opened` would be let in
    by a password, and are not now.
    """

    by_key: list[str]
    by_key_only: list[str]
    shut_out: list[str]
    opened: list[str]


@dataclass(frozen=True)
class _Person:
    """Who is asked for no code, what he has that could get him in, and whether sshd takes a password of him
    now, and `everywhere` he comes from."""

    name: str
    has_key: bool
    has_password: bool
    takes_password: bool
    everywhere: bool

    @property
    def comes_by_password(self) -> bool:
        """Whether he gets in by it now."""
        return self.has_password and self.takes_password

    @property
    def would_come_by_password(self) -> bool:
        """Whether he has one that does not get him in now, or not from everywhere."""
        return self.has_password and not (self.takes_password and self.everywhere)


def others(
    host: Host,
    is_asked: Callable[[str], bool],
    settings: Mapping[str, str],
    of_users: Callable[[list[str]], tuple[OfUsers, int]],
    way: str,
) -> Others:
    """See Others; all the rest log in by `way` and a code. `settings`: sshd's in force (`sshd -T`), and
    `of_users` those for some users (`settings_of`)."""
    passwd = accounts(host.text("/etc/passwd") or "")
    homes = {one[0]: one[5] for one in passwd if not is_asked(one[0])}
    rows, left_out = of_users(list(homes))
    people = [one for user in homes if (one := _person(host, user, homes[user], settings, rows)) is not None]
    plain = [one for one in people if one.has_key and _PLAIN.fullmatch(one.name)]
    by_key = [one.name for one in plain]
    if way == KEY:
        only, opened = [], []
        lose = {one.name for one in people if one.has_key or one.comes_by_password}
    else:
        only = [one.name for one in plain if not one.comes_by_password]
        opened = [one.name for one in people if one.would_come_by_password and one.name not in only]
        lose = {one.name for one in people if one.has_key and not one.comes_by_password}
    shut_out = sorted(lose.difference(by_key)) + _unlisted(host, settings, left_out, way)
    return Others(by_key, only, shut_out, opened)


def _person(host: Host, user: str, home: str, settings: Mapping[str, str], rows: OfUsers) -> _Person | None:
    """None for who has AuthenticationMethods of his own, in a Match block: they count before and after."""
    found = [(address, own) for name, address, own in rows if name == user and isinstance(own, Mapping)]
    mine = {**settings, **next((own for address, own in found if not address), {})}
    if mine.get("authenticationmethods", "any") != "any":
        return None
    files = mine.get("authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2").split()
    has_key = any(_has_key(host, one, user, home) for one in files) or any(
        mine.get(name) != settings.get(name) for name in _ELSEWHERE
    )
    return _Person(
        user,
        has_key,
        _has_password(host, user) and (user != "root" or mine.get("permitrootlogin", "yes") == "yes"),
        takes_passwords(mine),
        all(takes_passwords(own) for _, own in found),
    )


def _has_password(host: Host, user: str) -> bool:
    """Whether a password is set, and not locked. shadow(5)."""
    for line in (host.text("/etc/shadow") or "").splitlines():
        if line.startswith(f"{user}:"):
            return line.split(":")[1][:1] not in ("", "!", "*")
    return False


def takes_passwords(settings: Mapping[str, str]) -> bool:
    """Whether a password gets anybody in."""
    return "yes" in (settings.get("passwordauthentication"), settings.get("kbdinteractiveauthentication"))


def _unlisted(host: Host, settings: Mapping[str, str], left_out: int, way: str) -> list[str]:
    """Those who can't be listed, in words."""
    found = [f"whose keys come by {name}" for name in _ELSEWHERE if settings.get(name, "none") != "none"]
    found += [f"who comes by {name}" for name in _METHODS if settings.get(name) == "yes"]
    if way == KEY and takes_passwords(settings) and directories(host):
        found.append(f"users of {', '.join(directories(host))} without a key")
    return [*found, f"{left_out} more users"] if left_out else found


def _has_key(host: Host, file: str, user: str, home: str) -> bool:
    """sshd_config(5), AuthorizedKeysFile."""
    tokens = {"%%": "%", "%h": home, "%u": user}
    path = re.sub("%[%hu]", lambda token: tokens[token.group()], file)
    text = host.text(path if path.startswith("/") else f"{home}/{path}") or ""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def exception(kept: Others, way: str) -> str:
    """The lines for sshd by which they go on; none for nobody."""
    only = kept.by_key if way == KEY else kept.by_key_only
    both = [name for name in kept.by_key if name not in only]
    blocks = [(both, "publickey keyboard-interactive:pam"), (only, "publickey")]
    text = "".join(_KEEP.format(names=",".join(names), ways=ways) for names, ways in blocks if names)
    return _HEAD + text if text else ""


def excepted(host: Host) -> list[str]:
    """The users for whom a set-up has left such lines."""
    return [user for names in _MATCH.findall(host.text(DROP_IN) or "") for user in names.split(",")]
