# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A machine of its own for logins: a mount namespace with users, PAM stacks, sshd, sudo and syslog."""

import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

from tests.cli.support import SECONDS, Done
from tests.cli.terminal import Pty
from tests.login.journal import Journal
from tools.buildlib.paths import BUILD, UNPACKED

SCRIPT = Path(__file__).with_name("namespace.sh")
MODULE = BUILD / "pam/pam_understudy.so"
HOMES = Path("/var/home")  # the project may lie below /home
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "TERM": "xterm",
}


class Machine:
    """A mount namespace in which /etc, /usr, /var, /root, /run and /dev are this machine's own.

    What is written there is kept in memory, and the real machine sees none of it. Everything else (/tmp, the
    project, /proc, the network, process ids, pseudo-terminals) is the same inside and outside, so a test can
    attach to a process by the id it has, and a port that listens inside is reached from outside.

        with Machine(tmp_path / "machine") as machine:
            machine.add_user("alice", "her password", groups=["staff"])
            machine.write("/etc/pam.d/probe", "auth required pam_unix.so\\n")
            machine.install_module()                      # build/pam/pam_understudy.so, where PAM finds it
            machine.run("pamtester", "probe", "alice", "authenticate", stdin="her password\\n")   # -> Done
            with machine.terminal("su", "bob", user="alice") as terminal:    # a person at an xterm of 80x24
                terminal.read_until("Password: ")
                terminal.type("his password")
            machine.journal.wait_for("authentication failure")               # what was said to syslog

    `run` and `start` execute the program itself: its process id is the Popen's, whose end is the program's.
    When the machine is closed, or the test process dies, whatever runs in it ends. It takes root.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` is made, and stays empty for who looks from outside."""
        folder.mkdir(parents=True, exist_ok=True)
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", SCRIPT, UNPACKED, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=ENVIRONMENT,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            self._close()
            raise RuntimeError("a mount namespace could not be made; what was missing is said on stderr")
        try:
            self.journal = Journal(self.path("/dev/log"))
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Self:
        self.journal.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._close()
        finally:
            self.journal.__exit__()

    def _close(self) -> None:
        self._holder.communicate(timeout=SECONDS)

    @property
    def holder(self) -> int:
        """The process that holds the namespace."""
        return self._holder.pid

    def path(self, inside: str | Path) -> Path:
        """A file of this machine as the test can open it. (A symbolic link to /... leads outside.)"""
        return Path(f"/proc/{self._holder.pid}/root{inside}")

    def write(self, inside: str | Path, text: str, mode: int = 0o644, owner: str = "root") -> Path:
        """Write a file of this machine, with the directories that lead there."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        if owner != "root":
            self.ok("chown", f"{owner}:", str(inside))
        return path

    def command(self, *words: str, user: str = "root") -> list[str]:
        """The command line that runs `words` in this machine as `user`, with no process in between."""
        enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--"]
        if user != "root":
            enter += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        return [*enter, *words]

    def environment(self, user: str = "root", **changed: str) -> dict[str, str]:
        """What a program of `user` has in its environment, with some of it `changed`."""
        home = "/root" if user == "root" else str(HOMES / user)
        return {**ENVIRONMENT, "HOME": home, "USER": user, "LOGNAME": user, **changed}

    def start(self, *words: str, user: str = "root", **options: Any) -> subprocess.Popen[Any]:
        """Start a program; pipes, environment and all else as in subprocess.Popen."""
        return subprocess.Popen(
            self.command(*words, user=user), **{"env": self.environment(user), "cwd": "/", **options}
        )

    def run(
        self, *words: str, user: str = "root", stdin: str = "", env: Mapping[str, str] | None = None
    ) -> Done:
        """Run a program without a terminal to its end; `env` is what changes in its environment."""
        ended = subprocess.run(
            self.command(*words, user=user),
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment(user, **(env or {})),
            cwd="/",
            timeout=SECONDS,
            start_new_session=True,  # no terminal, even if the tests have one
        )
        return Done(ended.returncode, ended.stdout, ended.stderr)

    def ok(self, *words: str, **options: Any) -> Done:
        """The same for a program that has to succeed."""
        done = self.run(*words, **options)
        assert done.code == 0, (words, done)
        return done

    def terminal(self, *words: str, user: str = "root", env: Mapping[str, str] | None = None) -> Pty:
        """A program on a terminal of its own, which is its controlling one, as after a login."""
        changed = self.environment(user, **(env or {}))
        return Pty(partial(self.start, "setsid", "--ctty", *words, user=user, env=changed))

    def install_module(self) -> None:
        """Put build/pam/pam_understudy.so where PAM looks for its modules."""
        folder = next(self.path("/usr/lib").glob("*/security/pam_unix.so")).parent
        shutil.copy(MODULE, folder / MODULE.name)

    def add_user(self, name: str, password: str = "", *, groups: tuple[str, ...] = (), uid: int = 0) -> None:
        """A user with a home, a shell and, if one is given, a password. Groups that are missing are made."""
        self.path(HOMES).mkdir(exist_ok=True)
        for group in groups:
            self.ok("groupadd", "--force", group)
        words = ["useradd", "--create-home", "--home-dir", str(HOMES / name), "--shell", "/bin/bash"]
        words += ["--groups", ",".join(groups)] if groups else []
        words += ["--uid", str(uid)] if uid else []
        self.ok(*words, name)
        if password:
            self.set_password(name, password)

    def set_password(self, name: str, password: str) -> None:
        """Give a user of this machine (root, too) another password."""
        words = ["openssl", "passwd", "-6", "-stdin"]
        hashed = subprocess.check_output(words, input=password + "\n", text=True, timeout=SECONDS).strip()
        self.ok("usermod", "--password", hashed, name)
