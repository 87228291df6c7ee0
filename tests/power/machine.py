# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Random workloads with power cuts in them, against the plain model: a hypothesis state machine.

When a request was cut, the model holds that it is done, undone or half done until an answer decides.
"""

from collections.abc import Sequence
from functools import cache
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.power.acts import ACTS, NAMES, Act, requests_for
from tests.power.belief import Belief
from tests.power.checks import audited, fresh_codes, opened, shown, told, used_codes
from tests.power.engine import MemoryDevice, MemoryEngine
from tests.power.flash import SHORT, Cut, Tear, cuts
from tests.power.requests import ADMIN, VERIFIER, Request, ask

from understudy.simulator.flash_layout import SECTOR

SECTORS = 9  # few, so that cleaning comes soon, and as many as the users of a run take
_CHURNED = 40  # settings changed between two of the images that runs begin on
_MOST_CHURNS = 12


@cache
def used_region(churns: int) -> tuple[bytes, Belief]:
    """A claimed device that was used for a while; don't change them."""
    belief = Belief()
    if churns < 0:
        return b"\xff" * (SECTORS * SECTOR), belief
    image, before = used_region(churns - 1)
    belief = before.copy()
    belief.restart()
    device = MemoryEngine().start(image, belief.world)
    if not churns:
        told(device, belief, [ask("hello"), ask("claim", name="admin")])
        told(device, belief, requests_for(Act("pair", VERIFIER, (VERIFIER,)), belief))
        for number, name in enumerate(NAMES[:3]):
            add = Act("add", name, (1, "phone", "totp", number < 2, ()))
            told(device, belief, requests_for(add, belief))
        told(device, belief, requests_for(Act("verify", NAMES[0], (ADMIN, "near", 0)), belief))
    else:
        told(device, belief, opened(belief))
        told(device, belief, [ask("settings_set", window=i % 2) for i in range(_CHURNED)])
    return device.image(), belief


class PowerMachine(RuleBasedStateMachine):
    """The firmware under CPython over a flash in memory."""

    tears: ClassVar[Sequence[Tear]] = SHORT
    cuts: ClassVar[int] = 0
    faults: ClassVar[int] = 0
    requests: ClassVar[int] = 0

    @classmethod
    def report(cls) -> str:
        """What was done."""
        return f"{cls.__name__}: {cls.cuts} cuts, {cls.faults} faults, {cls.requests} other requests"

    def __init__(self) -> None:
        super().__init__()
        self.image, self.belief = used_region(-1)
        self.belief = self.belief.copy()
        self.device: MemoryDevice
        self._sound = False  # whether all answers so far were right ones

    def _tell(self, requests: Sequence[Request]) -> None:
        self._sound = False
        told(self.device, self.belief, requests)
        self._sound = True

    def _told_but_the_last(self, act: Act) -> Request:
        """The last request of an act, with the codes that those before it have told."""
        *first, last = requests_for(act, self.belief)
        self._tell(first)
        return self.belief.resolved(last)

    # Power.

    @initialize(churns=st.integers(0, _MOST_CHURNS), rtc=st.booleans())
    def begin(self, churns: int, rtc: bool) -> None:
        """A device that may have a lot to clean."""
        self.image, belief = used_region(churns)
        self.belief = belief.copy()
        self.belief.world.rtc = rtc
        self._power_up()

    def _power_up(self) -> None:
        self.belief.restart()
        self.device = MemoryEngine().start(self.image, self.belief.world)
        self._tell(opened(self.belief))
        if not self.belief.world.rtc:
            self._tell([ask("clock_set", time=self.belief.world.now)])
        self._tell(shown(self.belief))
        self._tell(used_codes(self.belief))

    def _cycle(self) -> None:
        self.image = self.device.image()
        self.device.off()
        self._power_up()

    @rule()
    def restart(self) -> None:
        """The power goes between two requests."""
        self._cycle()
        self._audit()

    def _audit(self) -> None:
        self._sound = False
        audited(self.device, self.belief)
        self._sound = True

    @rule(act=ACTS, choice=st.integers(0, 1 << 20))
    def cut(self, act: Act, choice: int) -> None:
        """The power goes inside of a request: at every operation that it makes, and from one of them on."""
        last = self._told_but_the_last(act)
        self.device.take_ops()
        self._sound, image = False, self.device.image()
        (reply,) = self.device.ask([last])
        ways = list(cuts(image, self.device.take_ops(), self.tears, (choice,)))
        if not ways:
            self.belief.tell(last, reply)
            self._sound = True
            return
        self.device.off()
        self.belief.unsure(last)
        chosen = ways[choice % len(ways)]
        asked = self.belief
        for way in [*ways, chosen]:
            self.belief = asked.copy()
            self._after_cut(way, last)

    def _after_cut(self, way: Cut, request: Request) -> None:
        type(self).cuts += 1
        self.image = way.image
        try:
            self._power_up()
        except AssertionError as error:
            raise AssertionError(f"{request}, {way}: {error}") from error

    # Everyday life.

    @rule(act=ACTS)
    def act(self, act: Act) -> None:
        """Somebody does something."""
        type(self).requests += 1
        self._tell([self._told_but_the_last(act)])

    @rule(seconds=st.sampled_from((1, 30, 45, 300, 4000)))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self._tell([ask("wait", seconds=seconds)])

    @rule(count=st.integers(1, 60))
    def churn(self, count: int) -> None:
        """The flash fills."""
        self._tell([ask("settings_set", window=i % 2) for i in range(count)])

    @precondition(lambda self: self.belief.users())
    @rule()
    def all_get_in(self) -> None:
        """Nobody is locked out."""
        self._tell(used_codes(self.belief))
        self._tell(fresh_codes(self.belief))

    def teardown(self) -> None:
        """Once more, everything."""
        if self._sound:
            self._cycle()
            self.all_get_in()
            self._audit()


class FaultMachine(PowerMachine):
    """The same on a flash that now and then refuses an operation: a full disk, or one gone read-only.

    A refused operation leaves nothing, or a part; all of it would be a disk that says no and means yes.
    """

    @rule(
        act=ACTS,
        index=st.sampled_from((0, 0, 1, 1, 2, 3, 5)),
        tear=st.sampled_from(("none", "middle")),
        stays=st.booleans(),
    )
    def fault(self, act: Act, index: int, tear: Tear, stays: bool) -> None:
        """The device says so, and goes on, or starts again."""
        last = self._told_but_the_last(act)
        self.device.fail_at(index, tear)
        self._sound = False
        (reply,) = self.device.ask([last])
        if self.device.uncut() or reply["status"] != "flash-failed":
            # It made fewer operations, or did without that one: what it says is so.
            self.belief.tell(last, reply)
            self._sound = True
            return
        type(self).faults += 1
        self.belief.failed(last)
        self._sound = True
        if not stays:
            self._cycle()
