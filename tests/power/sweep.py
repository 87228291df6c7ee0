# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Power cuts at every flash operation of one request, torn in every way."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, reduce

from tests.power.belief import Belief
from tests.power.checks import ALL, Aspects, check, opened, shown, told
from tests.power.engine import Engine, MemoryDevice, MemoryEngine, PowerFailed, Running
from tests.power.flash import SHORT, Cut, Op, Tear, apply, cuts
from tests.power.requests import Request
from tests.power.scenarios import FILLING, Broken, Scenario

from understudy.simulator.flash_layout import SECTOR

_MOST_FILLING = 400  # requests


@dataclass(frozen=True)
class Start:
    """Where a scenario's last power-up begins."""

    image: bytes
    belief: Belief  # not restarted yet


@dataclass(frozen=True)
class Run:
    """One run of a scenario that nothing has cut."""

    image: bytes  # when `act` was asked
    ops: list[Op]  # that `act` has made
    act: Request
    answered: Belief  # after its answer
    cut: Belief  # when it was asked and never answered


@cache
def prepared(scenario: Scenario) -> Start:
    """The region and the belief after `scenario.prepare`, made under CPython; don't change them."""
    belief = Belief()
    device = MemoryEngine().start(b"\xff" * (scenario.sectors * SECTOR), belief.world)
    for step in scenario.prepare:
        if isinstance(step, Broken):
            device = _break(device, belief, step)
        else:
            told_all(device, belief, [step])
    if scenario.until_cleaning:
        return _until_cleaning(scenario, device, belief)
    return Start(device.image(), belief)


def _break(device: MemoryDevice, belief: Belief, step: Broken) -> MemoryDevice:
    """Cut the power and start again."""
    device.cut_at(step.index, "none")
    try:
        device.ask([step.request])
        raise AssertionError(f"{step} makes fewer operations")
    except PowerFailed:
        belief.unsure(step.request)
    belief.restart()
    device = MemoryEngine().start(device.image(), belief.world)
    told(device, belief, [*opened(belief), *shown(belief)])
    return device


def _until_cleaning(scenario: Scenario, device: MemoryDevice, belief: Belief) -> Start:
    """Fill the flash until `scenario.act` has a sector to clean."""
    for count in range(_MOST_FILLING):
        start = Start(device.image(), belief.copy())
        if any(op.kind == "erase" for op in record(scenario, MemoryEngine(), start).ops):
            return start
        told(device, belief, [FILLING[count % len(FILLING)]])
    raise AssertionError("there is never a sector to clean")


def record(scenario: Scenario, engine: Engine, start: Start | None = None, wanted: str | None = "") -> Run:
    """Run it without a cut. `wanted`: the status it has to have, None for any that the model allows."""
    start = start or prepared(scenario)
    belief = start.belief.copy()
    belief.world.rtc = scenario.rtc
    belief.restart()
    device = engine.start(start.image, belief.world)
    if not scenario.sealed:
        told(device, belief, opened(belief, frozenset()))
    told_all(device, belief, scenario.before)
    device.take_ops()
    image, cut, act = device.image(), belief.copy(), belief.resolved(scenario.act)
    (reply,) = device.ask([act])
    cut.unsure(act)
    belief.tell(act, reply)
    if wanted is not None:
        assert reply["status"] == (wanted or scenario.status), f"{act} was answered {reply}"
    ops = device.take_ops()
    device.off()
    return Run(image, ops, act, belief, cut)


def told_all(device: Running, belief: Belief, requests: Sequence[Request]) -> None:
    """As `told`, one by one: what a request says may be known by the answer before it."""
    for request in requests:
        told(device, belief, [belief.resolved(request)])


def check_image(
    engine: Engine,
    image: bytes,
    belief: Belief,
    aspects: Aspects = ALL,
    users: Sequence[str] | None = None,
    again: Sequence[Request] = (),
) -> Belief:
    """Power up on `image` and check; returns what is known then. `belief` stays as it is."""
    belief = belief.copy()
    belief.restart()
    device = engine.start(image, belief.world)
    check(device, belief, aspects, users, again)
    device.off()
    return belief


def sweep(
    scenario: Scenario,
    engine: Engine,
    tears: Sequence[Tear] = SHORT,
    seeds: Sequence[int] = (1,),
    *,
    thorough: bool = True,
    run: Run | None = None,
) -> int:
    """Check the scenario after its answer and after every cut.

    :param thorough: all that can be asked, twice with a restart between; else what the scenario is about
    :param run: of this scenario, if it was recorded already
    :return: how many cuts
    """
    run = run or record(scenario, engine)
    assert bool(run.ops) == scenario.writes, f"{scenario.name} makes {len(run.ops)} flash operations"
    ways = list(cuts(run.image, run.ops, tears, seeds))
    for cut in ways:
        _judge(scenario, engine, cut, run, run.cut, thorough)
    # The power goes right after the answer.
    end = Cut(len(run.ops), "none", 0, reduce(apply, run.ops, run.image))
    _judge(scenario, engine, end, run, run.answered, thorough)
    return len(ways)


def _judge(scenario: Scenario, engine: Engine, cut: Cut, run: Run, belief: Belief, thorough: bool) -> None:
    again = [run.act] if run.act.id else []
    try:
        if thorough:
            check_twice(engine, cut.image, belief, scenario.after, again)
        else:
            check_image(engine, cut.image, belief, scenario.aspects, scenario.users, again)
    except AssertionError as error:
        raise AssertionError(f"{scenario.name}, {cut}: {error}") from error


def chain(scenario: Scenario, index: int, tear: Tear, length: int) -> None:
    """Cut the same request in each of `length` power-ups, in operation `index` or its last; then not."""
    start = prepared(scenario)
    image, belief, engine = start.image, start.belief, MemoryEngine()
    for _ in range(length):
        run = record(scenario, engine, Start(image, belief), wanted=None)
        if not run.ops:  # all of it was done before
            break
        at = min(index, len(run.ops) - 1)
        op = run.ops[at]
        image = apply(reduce(apply, run.ops[:at], run.image), op, op.left(tear))
        belief = run.cut
    check_twice(engine, image, belief)


def check_twice(
    engine: Engine,
    image: bytes,
    belief: Belief,
    after: Sequence[Request] = (),
    again: Sequence[Request] = (),
) -> None:
    """Check, let life go on, and check that what was found stays so over another restart."""
    belief = belief.copy()
    for asked, retried in ((after, again), ((), ())):
        belief.restart()
        device = engine.start(image, belief.world)
        check(device, belief, again=retried)
        told_all(device, belief, asked)
        image = device.image()
        device.off()
