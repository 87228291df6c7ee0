# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A small Debian of its own for the package: installed into, and booted with systemd."""

import subprocess
from pathlib import Path
from typing import Self

from tests.cli.support import wait_for
from tests.login.machine import ENVIRONMENT, Machine
from tools.buildlib.paths import DEBIAN_BASE

SCRIPT = Path(__file__).with_name("debian.sh")


class Debian(Machine):
    """build/debian-base.tar, unpacked into memory, in namespaces of its own.

    Of the real machine there is nothing in it but the kernel and the time. Programs are run in it as in a
    Machine.

        with Debian(tmp_path / "debian", boot=True) as debian:
            debian.install(package)
            debian.ok("systemctl", "enable", "--now", "understudyd")
    """

    def __init__(self, folder: Path, *, boot: bool = False, base: Path = DEBIAN_BASE) -> None:
        """`boot`: systemd runs there, and has come up; otherwise no process does. `base`: what is unpacked.
        Takes root."""
        folder.mkdir(parents=True)
        self._boot = boot
        words = ["unshare", "--mount", "--propagation", "private", "sh", str(SCRIPT), "hold"]
        self._holder = subprocess.Popen(
            [*words, str(base), str(folder), "boot" if boot else "rest"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=ENVIRONMENT,
        )
        assert self._holder.stdout is not None
        said = sorted([self._holder.stdout.readline(), self._holder.stdout.readline()])
        if said[1] != b"ready\n":
            self._close()
            raise RuntimeError("a Debian could not be made; what was missing is said on stderr")
        parent = int(said[0])
        self._first = int(Path(f"/proc/{parent}/task/{parent}/children").read_text())

    def __enter__(self) -> Self:
        if self._boot:
            wait_for(self.path("/run/systemd/private").exists)
            state = self.run("systemctl", "is-system-running", "--wait")
            assert state.out == "running\n", (
                state,
                self.run("journalctl", "--boot", "--priority=warning").out,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def path(self, inside: str | Path) -> Path:
        """A file of this machine as the test can open it. (A symbolic link to /... leads outside.)"""
        return Path(f"/proc/{self._first}/root{inside}")

    def command(self, *words: str, user: str = "root") -> list[str]:
        """The command line that runs `words` in this machine as `user`."""
        enter = [
            "nsenter",
            f"--target={self._first}",
            "--mount",
            "--pid",
            "--net",
            "--uts",
            "--ipc",
            "--cgroup",
        ]
        if user != "root":
            enter += ["--", "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return [*enter, "--", *words]

    def saved(self, file: Path) -> Path:
        """Write all its files into a tar file, as they are at this moment: one may go on from there."""
        words = ["tar", "-C", self.path("/"), "--one-file-system", "--numeric-owner"]
        words += ["--format=posix", "-cf", file, "."]  # with the fractions of seconds
        done = subprocess.run(words, capture_output=True, text=True, timeout=300)
        assert done.returncode in (0, 1), done.stderr  # 1: a file, such as a log, was written to meanwhile
        return file

    def copy(self, file: Path) -> str:
        """Put a file into its /tmp; its name there."""
        self.path(f"/tmp/{file.name}").write_bytes(file.read_bytes())
        return f"/tmp/{file.name}"
