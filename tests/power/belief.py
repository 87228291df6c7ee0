# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What may be so on a device, from all that was asked and answered, and what was cut off."""

import copy
from dataclasses import replace
from typing import Any

from tests.power import models_broker, models_codes, models_device, models_enrol, models_users
from tests.power.model import Outcome, State, gate, new_state, powered_up, refused
from tests.power.models_codes import code_of
from tests.power.requests import PSEUDO, Made, Request, Told
from tests.power.world import World

MODELS = {
    **models_device.MODELS,
    **models_users.MODELS,
    **models_codes.MODELS,
    **models_enrol.MODELS,
    **models_broker.MODELS,
}

_NO_CODE = "000000"  # of a secret that nobody was told


class Belief:
    """Every state that the device may be in; an answer that fits none of them is a broken promise."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.states = [powered_up(new_state(), self.world)]

    def copy(self) -> "Belief":
        """One that goes its own way."""
        other = copy.copy(self)
        other.world, other.states = copy.copy(self.world), list(self.states)
        return other

    def tell(self, request: Request, reply: dict[str, Any]) -> None:
        """`request` was answered. AssertionError when it may not be answered so."""
        if request.cmd == "wait":
            self.world.up += request.fields["seconds"]
        outcomes = [outcome for state in self.states for outcome in self._outcomes(state, request)]
        fitting = [outcome for outcome in outcomes if _fits(outcome, reply)]
        if not fitting:
            allowed = " or ".join(_shown(outcome) for outcome in outcomes)
            raise AssertionError(f"{request}\n  was answered {reply}\n  where only {allowed} may be")
        self.states = _unique(
            [
                outcome.learn(outcome.states[-1], reply) if outcome.learn else outcome.states[-1]
                for outcome in fitting
            ]
        )

    def unsure(self, request: Request) -> None:
        """`request` was asked and not answered: it may be done, undone or anything in between."""
        for state in list(self.states):
            for outcome in self._outcomes(state, request):
                self.states.extend(outcome.states)
        self.states = _unique(self.states)

    def failed(self, request: Request) -> None:
        """The device could not do `request`: as `unsure`, and what it has in RAM may have gone on or not."""
        found = list(self.states)
        for state in self.states:
            for outcome in self._outcomes(state, request):
                volatile = outcome.states[-1]["volatile"]
                found += [
                    *outcome.states,
                    *({**one, "volatile": volatile} for one in (state, *outcome.states)),
                ]
                found += [{**one, "volatile": state["volatile"]} for one in outcome.states]
        self.states = _unique(found)

    def restart(self) -> None:
        """The power goes and comes back."""
        self.world.restart()
        self.states = _unique([powered_up(state, self.world) for state in self.states])

    def resolved(self, request: Request) -> Request:
        """The request with the codes that the device has told, where it names them."""
        fields = {
            name: self._made(value) if isinstance(value, Made | Told) else value
            for name, value in request.fields.items()
        }
        return replace(request, fields=fields)

    def _made(self, made: Made | Told) -> str:
        users = [state["users"].get(made.user, {"credentials": {}}) for state in self.states]
        known = [user["credentials"].get(made.credential) for user in users]
        if isinstance(made, Told):
            codes = {code_of(one, made.counter) for one in known if one is not None and one["secret"]}
            return min(codes, default=_NO_CODE)
        (code,) = {one["codes"][made.index] for one in known if one is not None}
        return str(code)

    def users(self) -> dict[str, list[State]]:
        """Every user that there may be, with all that may be so of it."""
        found: dict[str, list[State]] = {}
        for state in self.states:
            for name, user in state["users"].items():
                found.setdefault(name, []).append(user)
        return found

    def hosts(self) -> list[str]:
        """Every host that may be paired."""
        return sorted({name for state in self.states for name in state["hosts"]})

    def _outcomes(self, state: State, request: Request) -> list[Outcome]:
        if request.cmd not in PSEUDO:
            status = gate(state, request)
            if status is not None:
                return refused(state, status)
            for number, verdict in state["answered"]:
                if number == request.id:
                    if (request.cmd, verdict) == ("enrol_confirm", "accepted"):
                        return models_enrol.enrolled_again(state, request)
                    return refused(state, verdict)
        return MODELS[request.cmd](state, self.world, request)


def _fits(outcome: Outcome, reply: dict[str, Any]) -> bool:
    if reply["status"] != outcome.status:
        return False
    return all(name in reply and value == reply[name] for name, value in outcome.fields.items())


def _shown(outcome: Outcome) -> str:
    return outcome.status + (f" {outcome.fields}" if outcome.fields else "")


def _unique(states: list[State]) -> list[State]:
    unique: list[State] = []
    for state in states:
        if state not in unique:
            unique.append(state)
    return unique
