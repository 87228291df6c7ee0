# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Many users of one device, provisioned once: each has a secret of its own, and hundreds of unused codes."""

import base64
import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cli.support import SECONDS, Cli, Done
from tests.login.broker import Told, ask
from tests.login.machine import Machine
from tests.login.site import CONFIG, SOCKET, Device, Site
from tests.reference import load_pyotp

from understudy.client import Client, entropy
from understudy.deadline import Deadline
from understudy.identity import ensure_identity, load_identity
from understudy.link import Connection, Link
from understudy.pairing import join
from understudy.transport import Port
from understudy_device.protocol import STATUSES, UNCLAIMED

_PYOTP = load_pyotp()  # here: it can't be loaded by several threads at once
SIZE = 200
INTERVAL = 120  # seconds: of a person's TOTP credential
PROMPT = b"Code: "
PATIENT = "[login]\ndeadline = 60\n"  # a machine that is busy with the load itself is not what is looked at
SERVICE = "probe"  # the PAM service, whose stack is the module alone


@dataclass
class Person:
    """A user of the device with an HOTP credential; `counter` is that of the next code."""

    name: str
    counter: int = 0

    @property
    def secret(self) -> bytes:
        """20 bytes, nobody else's."""
        return hashlib.sha1(self.name.encode()).digest()

    def code(self, counter: int) -> str:
        """As PyPI's pyotp has it (RFC 4226)."""
        return str(_PYOTP.HOTP(self._base32).at(counter))

    @property
    def _base32(self) -> str:
        return base64.b32encode(self.secret).decode()

    def fresh(self) -> str:
        """The next code, which counts as used from here on."""
        self.counter += 1
        return self.code(self.counter - 1)

    def timed(self, moment: float) -> str:
        """The code of this person's TOTP credential, of 8 digits, at a Unix time (RFC 6238)."""
        totp = _PYOTP.TOTP(self._base32, digits=8, interval=INTERVAL)
        return str(totp.at(int(moment)))

    def wrong(self, ahead: int = 60) -> str:
        """Six digits that are no code of this person's up to `ahead` counters from the present one."""
        right = {self.code(counter) for counter in range(max(0, self.counter - 2), self.counter + ahead)}
        return next(one for one in (f"{number:06d}" for number in range(1000)) if one not in right)


def people(count: int = SIZE) -> list[Person]:
    """The first `count` of the crowd, at the beginning of their codes."""
    return [Person(f"user{number:03d}") for number in range(count)]


class Crowd:
    """A claimed device with everybody of `people()` and a verifier's identity, kept as files to be copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        cli = Cli(folder)
        with Device(cli) as device:
            device.start("--screen", str(folder / "screen"))
            admit(cli.identity, device.port, people())
            cli.ok("pair", "--new-identity", "verifier.json", "--name", "broker", "--yes")

    def copy(self, folder: Path) -> Cli:
        """A copy of it in `folder`, switched off."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Cli(folder)


def admit(identity: Path, port: str, everybody: list[Person], seconds: float = SECONDS) -> None:
    """Give the device these users, the first with a TOTP credential, too; `seconds` for each step.

    `identity` is an admin's, or becomes one's by claiming the device.
    """
    with Port(port) as opened:
        link = Link(opened)
        connection = Connection(link, link.hello(Deadline(seconds)), port)
        if connection.hello.state == UNCLAIMED:
            join(connection, ensure_identity(identity), "claim", "admin", lambda _: None, seconds)
        client = Client(connection, load_identity(identity), seconds)
        for one in everybody:
            hotp = {"kind": "hotp", "credential": "counter"}
            timed = {"kind": "totp", "credential": "clock", "digits": 8, "interval": INTERVAL}
            for fields in (hotp, timed) if one is everybody[0] else (hotp,):
                client.request(
                    "user_add",
                    user=one.name,
                    secret=one.secret.hex(),
                    confirmed=True,
                    entropy=entropy(),
                    **fields,
                )


