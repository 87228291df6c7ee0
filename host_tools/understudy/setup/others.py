# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Those who are asked for no code, and come in by ssh: what sshd has to let them go on as before.

AuthenticationMethods holds for all: who has a key and no password, such as a backup or root, would be shut
out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from understudy.doctor.checks_users import directories
from understudy.doctor.findings import Host
from understudy.setup.pam_lines import KEY

DROP_IN = "/etc/ssh/sshd_config.d/00-understudy.conf"  # sshd takes the first of what it is told twice
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # nothing that a pattern of sshd's would mean otherwise
_FIELDS = 7  # of passwd(5)
_ANY = ("", "any")
_MATCH = re.compile(r"^Match User (\S+)$", re.MULTILINE)
_KEEP = """
# They are asked for no code, and have a key: it gets them in as before. Who is to be asked after all has to
# be taken out here, too.
Match User {names}
    AuthenticationMethods {ways}
"""


@dataclass(frozen=True)
class Others:
    """`by_key` go on by their key; `shut_out` have a password only, or a name that sshd can't be told, or are
    such as nobody can list."""

    by_key: list[str]
    shut_out: list[str]


def others(
    host: Host,
    is_asked: Callable[[str], bool],
    settings: Mapping[str, str],
    of_user: Callable[[str], Mapping[str, str]],
    way: str,
) -> Others:
    """What becomes of all who are asked for no code, where all others log in by `way` and a code. `settings`:
    sshd's in force (`sshd -T`), and `of_user` those for one user."""
    lines = (line.split(":") for line in (host.text("/etc/passwd") or "").splitlines())
    homes = {one[0]: one[5] for one in lines if len(one) == _FIELDS and not is_asked(one[0])}
    shadow = dict(
        line.split(":")[:2] for line in (host.text("/etc/shadow") or "").splitlines() if ":" in line
    )
    files = settings.get("authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2").split()
    with_key = [user for user in homes if any(_has_key(host, one, user, homes[user]) for one in files)]
    # A Match block of their own counts for them before and after.
    with_key = [user for user in with_key if of_user(user).get("authenticationmethods", "") in _ANY]
    by_key = [user for user in with_key if _PLAIN.fullmatch(user)]
    with_password = {user for user in homes if shadow.get(user, "!")[:1] not in ("!", "*")}
    # With a password they are asked for that alone, in the conversation.
    lose = with_password.union(with_key) if way == KEY else set(with_key) - with_password
    return Others(by_key, sorted(lose.difference(by_key)) + _unlisted(host, settings, way))


def _unlisted(host: Host, settings: Mapping[str, str], way: str) -> list[str]:
    """Those who can't be listed, in words."""
    found = []
    for name in ("authorizedkeyscommand", "trustedusercakeys"):
        if settings.get(name, "none") not in ("", "none"):
            found.append(f"whose keys come by {name}")
    if way == KEY and directories(host):
        found.append(f"users of {', '.join(directories(host))} without a key")
    return found


def _has_key(host: Host, file: str, user: str, home: str) -> bool:
    """sshd_config(5), AuthorizedKeysFile."""
    tokens = {"%%": "%", "%h": home, "%u": user}
    path = re.sub("%[%hu]", lambda token: tokens[token.group()], file)
    text = host.text(path if path.startswith("/") else f"{home}/{path}") or ""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def exception(by_key: list[str], way: str) -> str:
    """The lines for sshd by which they go on; none for nobody."""
    if not by_key:
        return ""
    ways = "publickey" if way == KEY else "publickey keyboard-interactive:pam"
    return _KEEP.format(names=",".join(by_key), ways=ways)


def excepted(host: Host) -> list[str]:
    """The users for whom a set-up has left such lines."""
    return [user for names in _MATCH.findall(host.text(DROP_IN) or "") for user in names.split(",")]
