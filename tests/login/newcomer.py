# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A machine on which nothing is set up yet, with a new device, and what `understudy setup` makes of it."""

import hashlib
import json
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.cli.support import SECONDS, SECRET, Cli, Done, code, wait_for
from tests.login.machine import Machine
from tests.login.person import answered
from tests.login.site import CONFIG, PASSWORD, SOCKET, Device
from tests.login.sshd import Sshd
from tools.buildlib.paths import UNPACKED

USER = "alice"
PROGRAM = "/usr/local/bin/understudy"
ROLLED_BACK = 4
TYPED = ("Password: ", PASSWORD)
SHIPPED = ("password: ", PASSWORD)  # as sshd asks by itself
STACK = Path("/etc/pam.d/sshd")
DROP_IN = Path("/etc/ssh/sshd_config.d/00-understudy.conf")
FOLDER = Path("/var/lib/understudy-setup")
PENDING = FOLDER / "pending.json"
KEY = "/var/lib/understudy"  # the broker's, which stays
PLACES = ("/etc", "/var/lib", "/var/cache/debconf", "/usr/share/pam-configs")
ANSWERS = {
    "user": USER,
    "enrol": "import",
    "secret_file": "/root/secret",
    "compare": False,
    "confirm_within": 600,
}
UNIT = (  # what the broker's unit lets it do, of what matters here
    "setpriv",
    "--reuid=understudy",
    "--regid=understudy",
    "--init-groups",
    # In a home of mode 0700 it could not read its own program; installed it lies in /usr.
    "--inh-caps=+dac_read_search",
    "--ambient-caps=+dac_read_search",
    "--",
)


