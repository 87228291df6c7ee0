# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A login killed at each of its system calls, and the broker at each of its own during a login.

strace(1) sends the signal as the process enters the call, which then does not happen: killed before each
call, it was killed after each, too. A module that keeps files leaves locks or copies of secrets behind here.
"""

import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.support import SECONDS, wait_for
from tests.login.crowd import CrowdedSite, Person, Sitting, people

from understudy.broker_client import status as broker_status
from understudy_device.errors import NoBroker

_CALL = re.compile(r"\d+ +(\w+)\(")
_MEMORY = {"mmap", "munmap", "mprotect", "brk"}  # nobody else sees these
# What the broker does with a client, its threads, its journal and the device.
_BROKER_CALLS = ("accept4", "recvfrom", "sendto", "write", "read", "close", "pselect6", "epoll_ctl")


def tree(busy: CrowdedSite, folder: Path) -> set[tuple[str, int, int]]:
    """(path, mode, owner) of every file that the machine has changed, or the device and the broker have."""
    found = set()
    changed = [busy.machine.path(folder / "machine" / name) for name in ("etc", "usr", "var", "dev/shm")]
    for root in (*changed, busy.machine.path("/run"), busy.cli.folder):
        for path in (root, *root.rglob("*")):
            status = path.lstat()
            found.add((str(path), status.st_mode, status.st_uid))
    return found


def check_nobody_suffers(busy: CrowdedSite, victim: Person, other: Person, code: str) -> None:
    """`code` is used up at most, and everybody gets in."""
    assert busy.login(victim.name, code) in ("accepted", "replayed")
    assert busy.login(victim.name, code) == "replayed"
    for one in (victim, other):
        assert busy.login(one.name, one.fresh()) == "accepted"


# The login.


def points(trace: Path) -> list[tuple[str, int]]:
    """(name, which one of this name) of each call from the first that the module makes to the end."""
    seen = Counter[str]()
    found: list[tuple[str, int]] = []
    for line in trace.read_text().splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        seen[match[1]] += 1
        if (found or "socket(AF_UNIX" in line) and match[1] not in _MEMORY:
            found.append((match[1], seen[match[1]]))
    return found


def test_a_login_killed_at_each_call(busy: CrowdedSite, tmp_path: Path) -> None:
    victim, other = people(2)
    trace = tmp_path / "trace"
    whole = Sitting(busy, victim.name, "strace", "-f", "-o", str(trace))
    whole.type(victim.fresh())
    assert whole.verdict() == "accepted"
    killed_at = points(trace)
    assert {"connect", "sendto", "poll", "recvfrom", "read", "write", "close"} <= {n for n, _ in killed_at}
    trace.unlink()
    before = tree(busy, tmp_path)
    for name, number in killed_at:
        code = victim.fresh()
        inject = f"inject={name}:signal=KILL:when={number}"
        sitting = Sitting(busy, victim.name, "strace", "-f", "-o", "/dev/null", "-e", inject)
        sitting.type(code)
        sitting.ended()
        assert sitting.process.returncode == -signal.SIGKILL, (name, number, sitting.out)
        assert tree(busy, tmp_path) == before, (name, number)
        check_nobody_suffers(busy, victim, other, code)


# The broker.


@contextmanager
def killing(pid: int, name: str, number: int) -> Iterator[None]:
    """The process will be killed when one of its threads makes its `number`-th call `name` from here on."""
    words = ["strace", "-f", "-o", "/dev/null", "-p", str(pid)]
    words += ["-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}"]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as tracer:
        try:
            assert tracer.stderr is not None and b"attached" in tracer.stderr.readline()
            yield
        finally:
            tracer.kill()  # by SIGTERM it would wait for a thread that it holds itself, now and then
            tracer.communicate(timeout=SECONDS)


def is_dead(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it was killed; a tracer may hold a thread of it, and then it can't be waited for yet."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def answers(busy: CrowdedSite) -> bool:
    """Whether the broker is alive."""
    try:
        return bool(broker_status(busy.socket))
    except NoBroker:
        return False


def login_while_killing(busy: CrowdedSite, person: Person, code: str, name: str, number: int) -> bool:
    """A login that gets in, the broker killed meanwhile and started again; False: it did not come to that."""
    assert busy.process is not None
    broker = busy.process
    with killing(broker.pid, name, number):
        sitting = Sitting(busy, person.name)
        sitting.type(code)
        wait_for(lambda: is_dead(broker) or sitting.process.poll() is not None)
    was_killed = not answers(busy)  # perhaps only after the login's end
    if was_killed:
        wait_for(lambda: is_dead(broker))
        busy.restart()
    assert sitting.verdict() == "accepted", (name, number)
    return was_killed


@pytest.mark.parametrize("name", _BROKER_CALLS)
def test_a_broker_killed_at_each_call(busy: CrowdedSite, tmp_path: Path, name: str) -> None:
    """The login goes on with the next broker, and gets the verdict of the device's one and only judgement."""
    victim, other = people(2)
    before = tree(busy, tmp_path)
    number, was_killed = 0, True
    while was_killed:
        number += 1
        code = victim.fresh()
        was_killed = login_while_killing(busy, victim, code, name, number)
        assert busy.login(victim.name, code) == "replayed", (name, number)
        check_nobody_suffers(busy, victim, other, code)
        assert tree(busy, tmp_path) == before, (name, number)
    assert number > 1
