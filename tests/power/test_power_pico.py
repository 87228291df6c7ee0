# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Power cuts at every flash operation of the main scenarios, in the real image on the emulated Pico."""

from pathlib import Path

import pytest
from pico_session import PicoSession
from tests.device.conftest import find_image
from tests.power.checks import opened, told
from tests.power.engine import MemoryEngine, PowerFailed
from tests.power.flash import SHORT, Tear, apply, cuts
from tests.power.pico_engine import PicoEngine
from tests.power.scenarios import SCENARIOS, Scenario
from tests.power.sweep import check_image, prepared, record, sweep

from parts import Host
from understudy.simulator.flash_layout import FS_SIZE, FS_START

# "half" of a page seldom is any of the record; what is done and never answered is the "none" of the next one,
# and every other tear is tried under CPython on the very same operations.
TEARS: tuple[Tear, ...] = ("none", "middle")
MAIN = [scenario for scenario in SCENARIOS if scenario.main]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", MAIN, ids=lambda scenario: scenario.name)
def test_every_cut(pico: PicoEngine, scenario: Scenario) -> None:
    run = record(scenario, pico)
    # So all that is tried under CPython, at a hundredth of the cost, is tried for the Pico as well.
    same = record(scenario, MemoryEngine())
    assert (run.image, run.ops) == (same.image, same.ops)
    sweep(scenario, pico, TEARS, thorough=False, run=run)


@pytest.mark.parametrize(
    ("name", "index", "tear"),
    [
        ("claim", 1, "half"),
        ("verify accepted", 0, "none"),
        ("remove", 0, "half"),
        ("cleaning, in a verify", 1, "all"),
        ("cleaning, in a verify", -1, "half"),
    ],
)
def test_a_cut_that_was_made_up_is_like_a_true_one(
    pico: PicoEngine, name: str, index: int, tear: Tear
) -> None:
    scenario, start = BY_NAME[name], prepared(BY_NAME[name])
    run = record(scenario, MemoryEngine())
    index %= len(run.ops)
    belief = start.belief.copy()
    belief.restart()
    device = pico.start(start.image, belief.world)
    told(device, belief, [*opened(belief, frozenset()), *scenario.before])
    device.cut_at(index, tear)
    with pytest.raises(PowerFailed):
        device.ask([scenario.act])
    image = device.image()
    device.off()

    made_up = run.image
    for op in run.ops[:index]:
        made_up = apply(made_up, op)
    op = run.ops[index]
    assert image == apply(made_up, op, op.left(tear))


def test_a_start_from_the_first_instruction_is_like_one_from_the_imports_on(bare_image: Path) -> None:
    scenario = BY_NAME["verify accepted"]
    run = record(scenario, MemoryEngine())
    torn = [cut for cut in cuts(run.image, run.ops, SHORT) if cut.tear == "middle"][0]
    with PicoEngine(bare_image, cold=True) as cold:
        check_image(cold, torn.image, run.cut)
        again = record(scenario, cold)
    assert (again.image, again.ops) == (run.image, run.ops)


@pytest.mark.parametrize(
    ("name", "index", "state"),
    [("claim", 0, "unclaimed"), ("remove", 0, "sealed"), ("cleaning, in a verify", -1, "sealed")],
)
def test_the_device_itself_starts_after_a_cut(name: str, index: int, state: str) -> None:
    """main.py on the image that is shipped, the whole region and all, up to its hello."""
    run = record(BY_NAME[name], MemoryEngine())
    index %= len(run.ops)
    torn = [cut for cut in cuts(run.image, run.ops, ("half", "middle")) if cut.index == index][-1]
    flash = b"\xff" * FS_START + torn.image
    session = PicoSession(find_image("rpi_pico"), flash + b"\xff" * (FS_START + FS_SIZE - len(flash)))
    assert Host().hello(session)["state"] == state
