# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Models of the commands about enrolment at a login."""

from tests.power.model import Outcome, State, answered, device_time, logged, refused, told
from tests.power.models_codes import forgiven, judged, out_of_dates, wait, with_credential, with_user
from tests.power.models_users import FIRST, enrolled, new_credential, new_user, secret_in
from tests.power.requests import Request
from tests.power.world import World

from understudy_device.protocol import MAX_CREDENTIALS, RECOVERY_CODES


def user_invite(state: State, _world: World, request: Request) -> list[Outcome]:
    """A new user is there as a whole or not at all."""
    name = request.fields["user"]
    if name in state["users"]:
        return refused(state, "exists")
    user = dict(new_user(), pending=True)
    return [Outcome("ok", [forgiven(with_user(logged(state, "user-invited"), name, user), name)])]


def _standing(state: State, world: World, user: State) -> str:
    """A user in one word."""
    if not user["enabled"]:
        return "disabled"
    out = out_of_dates(user, device_time(state, world))
    if out or user["pending"]:
        return out or "pending"
    confirmed = [one for one in user["credentials"].values() if one["confirmed"]]
    if any(one["enabled"] for one in confirmed):
        return "active"
    return "disabled" if confirmed else "unconfirmed"


def _is_usable(state: State, world: World, user: State, one: State) -> bool:
    if not (one["confirmed"] and one["enabled"]):
        return False
    if not user["pending"] or one["kind"] in ("totp", "hotp"):
        return True
    now = device_time(state, world)
    if one["until"] and (now is None or now >= one["until"]):
        return False
    return len(one["used"]) < (RECOVERY_CODES if one["kind"] == "recovery" else 1)


def user_state(state: State, world: World, request: Request) -> list[Outcome]:
    """How a user stands."""
    name = request.fields["user"]
    user = state["users"].get(name)
    if user is None:
        return told(state, state="unknown", usable=False, wait=0)
    return told(
        state,
        state=_standing(state, world, user),
        usable=any(_is_usable(state, world, user, one) for one in user["credentials"].values()),
        wait=wait(state, world, name, user["failures"]),
    )


def _refusal(state: State, world: World, name: str) -> str | None:
    """Why this user may not enrol at a login now."""
    if not state["settings"]["enrol_at_login"]:
        return "denied"
    user = state["users"].get(name)
    if user is None:
        return "unknown-user"
    word = _standing(state, world, user)
    if word != "pending":
        return word if word in ("disabled", "expired", "clock-unset") else "exists"
    if device_time(state, world) is None:
        return "clock-unset"
    return "throttled" if wait(state, world, name, user["failures"]) else None


def enrol(state: State, world: World, request: Request) -> list[Outcome]:
    """A new secret takes the place of the one before, whole or not at all."""
    name, settings = request.fields["user"], state["settings"]
    status = _refusal(state, world, name)
    if status is not None:
        return refused(state, status)
    others = [key for key in state["users"][name]["credentials"] if key not in (FIRST, "recovery")]
    if len(others) + 2 > MAX_CREDENTIALS:
        return refused(state, "full")
    chosen = {key: settings[key] for key in ("digits", "interval", "algorithm")}
    credential = new_credential("totp", confirmed=False, at_login=True, **chosen)

    def learn(after: State, reply: State) -> State:
        one = dict(after["users"][name]["credentials"][FIRST], secret=secret_in(reply["uri"]))
        return with_user(after, name, with_credential(after["users"][name], FIRST, one))

    return enrolled(state, name, FIRST, credential, "enrolment-begun", learn)


def enrol_confirm(state: State, world: World, request: Request) -> list[Outcome]:
    """The first code burns its step; then the credential and ten recovery codes are there at once."""
    name = request.fields["user"]
    status = _refusal(state, world, name)
    if status is not None:
        return refused(state, status)
    one = state["users"][name]["credentials"].get(FIRST)
    if one is None or not one["at_login"]:
        return refused(state, "pending")
    return [
        _with_recovery(outcome, request) if outcome.status == "accepted" else outcome
        for outcome in judged(state, world, request, [FIRST], guess=False)
    ]


def _with_recovery(outcome: Outcome, request: Request) -> Outcome:
    *before, after = outcome.states
    name = request.fields["user"]
    user = after["users"][name]
    others = {key: one for key, one in user["credentials"].items() if key != "recovery"}
    user = dict(user, credentials={**others, "recovery": new_credential("recovery")})
    after = answered(with_user(after, name, user), request, "accepted")

    def learn(after: State, reply: State) -> State:
        assert len(set(reply["codes"])) == RECOVERY_CODES
        one = dict(after["users"][name]["credentials"]["recovery"], codes=reply["codes"])
        return with_user(after, name, with_credential(after["users"][name], "recovery", one))

    return Outcome("accepted", [*before, after], outcome.fields, learn)


def enrolled_again(state: State, request: Request) -> list[Outcome]:
    """Asked again after the power has gone: accepted, without the codes, of which none is good any more."""
    name = request.fields["user"]
    user = state["users"][name]
    lost = user["credentials"].get("recovery")
    if lost is not None and not lost["used"]:
        rest = {key: one for key, one in user["credentials"].items() if key != "recovery"}
        state = with_user(logged(state, "credential-removed"), name, dict(user, credentials=rest))
    return [Outcome("accepted", [state], {"codes": None})]


MODELS = {
    "user_invite": user_invite,
    "user_state": user_state,
    "enrol": enrol,
    "enrol_confirm": enrol_confirm,
}
