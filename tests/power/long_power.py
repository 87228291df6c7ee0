# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`make test-power-long`: power cuts in other random workloads at every run, until the time is up; and every
scenario on the emulated Pico. Not collected by `make test`, for its name."""

import os
import time

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.power.engine import MemoryEngine
from tests.power.flash import LONG, SHORT
from tests.power.machine import FaultMachine, PowerMachine
from tests.power.pico_engine import PicoEngine
from tests.power.scenarios import SCENARIOS, Scenario
from tests.power.sweep import record, sweep

SECONDS = float(os.environ.get("UNDERSTUDY_POWER_SECONDS", "900"))
OTHERS = settings(
    max_examples=200,
    stateful_step_count=80,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(SECONDS + 3600)
@pytest.mark.parametrize("machine", [PowerMachine, FaultMachine])
def test_random_workloads(machine: type[PowerMachine], capsys: pytest.CaptureFixture[str]) -> None:
    machine.tears = LONG
    end = time.monotonic() + SECONDS / 2
    try:
        while time.monotonic() < end:
            run_state_machine_as_test(machine, settings=OTHERS)
    finally:
        with capsys.disabled():
            print(f"\n{machine.report()}")


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_cut_on_the_pico(
    pico: PicoEngine, scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    run = record(scenario, pico)
    same = record(scenario, MemoryEngine())
    assert (run.image, run.ops) == (same.image, same.ops)
    count = sweep(scenario, pico, SHORT, run=run)
    with capsys.disabled():
        print(f"\n{scenario.name}: {count} cuts on the emulated Pico")
