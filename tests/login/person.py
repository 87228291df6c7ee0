# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a person does at a login: types at prompts, and is let in or not."""

from collections.abc import Sequence

from tests.cli.support import Done
from tests.cli.terminal import Pty
from tests.login.site import PASSWORD
from tests.login.sshd import Sshd

INSIDE = "I am in"


def answered(terminal: Pty, typed: Sequence[tuple[str, str]]) -> Done:
    """Type at each prompt what comes with it: exit code, and what was on the screen."""
    with terminal:
        for prompt, answer in typed:
            terminal.read_until(prompt)
            terminal.type(answer)
        return Done(terminal.wait(), terminal.text, "")


def tried(sshd: Sshd, name: str, *typed: tuple[str, str]) -> Done:
    """One ssh by `name`, who types at each prompt what comes with it: exit code, and the screen."""
    return answered(sshd.ssh(name, "echo", INSIDE), typed)


def by_password(sshd: Sshd, name: str, typed: str) -> Done:
    """One ssh with the right password, and a code."""
    return tried(sshd, name, ("Password: ", PASSWORD), ("Code: ", typed))


def let_in(done: Done) -> bool:
    """Whether that was a login; neither way may leave a doubt."""
    assert (done.code == 0) == (f"{INSIDE}\n" in done.out), done
    return done.code == 0
