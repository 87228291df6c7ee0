# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A person with a phone enrols at a login: scans the screen, types a code, keeps the recovery codes."""

import re
import time

from tests.cli.support import Done
from tests.cli.terminal import COLUMNS, ROWS, Pty
from tests.demo import read_qr
from tests.login.site import PASSWORD
from tests.reference import load_pyotp

FIRST = "First code: "
RECOVERY = re.compile(r"\b\d{4,5}(?:[- ]\d{4,5})+\b")


class Phone:
    """An authenticator that has scanned the code on a screen: PyPI's pyotp."""

    def __init__(self, screen: str) -> None:
        self.uri = read_qr(screen)
        self.totp = load_pyotp().parse_uri(self.uri)

    def code(self, steps: int = 0) -> str:
        """The code that it shows now, or `steps` later."""
        return str(self.totp.at(int(time.time()) + steps * self.totp.interval))


def visible(text: str) -> str:
    """What of it a terminal shows: long lines are wrapped, and what is too much has left at the top."""
    rows = [line[at : at + COLUMNS] for line in text.split("\n") for at in range(0, len(line) or 1, COLUMNS)]
    return "\n".join(rows[-ROWS:])


def scan(terminal: Pty) -> Phone:
    """Log in up to the QR code, and scan what the screen shows of it."""
    terminal.read_until("Password: ")
    terminal.type(PASSWORD)
    terminal.read_until(FIRST)
    screen = visible(terminal.text)
    assert "Scan this" in screen and screen.endswith(FIRST), screen
    return Phone(screen)


def enrolled(terminal: Pty, typed: str) -> tuple[Done, list[str]]:
    """Type the first code: how it ended, and the recovery codes shown."""
    terminal.type(typed)
    code = terminal.wait()
    shown = terminal.text.split("Recovery codes")[-1]
    return Done(code, terminal.text, ""), RECOVERY.findall(shown)
