# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""sshd's Match blocks: what holds for whom, from where. As `sshd -T -C` has it; sshd_config(5).

Asked are covered users who come from nowhere in particular, and from an address of each Match Address. What
goes by the client's name, or by the server's own address and port, is seen as far as these go.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from understudy.doctor.checks_sshd import OfUsers, read_settings
from understudy.doctor.findings import Host

_CONFIG = "/etc/ssh/sshd_config"
_ELSEWHERE = "192.0.2.1"  # RFC 5737: nobody's
_SERVER = "laddr=127.0.0.1,lport=22"
_MOST_USERS = 50
_MOST_ADDRESSES = 5
_DEEPEST = 4  # of files that are included
_WORD = re.compile(r'"([^"]*)"|([^\s="]+)')


def settings_of(host: Host, users: Sequence[str]) -> tuple[OfUsers, int]:
    """What holds for each of `users`, and for how many of them that was left out; nothing, and 0, where no
    Match block is."""
    lines = [words for words in _lines(host, _CONFIG, 0) if words[0].lower() == "match"]
    if not lines:
        return (), 0
    found = []
    nameable = [user for user in users if "," not in user][:_MOST_USERS]
    for user in nameable:
        for address in (_ELSEWHERE, *_addresses(lines)):
            settings = read_settings(host, f"user={user},host={address},addr={address},{_SERVER}")
            if settings is None:
                return (), 0
            found.append((user, "" if address == _ELSEWHERE else address, settings))
    return found, len(users) - len(nameable)


def _lines(host: Host, name: str, depth: int) -> Iterator[list[str]]:
    """The words of each line, with what is included."""
    for line in (host.text(name) or "").splitlines():
        words = [quoted or plain for quoted, plain in _WORD.findall(line.partition("#")[0])]
        if words and words[0].lower() == "include" and depth < _DEEPEST:
            for pattern in words[1:]:
                below = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
                for path in sorted(host.root.glob(below.lstrip("/"))):
                    yield from _lines(host, f"/{path.relative_to(host.root)}", depth + 1)
        elif words:
            yield words


def _addresses(lines: Sequence[Sequence[str]]) -> list[str]:
    """An address for each pattern of Match Address."""
    found: dict[str, None] = {}
    for words in lines:
        for name, patterns in zip(words[1::2], words[2::2], strict=False):
            if name.lower() == "address":
                for pattern in patterns.split(","):
                    with suppress(ValueError):  # one that is negated, or none at all
                        plain = pattern.replace("*", "1").replace("?", "1")
                        network = ipaddress.ip_network(plain, strict=False)
                        found[str(network[min(1, network.num_addresses - 1)])] = None
    return list(found)[:_MOST_ADDRESSES]
