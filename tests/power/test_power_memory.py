# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Power cuts at every flash operation of every scenario, under CPython."""

import pytest
from tests.power.engine import MemoryEngine
from tests.power.flash import LONG, Tear
from tests.power.scenarios import READ_ONLY, SCENARIOS, Scenario
from tests.power.sweep import chain, check_image, prepared, record, sweep

from understudy_device.protocol import COMMANDS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_cut(scenario: Scenario) -> None:
    print(scenario.name, sweep(scenario, MemoryEngine(), LONG, seeds=(1, 2, 3, 4)))


@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in SCENARIOS if scenario.writes and scenario.kept],
    ids=lambda scenario: scenario.name,
)
def test_an_answer_that_was_not_kept_is_noticed(scenario: Scenario) -> None:
    """The checks can fail: on what stood there before the request, the device is not as it has answered."""
    run = record(scenario, MemoryEngine())
    for image in (run.image, prepared(scenario).image):
        with pytest.raises(AssertionError, match="was answered|the audit log"):
            check_image(MemoryEngine(), image, run.answered, scenario.aspects, scenario.users)


CLEANING = [scenario for scenario in SCENARIOS if scenario.until_cleaning]


@pytest.mark.parametrize("tear", ["first", "middle", "half", "tail", "rest"])
@pytest.mark.parametrize("scenario", CLEANING, ids=lambda scenario: scenario.name)
def test_cuts_in_a_row_at_the_same_place(scenario: Scenario, tear: Tear) -> None:
    """A brown-out that comes back with each start must not use the flash up."""
    for index in range(len(record(scenario, MemoryEngine()).ops)):
        chain(scenario, index, tear, 6)


def test_every_command_that_writes_has_a_scenario() -> None:
    """A new command comes with its model and its cuts, or is said to keep nothing on flash."""
    # A factory reset is a state of the flash, and not of the vault: tests/unit/test_reset.py cuts it.
    assert set(COMMANDS) - READ_ONLY - {"factory_reset"} == {scenario.act.cmd for scenario in SCENARIOS} - {
        "hello",
        "tidy",
    }
