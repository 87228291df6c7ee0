# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who takes part in the login's bench: PAM stacks with one module each, and the users whom they know.

It is always the last user who logs in. Before each login a stack is put back to what it was before the last
one, if it keeps anything: a file is written again and synced, our device's clock goes on by a step.
"""

import base64
import os
import time
from pathlib import Path

from tests.bench.login_ours import MOST, STEP, Served
from tests.login.machine import Machine

import large
from understudy_device.otp import codes

_SKEWED = 1600  # steps on either side: pam_google_authenticator looks at 1,500 for a clock that is off


def wrong_code(number: int, now: int) -> str:
    """Six digits that are no code of the user's near that Unix time."""
    at = now // STEP
    near = set(codes(large.secret(number), "SHA1", 6, range(at - _SKEWED, at + _SKEWED)))
    return "%06d" % next(code for code in range(len(near) + 1) if code not in near)


class Stack:
    """pam_permit, which asks for nothing: what everything else is held against."""

    name = "pam_permit"
    served: Served | None = None

    def __init__(self, users: int) -> None:
        self.users = users
        self.number = users - 1  # of the user who logs in
        self.user = large.name(self.number)

    @property
    def service(self) -> str:
        """The name of its stack."""
        return "bench-%s-%d" % (self.name.replace(" ", "-").replace(",", ""), self.users)

    def module(self) -> str:
        """The module and its arguments."""
        return "pam_permit.so"

    def install(self, machine: Machine) -> None:
        """Write the stack."""
        machine.write(f"/etc/pam.d/{self.service}", f"auth required {self.module()}\n")

    def restore(self) -> None:
        """As before the last login."""

    def now(self) -> int:
        """The time by which its codes are made."""
        return int(time.time())

    def code(self, right: bool) -> str:
        """What is typed now."""
        make = large.code if right else wrong_code
        return make(self.number, self.now())


def _write(path: Path, text: str, mode: int) -> None:
    """And sync it, so that no login pays for this."""
    path.touch(mode=0o600)
    with path.open("w") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


class Oath(Stack):
    """pam_oath, with all users in one file."""

    name = "pam_oath"

    def __init__(self, folder: Path, users: int) -> None:
        super().__init__(users)
        (folder / self.service).mkdir(mode=0o700)
        self._file = folder / self.service / "users"
        lines = (f"HOTP/T30/6 {large.name(n)} - {large.secret(n).hex()}\n" for n in range(users))
        self._text = "".join(lines)
        self.restore()

    def module(self) -> str:
        return f"pam_oath.so usersfile={self._file} window=5 digits=6"

    def restore(self) -> None:
        _write(self._file, self._text, 0o600)


class Authenticator(Stack):
    """pam_google_authenticator, with a file for each user."""

    name = "pam_google_authenticator"
    options = ""

    def __init__(self, folder: Path, users: int) -> None:
        super().__init__(users)
        self._folder = folder / self.service
        self._folder.mkdir(mode=0o700)
        for number in range(users - 1):
            (self._folder / large.name(number)).write_text(self._text(number))
            (self._folder / large.name(number)).chmod(0o400)
        self.restore()

    @staticmethod
    def _text(number: int) -> str:
        secret = base64.b32encode(large.secret(number)).decode()
        return f'{secret}\n" RATE_LIMIT 3 30\n" WINDOW_SIZE 3\n" DISALLOW_REUSE\n" TOTP_AUTH\n'

    def module(self) -> str:
        arguments = f"secret={self._folder}/${{USER}} user=root no_increment_hotp{self.options}"
        return f"pam_google_authenticator.so {arguments}"

    def restore(self) -> None:
        _write(self._folder / self.user, self._text(self.number), 0o400)


class AuthenticatorNoSkew(Authenticator):
    """The same without the search for a clock that is off."""

    name = "pam_google_authenticator, noskewadj"
    options = " noskewadj"


class Understudy(Stack):
    """Ours, with a broker and a device that holds the users, or as many of them as one holds."""

    name = "pam_understudy"

    def __init__(self, served: Served, users: int) -> None:
        super().__init__(min(users, MOST))
        self.served: Served = served

    def module(self) -> str:
        return f"pam_understudy.so socket={self.served.broker.socket}"

    def restore(self) -> None:
        self.served.turn()

    def now(self) -> int:
        return self.served.now
