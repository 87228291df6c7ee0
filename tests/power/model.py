# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the device promises, as plain dicts: for each command the answers it may give, and what is so then.

A model is a function (state, world, request) -> list of `Outcome`. A state is a dict of plain values; what a
power cut takes is in "volatile". An outcome's `states` are what is so after each step that a cut can leave
behind, the last one after the answer; a command that was cut is anything from not begun to the last.

To add a command: write its model, enter it in a `MODELS` (models_*.py), and give it scenarios (scenarios.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.power.requests import Request
from tests.power.world import World

from understudy_device.protocol import ADMIN, COMMANDS, DEFAULTS, PAIRING, may

State = dict[str, Any]
_TOLD = 12  # events that are looked for in the audit log
_ANSWERED = 16


@dataclass
class Outcome:
    """One thing that may happen: the answer's status, fields it has to have, and the states on the way."""

    status: str
    states: list[State]
    fields: dict[str, Any] = field(default_factory=dict)
    learn: Callable[[State, dict[str, Any]], State] | None = None  # what only the answer tells


Model = Callable[[State, World, Request], list[Outcome]]


def new_state() -> State:
    """A device that was never used."""
    return {
        "identity": None,  # the device's id, once it was heard
        "hosts": {},  # name: role
        "settings": dict(DEFAULTS),
        "floor": 0,  # of the clock
        "back": False,  # whether the clock was ever set back: then a step may come a second time
        "users": {},  # name: see models_users.new_user
        "spent": 0,  # wrong codes that count against the whole device
        "told": [],  # the newest of the events that have to be in the audit log, by name
        "answered": [],  # (id, verdict) of requests that may be asked again after a restart
        "volatile": _volatile(None, 0),
    }


def _volatile(base: tuple[int, int] | None, spent: int) -> State:
    return {
        "base": base,  # (Unix time, uptime) at the last setting of the clock
        "open": False,
        "proven": [],  # hosts
        "window": None,  # of pairing: (role, uptime at which it closes)
        "ends": {},  # user: uptime at which the wait ends; None is who is nobody
        "spent": spent,
        "since": 0,  # uptime at which `spent` was right
        "reports": (0, 0),  # (those that count, uptime at which that was right)
    }


def powered_up(state: State, world: World) -> State:
    """The state after a restart."""
    base = (world.booted, 0) if world.rtc and world.booted >= state["floor"] else None
    return changed(state, volatile=_volatile(base, state["spent"]))


def device_time(state: State, world: World) -> int | None:
    """What the device's clock shows."""
    base = state["volatile"]["base"]
    if base is None:
        return None
    now = int(base[0] + world.up - base[1])
    return now if now >= state["floor"] else None


def changed(state: State, /, **values: Any) -> State:
    """A copy of `state` with other values. States share what is the same: nothing in one is ever changed."""
    return {**state, **values}


def at_once(state: State, /, **values: Any) -> State:
    """A copy of `state` with other values in what a power cut takes."""
    return changed(state, volatile={**state["volatile"], **values})


def logged(state: State, event: str) -> State:
    """The state when the event is in the audit log."""
    return changed(state, told=[*state["told"], event][-_TOLD:])


def answered(state: State, request: Request, verdict: str) -> State:
    """The state when the verdict may be asked for again after a restart."""
    if not request.id:
        return state
    return changed(state, answered=[*state["answered"], (request.id, verdict)][-_ANSWERED:])


def refused(state: State, status: str) -> list[Outcome]:
    """Nothing but this answer, and nothing has changed."""
    return [Outcome(status, [state])]


def told(state: State, /, **fields: Any) -> list[Outcome]:
    """An answer that changes nothing."""
    return [Outcome("ok", [state], fields)]


def gate(state: State, request: Request) -> str | None:
    """The status with which the service refuses a request before its command sees it."""
    needed, needs_open, _ = COMMANDS[request.cmd]
    if needed != PAIRING:
        role = state["hosts"].get(request.who)
        if role is None:
            return "not-paired"
        if not may(role, needed):
            return "denied"
        if needed == ADMIN and request.who not in state["volatile"]["proven"]:
            return "sealed"
    return "sealed" if needs_open and not state["volatile"]["open"] else None
