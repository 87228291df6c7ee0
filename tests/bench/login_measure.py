# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is measured of a login by pamtester: time, instructions, and what it writes to the host's files."""

import json
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import login_laps
from tests.bench.login_stacks import Stack
from tests.cli.support import SECONDS, Done
from tests.login.machine import Machine

_TRACED = (
    "write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,sendto,sendmsg,connect,"
    "fsync,fdatasync,sync,syncfs,sync_file_range,msync,ftruncate,truncate,fallocate,"
    "open,openat,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat"
)
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_FILE = re.compile(r"\d+<(/[^>]*)>")  # a descriptor, as `strace -y` shows it
_LOG = "/dev/log"


class Failed(Exception):
    """A login did not end as it had to, so nothing was measured."""


def _words(stack: Stack) -> list[str]:
    return ["pamtester", stack.service, stack.user, "authenticate"]


def _check(stack: Stack, right: bool, done: Done) -> None:
    if (done.code == 0) != right:
        raise Failed(f"{stack.service}, {'right' if right else 'wrong'} code: {done}")


class Laps:
    """Times logins, by a process that runs inside the machine and does nothing else."""

    def __init__(self, machine: Machine) -> None:
        self._process = machine.start(
            sys.executable, login_laps.__file__, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Laps":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=SECONDS)

    def time(self, stack: Stack, right: bool) -> int:
        """Nanoseconds from spawn to exit."""
        stack.restore()
        job = json.dumps({"words": _words(stack), "typed": stack.code(right) + "\n"})
        self._process.stdin.write(job + "\n")
        self._process.stdin.flush()
        code, took = json.loads(self._process.stdout.readline())
        _check(stack, right, Done(code, "", ""))
        return took


def instructions(machine: Machine, folder: Path, stack: Stack, right: bool) -> int:
    """Of the PAM process, from its first to its last."""
    stack.restore()
    words = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", *_words(stack)]
    done = machine.run(*words, stdin=stack.code(right) + "\n")
    _check(stack, right, done)
    found = re.search(r"Collected : (\d+)", done.err)
    if found is None:
        raise Failed(f"callgrind: {done.err}")
    return int(found[1])


@dataclass
class Written:
    """What processes did to the host: bytes written to files, syncs, files made, renamed or removed; and
    bytes said to the log."""

    data: int = 0
    syncs: int = 0
    files: int = 0
    logged: int = 0

    @property
    def nothing(self) -> bool:
        """Whether no file was touched; the log is its own."""
        return not (self.data or self.syncs or self.files)

    def read(self, trace: Path, log: str = "") -> None:
        """Add one thread's trace; `log` is a file that stands for the journal."""
        logs = set()  # descriptors that lead to syslog
        for line in trace.read_text().splitlines():
            found = _CALL.match(line)
            if found is None or int(found[3]) < 0:
                continue
            call, arguments, result = found[1], found[2], int(found[3])
            target = arguments.split(", ", 1)[0]
            if call == "connect" and _LOG in arguments:
                logs.add(target)
            elif call == "connect":
                logs.discard(target)
            else:
                self._count(call, arguments, result, target in logs or (log and f"<{log}>" in target))

    def _count(self, call: str, arguments: str, result: int, is_log: bool) -> None:
        path = _FILE.match(arguments)
        if is_log:
            self.logged += result
        elif "sync" in call:
            self.syncs += 1
        elif call.startswith("open"):
            self.files += "O_CREAT" in arguments and "/dev/" not in arguments
        elif "write" in call or call in ("sendfile", "copy_file_range", "splice"):
            self.data += result if path and not path[1].startswith("/dev/") else 0
        elif not call.startswith("send"):
            self.files += 1


def written(machine: Machine, folder: Path, stack: Stack, right: bool) -> Written:
    """By the PAM process and, of ours, the broker."""
    shutil.rmtree(folder / "traces", ignore_errors=True)
    traces = folder / "traces"
    traces.mkdir()
    stack.restore()
    typed = stack.code(right) + "\n"
    with _traced_broker(stack, traces):
        tracer = ["strace", "-ff", "-y", "-s", "0", "-e", f"trace={_TRACED}", "-o", str(traces / "pam")]
        _check(stack, right, machine.run(*tracer, *_words(stack), stdin=typed))
        if stack.served is not None:
            stack.served.broker.status()  # what it had to do for the login is done then
    total = Written()
    for path in traces.iterdir():
        total.read(path, str(stack.served.broker.log) if stack.served else "")
    return total


@contextmanager
def _traced_broker(stack: Stack, traces: Path) -> Iterator[None]:
    if stack.served is None:
        yield
        return
    process = stack.served.broker.process
    tracer = subprocess.Popen(
        ["strace", "-ff", "-y", "-s", "0", "-e", f"trace={_TRACED}", "-o", str(traces / "broker")]
        + ["-p", str(process.pid)],
        stderr=subprocess.PIPE,
    )
    try:
        ready, _, _ = select.select([tracer.stderr], [], [], SECONDS)
        line = tracer.stderr.readline() if ready else b""
        if b"attached" not in line:
            raise Failed(f"strace: {line.decode()}")
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # it lets the broker go on
        tracer.communicate(timeout=SECONDS)
