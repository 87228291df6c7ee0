# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Models of the commands about the device itself: pairing, settings, clock."""

from tests.power.model import Outcome, State, at_once, changed, device_time, logged, refused, told
from tests.power.requests import HOSTS, Request
from tests.power.world import World

from understudy_device.pairing import key_id
from understudy_device.protocol import ADMIN
from understudy_device.timekeeper import MAX_AHEAD


def state_(state: State, _world: World, _request: Request) -> list[Outcome]:
    """The rig's own: never damaged, and claimed for good."""
    if not state["hosts"]:
        return told(state, state="unclaimed")
    return told(state, state="open" if state["volatile"]["open"] else "sealed")


def nothing(state: State, _world: World, _request: Request) -> list[Outcome]:
    """For what must only not fail."""
    return told(state)


def hello(state: State, _world: World, _request: Request) -> list[Outcome]:
    """A device keeps the id that it has once told."""
    return [_identified(Outcome("ok", [state]))]


def _identified(outcome: Outcome) -> Outcome:
    known = outcome.states[-1]["identity"]
    if known is not None:
        outcome.fields["device"] = known
    outcome.learn = lambda state, reply: changed(state, identity=reply["device"])
    return outcome


# Pairing.


def _paired(state: State, request: Request, role: str, event: str) -> State:
    after = at_once(logged(state, event), open=True, window=None)
    after = at_once(after, proven=sorted({*after["volatile"]["proven"], request.who}))
    return changed(after, hosts={**state["hosts"], request.who: role})


def claim(state: State, _world: World, request: Request) -> list[Outcome]:
    """The first pairing."""
    if state["hosts"]:
        return refused(state, "claimed")
    return [_identified(Outcome("ok", [_paired(state, request, ADMIN, "claimed")], {"role": ADMIN}))]


def pair(state: State, world: World, request: Request) -> list[Outcome]:
    """One more host, once for each time the window is opened."""
    window = state["volatile"]["window"]
    if window is None or world.up >= window[1]:
        return refused(state, "pairing-closed")
    if request.who in state["hosts"]:
        return refused(state, "exists")
    return [_identified(Outcome("ok", [_paired(state, request, window[0], "paired")], {"role": window[0]}))]


def pair_open(state: State, world: World, request: Request) -> list[Outcome]:
    """Open the window."""
    window = (request.fields["role"], world.up + request.fields["seconds"])
    return [Outcome("ok", [at_once(logged(state, "pairing-opened"), window=window)])]


def unpair(state: State, _world: World, request: Request) -> list[Outcome]:
    """A host is gone for good."""
    names = [name for name in state["hosts"] if host_id(name) == request.fields["host"]]
    if not names:
        return refused(state, "not-found")
    if [name for name, role in state["hosts"].items() if role == ADMIN] == names:
        return refused(state, "last-admin")
    hosts = {name: role for name, role in state["hosts"].items() if name not in names}
    return [Outcome("ok", [at_once(changed(logged(state, "unpaired"), hosts=hosts), window=None)])]


def host_id(name: str) -> str:
    """How commands name a host."""
    return key_id(HOSTS[name].keys.public).hex()


def host_list(state: State, _world: World, _request: Request) -> list[Outcome]:
    """Every host and its role; in no promised order."""
    hosts = sorted((host_id(name), role) for name, role in state["hosts"].items())
    return told(state, hosts=Same(hosts, lambda got: sorted((host["host"], host["role"]) for host in got)))


class Same:
    """Equal to a field of an answer when what `view` makes of that is `expected`."""

    def __init__(self, expected, view):  # type: ignore[no-untyped-def]
        self._expected, self._view = expected, view

    def __eq__(self, other: object) -> bool:
        return bool(self._view(other) == self._expected)

    def __repr__(self) -> str:
        return repr(self._expected)


def unseal(state: State, _world: World, request: Request) -> list[Outcome]:
    """The data key is back."""
    after = state if state["volatile"]["open"] else logged(state, "unsealed")
    proven = sorted({*state["volatile"]["proven"], request.who})
    return [Outcome("ok", [at_once(after, open=True, proven=proven)])]


# Settings and clock.


def settings_show(state: State, _world: World, _request: Request) -> list[Outcome]:
    """All of them."""
    return told(state, **state["settings"])


def settings_set(state: State, _world: World, request: Request) -> list[Outcome]:
    """All of the given ones, or none."""
    settings = {**state["settings"], **request.fields}
    if settings["max_delay"] < settings["delay"]:
        return refused(state, "bad-request")
    return [Outcome("ok", [changed(logged(state, "settings-changed"), settings=settings)], settings)]


def clock_show(state: State, world: World, _request: Request) -> list[Outcome]:
    """The time and the floor."""
    return told(state, floor=state["floor"], time=device_time(state, world))


def clock_set(state: State, world: World, request: Request) -> list[Outcome]:
    """The floor goes with it."""
    time = request.fields["time"]
    if time < state["floor"] and not request.fields.get("back", False):
        return refused(state, "clock-refused")
    shown = device_time(state, world)
    back = state["back"] or time < max(state["floor"], shown or 0)
    after = at_once(logged(state, "clock-set"), base=(time, world.up))
    return [Outcome("ok", [changed(after, floor=time, back=back)])]


def clock_tell(state: State, world: World, request: Request) -> list[Outcome]:
    """A host's time, for a clock that is unset; what it may do to one that runs is not in question here."""
    time, floor = request.fields["time"], state["floor"]
    if device_time(state, world) is not None:
        return [Outcome("ok", [state]), *refused(state, "clock-refused")]
    if time < floor or (floor and time > floor + MAX_AHEAD):
        return refused(state, "clock-refused")
    return [Outcome("ok", [at_once(logged(state, "clock-told"), base=(time, world.up))])]


MODELS = {
    "state": state_,
    "hello": hello,
    "wait": nothing,
    "tidy": nothing,
    "audit_read": nothing,  # see checks.audited
    "status": nothing,
    "claim": claim,
    "pair": pair,
    "pair_open": pair_open,
    "unpair": unpair,
    "host_list": host_list,
    "unseal": unseal,
    "settings_show": settings_show,
    "settings_set": settings_set,
    "clock_show": clock_show,
    "clock_set": clock_set,
    "clock_tell": clock_tell,
}
