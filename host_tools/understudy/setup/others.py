# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Those who are asked for no code, and come in by ssh: what sshd has to let them go on as before.

AuthenticationMethods holds for all: who has a key and no password, such as a backup or root, would be shut
out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from understudy.doctor.findings import Host
from understudy.setup.pam_lines import KEY

_KEY_FILES = (".ssh/authorized_keys", ".ssh/authorized_keys2")  # sshd_config(5), AuthorizedKeysFile
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # nothing that a pattern of sshd's would mean otherwise
_FIELDS = 7  # of passwd(5)
_KEEP = """
# They are asked for no code, and have a key: it gets them in as before.
Match User {names}
    AuthenticationMethods {ways}
"""


@dataclass(frozen=True)
class Others:
    """`by_key` go on by their key; `shut_out` have a password only, or a name that sshd can't be told."""

    by_key: list[str]
    shut_out: list[str]


def others(host: Host, users: Sequence[str], way: str) -> Others:
    """What becomes of `users`, who are asked for no code, where all others log in by `way` and a code."""
    homes = {
        fields[0]: fields[5]
        for line in (host.text("/etc/passwd") or "").splitlines()
        if len(fields := line.split(":")) == _FIELDS
    }
    shadow = dict(
        line.split(":")[:2] for line in (host.text("/etc/shadow") or "").splitlines() if ":" in line
    )
    with_key = [user for user in users if user in homes and _has_key(host, homes[user])]
    by_key = [user for user in with_key if _PLAIN.fullmatch(user)]
    with_password = [user for user in users if shadow.get(user, "!")[:1] not in ("!", "*")]
    # With the password they are asked for that alone, in the conversation.
    lose = (
        [*with_key, *with_password]
        if way == KEY
        else [user for user in with_key if user not in with_password]
    )
    return Others(by_key, sorted({user for user in lose if user not in by_key}))


def _has_key(host: Host, home: str) -> bool:
    lines = "\n".join(host.text(f"{home}/{name}") or "" for name in _KEY_FILES).splitlines()
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)


def exception(by_key: Sequence[str], way: str) -> str:
    """The lines for sshd by which they go on; none for nobody."""
    if not by_key:
        return ""
    ways = "publickey" if way == KEY else "publickey keyboard-interactive:pam"
    return _KEEP.format(names=",".join(by_key), ways=ways)
