# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Random workloads with power cuts, the same ones in every run; `make test-power-long` takes others."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.power.machine import FaultMachine, PowerMachine

SAME = settings(
    max_examples=15,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    database=None,
    # Shrinking takes minutes; `make test-power-long` does it.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


@pytest.mark.parametrize("machine", [PowerMachine, FaultMachine])
def test_random_workloads(machine: type[PowerMachine]) -> None:
    run_state_machine_as_test(machine, settings=SAME)
    print(machine.report())
    assert machine.cuts > 100
