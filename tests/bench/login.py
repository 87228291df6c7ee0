# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`make bench-login`: what a login costs the host, beside what else checks one-time codes for PAM.

pamtester logs the last of so many users in, through stacks with one module each, taken in turn. Ours asks a
real broker, and that a device process under CPython, whose flash is a file on the same disk as the others'
files: what the device writes there is not the host's, and not counted. It takes root, for a mount namespace
of its own.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(ROOT),
    *(str(ROOT / name) for name in ("firmware", "build/firmware-packages", "tests/unit")),
]

from tests.bench.login_measure import Laps, Written, instructions, written  # noqa: E402
from tests.bench.login_ours import MOST, served  # noqa: E402
from tests.bench.login_stacks import Authenticator, AuthenticatorNoSkew, Oath, Stack, Understudy  # noqa: E402
from tests.login.machine import Machine  # noqa: E402

SIZES = (1, 1000, 10000)
ROUNDS = 41
WARM_UPS = 2


@dataclass
class Cost:
    """Of the logins through one stack with right codes, or with wrong ones."""

    stack: Stack
    right: bool
    times: list[int] = field(default_factory=list)  # ns
    instructions: int = 0
    written: Written = field(default_factory=Written)

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.times) / 1e6

    @property
    def least(self) -> float:
        """Milliseconds; what the machine did besides shows least in it."""
        return min(self.times) / 1e6


class Contest:
    """All stacks on one machine, and what their logins cost."""

    def __init__(self, machine: Machine, folder: Path, stacks: Sequence[Stack]) -> None:
        """The first of the stacks is the baseline."""
        self._machine, self._folder, self.stacks = machine, folder, stacks
        self.costs = [Cost(stack, True) for stack in stacks] + [Cost(stack, False) for stack in stacks[1:]]
        self.cpu: dict[str, tuple[float, float]] = {}  # service: ms a login of the broker, and of the device
        for stack in stacks:
            stack.install(machine)

    def count(self) -> None:
        """Instructions and writes: they are the same every time."""
        for cost in self.costs:
            cost.instructions = instructions(self._machine, self._folder, cost.stack, cost.right)
            cost.written = written(self._machine, self._folder, cost.stack, cost.right)

    def time(self, rounds: int) -> None:
        """Seconds, in turn; the first rounds don't count."""
        ours = [stack for stack in self.stacks if stack.served is not None]
        before = [stack.served.cpu() for stack in ours]
        with Laps(self._machine) as laps:
            for at in range(rounds + WARM_UPS):
                for cost in self.costs:
                    took = laps.time(cost.stack, cost.right)
                    if at >= WARM_UPS:
                        cost.times.append(took)
        logins = 2 * (rounds + WARM_UPS)
        for stack, then in zip(ours, before, strict=True):
            spent = zip(stack.served.cpu(), then, strict=True)
            self.cpu[stack.service] = tuple((now - was) / logins * 1000 for now, was in spent)

    def of(self, right: bool) -> list[Cost]:
        """The costs with right codes, the baseline's first, or with wrong ones."""
        return [cost for cost in self.costs if cost.right == right]


def run(folder: Path, sizes: Sequence[int], rounds: int) -> Contest:
    """Set everything up below `folder`, and measure."""
    with ExitStack() as stack, Machine(folder / "machine") as machine:
        machine.install_module()
        stacks = [Stack(1)]
        for users in sizes:
            device = stack.enter_context(served(folder / f"device-{users}", min(users, MOST)))
            stacks += [
                Understudy(device, users),
                Oath(folder, users),
                Authenticator(folder, users),
                AuthenticatorNoSkew(folder, users),
            ]
        contest = Contest(machine, folder, stacks)
        contest.count()
        contest.time(rounds)
        return contest


_HEADING = """\
one login by pamtester, %d times, in turn
  time, least: median and minimum as ratios to pam_permit's %.2f and %.2f ms
  instructions: of the PAM process, by callgrind, and how many more than pam_permit's
  written, syncs: bytes and fsyncs of files on the host, by the PAM process and the broker
  log: bytes for the journal
"""
_COLUMNS = "%-50s %5s %5s %12s %9s %7s %5s %5s"
_ROW = "  %-48s %5.2f %5.2f %12d %9d %7d %5d %5d"


def _users(count: int) -> str:
    return "1 user" if count == 1 else f"{count} users"


def _row(cost: Cost, base: Cost) -> str:
    name = cost.stack.name
    if cost.stack is not base.stack:
        name += f", {_users(cost.stack.users)}"
    wrote, more = cost.written, cost.instructions - base.instructions
    times = (cost.median / base.median, cost.least / base.least)
    return _ROW % (name, *times, cost.instructions, more, wrote.data, wrote.syncs, wrote.logged)


def show(contest: Contest) -> None:
    """Print the table."""
    base = contest.costs[0]
    print(_HEADING % (len(base.times), base.median, base.least))
    for right, title in ((True, "a right code"), (False, "a wrong code")):
        print(_COLUMNS % (title, "time", "least", "instructions", "more", "written", "syncs", "log"))
        for cost in contest.of(right):
            print(_row(cost, base))
        print()
    print("CPU time a login, ms, right and wrong codes")
    for stack in contest.stacks:
        if stack.service in contest.cpu:
            spent = contest.cpu[stack.service]
            print("  pam_understudy, %-32s %5.2f the broker, %.2f the device" % (_users(stack.users), *spent))


def main() -> None:
    """All of `make bench-login`."""
    if os.geteuid() != 0:
        raise SystemExit("The login's bench takes root, for a mount namespace of its own.")
    with suppress(PermissionError):  # as in a container
        # Before everything else on the machine, so that the times are disturbed as little as can be.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="bench-login-") as folder:
        show(run(Path(folder), SIZES, ROUNDS))


if __name__ == "__main__":
    main()
