# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The login's bench runs, and what it counts is what we promise: fewer instructions in the PAM process than
any other checker of codes, and not a byte or a sync on the host's disk."""

import pytest
from tests.bench import login

USERS = 3


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> login.Contest:
    """A run on a small scale."""
    return login.run(tmp_path_factory.mktemp("bench"), (USERS,), 1)


@pytest.mark.parametrize("right", [True, False])
def test_what_a_login_costs(contest: login.Contest, right: bool) -> None:
    ours, *others = [cost for cost in contest.of(right) if cost.stack.name != "pam_permit"]
    assert ours.stack.served is not None and len(others) == 3
    assert contest.costs[0].instructions < ours.instructions < min(cost.instructions for cost in others)
    assert ours.written.nothing, ours.written
    assert ours.written.logged > 0  # so it was looked at: the broker's two lines


def test_the_others_writes_are_seen(contest: login.Contest) -> None:
    assert contest.costs[0].written.nothing
    for cost in contest.of(True)[2:]:
        assert cost.written.data > 90 and cost.written.syncs == 1 and cost.written.files >= 2, cost


def test_the_table(contest: login.Contest, capsys: pytest.CaptureFixture[str]) -> None:
    login.show(contest)
    lines = capsys.readouterr().out.splitlines()
    (baseline,) = [line.split() for line in lines if line.startswith("  pam_permit ")]
    assert baseline[1:3] == ["1.00", "1.00"] and baseline[4:] == ["0", "0", "0", "0"]
    for name in (
        "pam_understudy",
        "pam_oath",
        "pam_google_authenticator",
        "pam_google_authenticator, noskewadj",
    ):
        assert len([line for line in lines if line.startswith(f"  {name}, {USERS} users ")]) >= 2
    assert max(len(line) for line in lines) <= 110