class CrowdedSite(Site):
    """A Site whose device has the crowd already."""

    def __init__(self, machine: Machine, cli: Cli, device: Device) -> None:
        self.machine, self.cli, self.device = machine, cli, device
        self.identity = cli.folder / "verifier.json"
        self.log = machine.path("/var/log/understudyd")
        self.process = None
        machine.install_module()
        line = "auth required pam_understudy.so\naccount required pam_permit.so\n"
        machine.write(f"/etc/pam.d/{SERVICE}", line)

    def start(self, text: str = PATIENT, tell_time: str = "never") -> None:
        """Start the broker, and wait until it has the device."""
        super().start(text, tell_time)

    @property
    def socket(self) -> Path:
        """The broker's, from outside of the machine."""
        return self.machine.path(SOCKET)

    def admin(self, *words: str) -> Done:
        """`understudy` as an admin of the machine runs it: through the broker, which has the port."""
        env = {**self.cli.env, "UNDERSTUDY_CONFIG": str(CONFIG)}
        return self.machine.ok(sys.executable, "-m", "understudy", *words, env=env)

    def ask(self, name: str, code: str | None = None, **fields: object) -> Told:
        """A question to the broker, as the module asks it: for a prompt, or with what was typed at it."""
        answer = {} if code is None else {"stage": "code", "answer": code}
        return ask(self.socket, "login", user=name, service=SERVICE, **answer, **fields)

    def restart(self) -> None:
        """Start the broker again that was killed."""
        assert self.process is not None and self.process.wait(SECONDS) == -signal.SIGKILL
        text = self.log.read_text()
        assert "Traceback" not in text and "fault " not in text, text
        self.log.unlink()
        self.start()

    def sit(self, name: str) -> "Sitting":
        """A login that waits at its prompt."""
        sitting = Sitting(self, name)
        sitting.wait_for_prompt()
        return sitting

    def login(self, name: str, code: str) -> str:
        """A whole login; the verdict."""
        sitting = Sitting(self, name)
        sitting.type(code)
        return sitting.verdict()


class Sitting:
    """One pamtester: a person at a prompt."""

    def __init__(self, site: CrowdedSite, name: str, *under: str) -> None:
        """`under`: a program that runs it, with its arguments."""
        self.process = site.machine.start(
            *under,
            *("pamtester", SERVICE, name, "authenticate"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        self.out = b""

    def wait_for_prompt(self) -> None:
        """Return when it asks for a code, and not before."""
        assert self.process.stdout is not None
        while not self.out.endswith(PROMPT):
            ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
            assert ready, self.out
            more = os.read(self.process.stdout.fileno(), 4096)
            assert more, self.out
            self.out += more

    def type(self, code: str) -> None:
        """Type a code; before the prompt, it waits there. Nothing happens when it ends without a prompt."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(code.encode() + b"\n")

    def ended(self) -> str:
        """Wait for its end; all that was on its screen."""
        rest, _ = self.process.communicate(timeout=SECONDS)
        self.out += rest
        return self.out.decode()

    def verdict(self) -> str:
        """Wait for its end; the status that the person was told."""
        return verdict_of(self.process, self.ended())


def verdict_of(process: "subprocess.Popen[bytes]", text: str) -> str:
    """The status that pamtester's exit code and what was on its screen say together."""
    assert (process.returncode == 0) == ("successfully authenticated" in text), (process.returncode, text)
    if process.returncode == 0:
        return "accepted"
    told = [name for name, (_, said, _) in STATUSES.items() if said.rstrip(".").partition(";")[0] in text]
    assert len(told) == 1, text
    return told[0]


@contextmanager
def crowded(crowd: Crowd, folder: Path, *options: str) -> Iterator[CrowdedSite]:
    """A site with the crowd, and its broker running."""
    cli = crowd.copy(folder / "host")
    with Machine(folder / "machine") as machine, Device(cli) as device:
        device.start("--screen", str(folder / "screen"), *options)
        made = CrowdedSite(machine, cli, device)
        made.start()
        try:
            yield made
        finally:
            made.stop()
