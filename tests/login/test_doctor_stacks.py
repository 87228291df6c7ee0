# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Stacks at random: the doctor works through them to the same end as the real libpam does."""

import ctypes
import os
import random
from pathlib import Path

from understudy.doctor.findings import Host
from understudy.doctor.rehearse_pam import Conversation, Converse, library
from understudy.doctor.stacks import SUCCESS, Entry, read_stack, work

CODES = (SUCCESS, "auth_err", "ignore", "maxtries", "user_unknown", "new_authtok_reqd")
CONTROLS = (
    "required",
    "requisite",
    "sufficient",
    "optional",
    "[success=1 default=ignore]",
    "[success=2 ignore=1 default=bad]",
    "[default=die]",
    "[success=done default=ignore]",
    "[success=ok auth_err=reset default=ignore]",
    "[success=ok maxtries=1]",
)
STACKS = 600
SILENCE = Converse(lambda count, messages, responses, data: 0)


def stack(random_: random.Random, folder: Path, name: str, depth: int) -> None:
    """Write a random service, with substacks and includes of its own."""
    lines = []
    for number in range(random_.randint(1, 5)):
        if depth and random_.random() < 0.25:
            below = f"{name}-{number}"
            stack(random_, folder, below, depth - 1)
            lines.append(f"auth {random_.choice(('substack', 'include'))} {folder / below}")
        else:
            control, code = random_.choice(CONTROLS), random_.choice(CODES)
            lines.append(f"auth {control} pam_debug.so auth={code}")
    (folder / name).write_text("\n".join(lines) + "\n")


def said(entry: Entry) -> str:
    """What pam_debug is told to return."""
    return entry.arguments[0].removeprefix("auth=")


def test_the_doctor_and_libpam_come_to_the_same_end(tmp_path: Path) -> None:
    libpam = library()
    assert libpam is not None
    seed = os.environ.get("UNDERSTUDY_STACKS_SEED", "1")
    random_, host, let_in = random.Random(seed), Host(), 0
    for number in range(STACKS):
        name = f"s{number}"
        stack(random_, tmp_path, name, 2)
        handle = ctypes.c_void_p()
        conversation = Conversation(SILENCE, None)
        words = name.encode(), b"alice", ctypes.byref(conversation), str(tmp_path).encode()
        assert libpam.pam_start_confdir(*words, ctypes.byref(handle)) == 0
        real = libpam.pam_authenticate(handle, 0)
        libpam.pam_end(handle, real)
        ours = work(read_stack(host, str(tmp_path / name), "auth"), said).status
        assert (ours == SUCCESS) == (real == 0), (seed, name, ours, real, files(tmp_path, name))
        let_in += real == 0
    assert STACKS // 20 < let_in < STACKS // 20 * 19


def files(folder: Path, name: str) -> str:
    """The stack, to be looked at."""
    return "\n".join(f"{one.name}:\n{one.read_text()}" for one in sorted(folder.glob(f"{name}*")))
