# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Models of the commands about logins that somebody else has decided."""

from tests.power.model import Outcome, State, at_once, device_time, logged, told
from tests.power.models_codes import barred, in_use, judged
from tests.power.requests import Request
from tests.power.world import World

REPORTS, REPORT_SECONDS = 30, 60  # in a row, and then one in so many seconds


def burn(state: State, world: World, request: Request) -> list[Outcome]:
    """What a code is good for is used up before the answer, and nothing else; whoever has to wait."""
    name = request.fields["user"]
    user = state["users"].get(name)
    if user is None or barred(user, device_time(state, world)):
        return told(state, used=False)
    return [
        Outcome("ok", outcome.states, {"used": False})
        if outcome.status == "accepted"
        else Outcome("ok", [state], {"used": outcome.status == "replayed"})
        for outcome in judged(state, world, request, in_use(user), guess=False)
    ]


def report(state: State, world: World, request: Request) -> list[Outcome]:
    """In the audit log as a whole or not at all; of too many, nothing."""
    taken, since = state["volatile"]["reports"]
    back = (world.up - since) // REPORT_SECONDS
    taken, since = max(0, taken - back), since + back * REPORT_SECONDS
    if taken == REPORTS:
        return [Outcome("throttled", [state], {"seconds": since + REPORT_SECONDS - world.up})]
    after = at_once(logged(state, request.fields["event"]), reports=(taken + 1, since))
    return [Outcome("ok", [after])]


MODELS = {"burn": burn, "report": report}
