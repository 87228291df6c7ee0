# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What random workloads are made of: requests in words ("bob's next code"), drawn without knowing the device.

`requests_for` turns one into requests when the device is known. To add a command: an act here, its model, and
scenarios; the state machine takes it from `ACTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from tests.power.belief import Belief
from tests.power.model import device_time
from tests.power.models_codes import code_of
from tests.power.models_device import host_id
from tests.power.requests import ADMIN, OTHER, VERIFIER, Request, Told, ask

from understudy_device.protocol import ALGORITHMS, REPORTS, ROLES

NAMES = ("ann", "bob", "cat", "zoë")  # one page of `user_list`
CREDENTIALS = ("phone", "token")
GROUPS = ("staff", "night")


@dataclass(frozen=True)
class Act:
    """One thing that somebody does; the last of its requests is the one that a cut is for."""

    what: str
    name: str = ""
    values: tuple[Any, ...] = ()


def _add(act: Act, _belief: Belief) -> list[Request]:
    secret, credential, kind, confirmed, settings = act.values
    fields = dict(settings, credential=credential, kind=kind, confirmed=confirmed)
    if secret:
        fields["secret"] = (b"%d" % secret * 20).hex()
    return [ask("user_add", user=act.name, **fields)]


def _codes(belief: Belief, name: str, kind: str, number: int) -> list[str]:
    """Two in a row. `kind`: "near" is `number` from now or from the counter, "used" the number-th
    last one used, "made" one of those that the device made; else they are wrong."""
    users = [state["users"][name] for state in belief.states if name in state["users"]]
    every = list(users[0]["credentials"].values()) if users else []
    made = [text for one in every for text in one["codes"] or ()]
    known = [one for one in every if one["secret"] is not None]
    if kind == "made" and made:
        return [made[number % len(made)]] * 2
    if kind == "wrong" or not known:
        return ["00000x" if number == 2 else "000000", "000001"]
    one = known[number % len(known)]
    if kind == "used" and one["used"]:
        counter = one["used"][-1 - number % len(one["used"])]
    elif one["kind"] == "hotp":
        counter = max(0, one["counter"] + number)
    else:
        counter = _now(belief) // one["interval"] + number
    return [code_of(one, counter), code_of(one, counter + 1)]


def _now(belief: Belief) -> int:
    times = [device_time(state, belief.world) for state in belief.states]
    return times[0] if times[0] is not None else belief.world.now


def _verify(act: Act, belief: Belief) -> list[Request]:
    who, kind, number = act.values
    return [ask("verify", who=who, user=act.name, code=_codes(belief, act.name, kind, number)[0])]


def _burn(act: Act, belief: Belief) -> list[Request]:
    return [replace(request, cmd="burn") for request in _verify(act, belief)]


def _report(act: Act, belief: Belief) -> list[Request]:
    who, event, times = act.values
    return [ask("report", who=who, user=act.name, event=event, time=_now(belief))] * times


def _confirm(act: Act, belief: Belief) -> list[Request]:
    kind, number = act.values
    return [ask("user_confirm", user=act.name, code=_codes(belief, act.name, kind, number)[0])]


def _enrol(act: Act, belief: Belief) -> list[Request]:
    """Mostly of who is to enrol: `reset` makes somebody so."""
    who, reset = act.values
    known = act.name in belief.users()
    first = [
        ask("user_reset" if known else "user_invite", user=act.name),
        ask("user_set", user=act.name, enabled=True, valid_from=0, valid_until=0),
    ]
    return [*(first if reset else []), ask("enrol", who=who, user=act.name)]


def _enrol_confirm(act: Act, belief: Belief) -> list[Request]:
    who, begin, kind, number = act.values
    step = _now(belief) // belief.states[0]["settings"]["interval"] + number
    typed = "000000" if kind == "wrong" else Told(act.name, "phone", step)
    first = _enrol(Act("enrol", act.name, (who, True)), belief) if begin else []
    return [*first, ask("enrol_confirm", who=who, user=act.name, code=typed)]


def _resync(act: Act, belief: Belief) -> list[Request]:
    kind, number = act.values
    first, second = _codes(belief, act.name, kind, number)
    return [ask("resync", user=act.name, code1=first, code2=second)]


def _clock(act: Act, belief: Belief) -> list[Request]:
    seconds, back = act.values
    return [ask("clock_set", time=max(0, _now(belief) + seconds), back=back)]


def _pair(act: Act, _belief: Belief) -> list[Request]:
    (role,) = act.values
    return [ask("pair_open", role=role, seconds=60), ask("pair", who=act.name, name=act.name)]


def _plain(act: Act, _belief: Belief) -> list[Request]:
    cmd, fields = act.values
    return [ask(cmd, user=act.name, **dict(fields))]


_REQUESTS: dict[str, Callable[[Act, Belief], list[Request]]] = {
    "add": _add,
    "verify": _verify,
    "burn": _burn,
    "report": _report,
    "confirm": _confirm,
    "enrol": _enrol,
    "confirm at a login": _enrol_confirm,
    "resync": _resync,
    "of a user": _plain,
    "settings": lambda act, _belief: [ask("settings_set", **dict(act.values[0]))],
    "clock": _clock,
    "pair": _pair,
    "unpair": lambda act, _belief: [ask("unpair", host=host_id(act.name))],
    "unseal": lambda act, _belief: [ask("unseal")],
    "tidy": lambda act, _belief: [ask("tidy")],
}


def requests_for(act: Act, belief: Belief) -> list[Request]:
    """The requests of an act on a device as it may be now; what those before the last tell, it may name."""
    return _REQUESTS[act.what](act, belief)


Strategy = st.SearchStrategy[Any]


def _some(**choices: Strategy) -> Strategy:
    return st.fixed_dictionaries({}, optional=choices).map(lambda chosen: tuple(sorted(chosen.items())))


def _of_user(cmd: str, **fields: Strategy) -> Strategy:
    chosen = st.fixed_dictionaries(fields).map(lambda drawn: tuple(sorted(drawn.items())))
    return st.tuples(st.just(cmd), chosen)


_settings = {
    "digits": st.sampled_from((6, 8)),
    "interval": st.sampled_from((30, 60)),
    "window": st.integers(0, 3),
    "algorithm": st.sampled_from(ALGORITHMS),
}
_slowing = {
    "look_ahead": st.integers(0, 5),
    "attempts": st.integers(1, 5),
    "delay": st.sampled_from((1, 30, 100)),
    "max_delay": st.sampled_from((50, 3600)),
    "device_attempts": st.sampled_from((5, 100)),
}
_credentials, _groups = st.sampled_from(CREDENTIALS), st.sampled_from(GROUPS)
_dates = st.sampled_from((0, 1700000100, 1700090000, 4000000000))
_of_users = st.one_of(
    _of_user("user_remove"),
    _of_user("user_reset"),
    _of_user("user_invite"),
    _of_user("user_set", enabled=st.booleans()),
    _of_user("user_set", valid_until=_dates),
    _of_user("user_set", valid_from=_dates, enabled=st.just(True)),
    _of_user("group_add", group=_groups),
    _of_user("group_remove", group=_groups),
    _of_user("credential_set", credential=_credentials, enabled=st.booleans()),
    _of_user("credential_remove", credential=st.sampled_from((*CREDENTIALS, "recovery", "bypass"))),
    _of_user("recovery_make"),
    _of_user("bypass_make", seconds=st.sampled_from((30, 6000))),
)
_verifying = st.tuples(
    st.sampled_from((ADMIN, VERIFIER)),
    st.sampled_from(("near", "near", "near", "made", "used", "wrong")),
    st.integers(-2, 2),
)
_adding = st.tuples(
    st.integers(0, 2), _credentials, st.sampled_from(("totp", "hotp")), st.booleans(), _some(**_settings)
)
_at_login = _some(enrol_at_login=st.sampled_from((True, True, False)))
_reporting = st.tuples(
    st.sampled_from((ADMIN, VERIFIER)), st.sampled_from(REPORTS), st.sampled_from((1, 1, 29))
)
_setting = st.one_of(_some(**_settings), _some(**_slowing), _at_login).filter(bool)
_by_either = st.sampled_from((ADMIN, ADMIN, VERIFIER))  # who may not be paired
_first = st.sampled_from(("near", "near", "near", "wrong"))
_clocks = st.tuples(
    st.sampled_from((0, 20, 600, 4000, 90000, -20, -600, -90000)), st.sampled_from((False, False, True))
)
_in_a_row = st.tuples(st.sampled_from(("near", "near", "wrong", "used")), st.integers(-2, 30))


def _acts(what: str, names: tuple[str, ...], values: Strategy) -> Strategy:
    return st.builds(Act, st.just(what), st.sampled_from(names), values)


ACTS: Strategy = st.one_of(
    _acts("verify", (*NAMES, "mallory"), _verifying),
    _acts("verify", NAMES[:2], _verifying),
    _acts("burn", (*NAMES, "mallory"), _verifying),
    _acts("report", (*NAMES, "mallory"), _reporting),
    _acts("add", NAMES, _adding),
    _acts("of a user", NAMES, _of_users),
    _acts("confirm", NAMES, st.tuples(st.sampled_from(("near", "wrong")), st.integers(-1, 1))),
    _acts("enrol", NAMES, st.tuples(_by_either, st.sampled_from((True, True, False)))),
    _acts("confirm at a login", NAMES, st.just((ADMIN, True, "near", 0))),
    _acts("confirm at a login", NAMES, st.tuples(_by_either, st.booleans(), _first, st.integers(-1, 1))),
    _acts("resync", NAMES, _in_a_row),
    _acts("settings", ("",), st.tuples(_setting)),
    _acts("clock", ("",), _clocks),
    _acts("pair", (VERIFIER, OTHER), st.tuples(st.sampled_from(ROLES))),
    _acts("unpair", (VERIFIER, OTHER), st.just(())),
    _acts("tidy", ("",), st.just(())),
)
