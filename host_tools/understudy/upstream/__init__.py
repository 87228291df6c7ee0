# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Network 2FA servers, each behind one interface: what a server says, or why it can't be reached.

A refusal and silence are never confused: `Says` is a server's own, authenticated word; everything else, from
a name that does not resolve to an answer that makes no sense, is `Unreachable`.
"""

from dataclasses import dataclass
from typing import Protocol

from understudy_device.errors import Unreachable

REASONS = ("dns", "refused", "timeout", "tls", "status", "malformed", "secret", "network", "down")


def unreachable(reason: str, detail: str = "") -> Unreachable:
    """The error for one of REASONS; `detail` is for the log: nothing that a server or a user said."""
    return Unreachable(f"{reason}: {detail}" if detail else reason, reason=reason)


@dataclass(frozen=True)
class Login:
    """Who logs in, and what was typed; `state` is a challenge's, when this answers one."""

    user: str
    code: str
    service: str
    rhost: str = ""
    state: bytes | None = None

    def __repr__(self) -> str:
        return f"Login({self.user!r} {self.service!r})"


@dataclass(frozen=True)
class Says:
    """`word`: accepted, rejected, or prompt: then `text` is to be asked, and `state` to come back."""

    word: str
    text: str = ""
    state: bytes | None = None


class Upstream(Protocol):
    """A network 2FA server, or several that are one."""

    name: str  # for the log and the status

    async def check(self, login: Login, seconds: float) -> Says:
        """What it says within `seconds`. Unreachable."""

    async def close(self) -> None:
        """Let connections go."""