class Newcomer:
    """`machine` with sshd, users, the module and the broker's user, as the package leaves it."""

    def __init__(self, machine: Machine, cli: Cli, device: Device) -> None:
        self.machine, self.cli, self.device = machine, cli, device
        machine.install_module()
        machine.ok("useradd", "--system", "--no-create-home", "understudy")
        machine.add_user(USER, PASSWORD)
        machine.write("/etc/sudoers.d/alice", f"{USER} ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
        words = shlex.join([sys.executable, "-m", "understudy"])
        port = shlex.quote(device.port)
        machine.write(PROGRAM, f'#!/bin/sh\nUNDERSTUDY_PORT={port} exec {words} "$@"\n', mode=0o755)
        machine.write("/root/secret", SECRET + "\n", mode=0o600)
        self.log = machine.path("/var/log/understudyd")
        self.broker: subprocess.Popen[Any] | None = None
        self.process: subprocess.Popen[str] | None = None
        self.sshd: Sshd | None = None
        self._starts = 1

    def answer(self, **changed: object) -> str:
        """A file of answers, ANSWERS with some `changed`; None leaves one out."""
        pairs = {**ANSWERS, **changed}
        lines = [f"{name} = {_toml(value)}\n" for name, value in pairs.items() if value is not None]
        self.machine.write("/root/answers.toml", "".join(lines), mode=0o600)
        return "/root/answers.toml"

    def run(self, *words: str, **options: Any) -> Done:
        """`understudy ...` to its end."""
        return self.machine.run(PROGRAM, *words, **options)

    def start(self, by: str = "root", **changed: object) -> "subprocess.Popen[str]":
        """`understudy setup` with answers, `by` root or by sudo; its stderr is /var/log/setup."""
        self._close()
        self.said = self.machine.path("/var/log/setup")
        with self.said.open("w") as said:
            self.process = self.machine.start(
                *(() if by == "root" else ("sudo",)),
                *(PROGRAM, "setup", "--answers", self.answer(**changed)),
                user=by,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        return self.process

    def _close(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.kill()
            self.process.wait(SECONDS)
            self.process.stdout.close()

    def wait_until(self, words: str) -> None:
        """Until the set-up has said it."""

        def has_said() -> bool:
            assert self.process is not None
            text = self.said.read_text()
            assert words in text or self.process.poll() is None, text
            return words in text

        wait_for(has_said)

    def serve(self) -> None:
        """Start the broker as its units would: with a socket that root has made, as its own user."""
        if self.broker is None:
            os.chown(os.path.realpath(self.device.port), self._uid(), -1)  # as the udev rule lets its group
            socket = self.machine.path(SOCKET)
            socket.parent.mkdir(mode=0o755, exist_ok=True)
            listening = ("systemd-socket-activate", f"--listen={SOCKET}", *UNIT)
            with self.log.open("ab") as log:
                self.broker = self.machine.start(
                    *(*listening, sys.executable, "-m", "understudy", "serve", "--config", str(CONFIG)),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            wait_for(socket.exists)
            socket.chmod(0o666)

    def _uid(self) -> int:
        return int(self.machine.ok("id", "-u", "understudy").out)

    def watchers(self) -> list[int]:
        """The processes of this machine that watch over a set-up."""
        here = os.readlink(f"/proc/{self.machine.holder}/ns/mnt")
        found = []
        for one in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (one / "cmdline").read_bytes().split(b"\0")
                if b"--watch" in words and os.readlink(one / "ns/mnt") == here:
                    found.append(int(one.name))
        return found

    def switched_on(self, **changed: Any) -> "subprocess.Popen[str]":
        """Run `understudy setup` to where it waits for the confirmation."""
        process = self.start(**changed)
        self.wait_until("start the broker now" if self.broker is None else "8/8")
        self.serve()
        self.wait_until("setup --confirm")
        self.sshd_is_told()
        return process

    def sshd_is_told(self) -> None:
        """Wait until sshd, which was told to read its configuration once more, listens again."""
        if self.sshd is not None:
            self._starts += 1
            wait_for(lambda: self.sshd is not None and self.sshd.starts() >= self._starts)

    def let_time_run_out(self) -> None:
        """Have the wait for the confirmation be over, however slow or fast the machine is."""
        time_is_up(self.machine)

    def undo(self, *words: str) -> Done:
        """`understudy setup --undo`."""
        done = self.run("setup", "--undo", "--yes", *words)
        self.sshd_is_told()
        return done

    def rolled_back(self) -> Done:
        """How `understudy setup` ended, which has taken itself back."""
        done = self.ended()
        self.sshd_is_told()
        assert done.code == ROLLED_BACK, done
        return done

    def ended(self) -> Done:
        """How `understudy setup` ended."""
        assert self.process is not None
        out, _ = self.process.communicate(timeout=SECONDS)
        return Done(self.process.returncode, out, self.said.read_text())

    def stop(self) -> None:
        """End the broker, and the set-up if it still runs."""
        self._close()
        if self.broker is not None:
            self.broker.terminate()
            self.broker.wait(SECONDS)
            self.broker = None
            assert "Traceback" not in self.log.read_text(), self.log.read_text()

    def files(self) -> dict[str, tuple[object, ...]]:
        """Every file where a set-up may write: kind and mode, owner, group, content. Keys are left out, and
        what a login writes anyway."""
        return {
            path: about
            for place in PLACES
            for path, about in walked(self.machine.path("/"), place)
            if path != KEY and not path.startswith(KEY + "/")
        }


def walked(root: Path, place: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """All below a folder."""
    for folder, names, files in os.walk(root / place.lstrip("/")):
        for name in (*names, *files):
            path = Path(folder) / name
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                content: object = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = (status.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            else:
                content = None
            yield "/" + str(path.relative_to(root)), (status.st_mode, status.st_uid, status.st_gid, content)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def number(steps: int = 0) -> str:
    """The first user's code."""
    return code(steps, interval=30)


@contextmanager
def newcomer(folder: Path) -> Iterator[Newcomer]:
    """A Newcomer with a new device that has power, and Debian's PAM stack of sshd."""
    cli = Cli(folder / "host")
    with Machine(folder / "machine") as machine, Device(cli) as device:
        device.start()
        made = Newcomer(machine, cli, device)
        machine.write(STACK, (UNPACKED / "etc/pam.d/sshd").read_text())
        try:
            yield made
        finally:
            made.stop()


def time_is_up(machine: Machine) -> None:
    """Write into the note of what is waited for that its time is over."""
    path = machine.path(PENDING)
    fresh = path.with_name("changed")
    fresh.write_text(json.dumps({**json.loads(path.read_text()), "until": 0.0}))
    fresh.replace(path)


def confirm(sshd: Sshd, typed: str, *before: tuple[str, str]) -> Done:
    """Log in anew by ssh, with a code, and confirm there."""
    terminal = sshd.ssh(USER, "sudo", PROGRAM, "setup", "--confirm")
    return answered(terminal, (*before, ("Code: ", typed)))
