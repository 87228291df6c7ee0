# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Models of the commands about users and their credentials."""

import base64
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tests.power.model import Outcome, State, device_time, logged, refused, told
from tests.power.models_codes import forgiven, wait, window_of, with_credential, with_user
from tests.power.models_device import Same
from tests.power.requests import Request
from tests.power.world import World

from understudy_device.protocol import MAX_CREDENTIALS, MAX_GROUPS, MAX_TIME, RECOVERY_CODES

FIRST = "phone"


def new_user() -> State:
    """Somebody without a credential."""
    return {
        "enabled": True,
        "pending": False,
        "valid_from": 0,
        "valid_until": 0,
        "groups": [],
        "failures": 0,
        "credentials": {},  # name: see below; in the order in which they are tried
    }


def new_credential(kind: str, **values: object) -> State:
    """Of any kind; what does not belong to it stays as it is."""
    return {
        "kind": kind,
        "digits": 10,
        "interval": 30,
        "algorithm": "SHA1",
        "window": None,  # None: the device's setting
        "secret": None,  # hex; None while nobody but the device knows it
        "confirmed": True,
        "enabled": True,
        "at_login": False,  # made by `enrol`
        "used": [],  # steps, counters or codes that were accepted, or may have been
        "last": -1,  # the highest step used
        "recent": -1,  # the last step used
        "drift": 0,  # steps
        "counter": 0,
        "codes": None,  # the codes made by the device, once they were told
        "until": 0,
        **values,
    }


# Enrolment.


def user_add(state: State, _world: World, request: Request) -> list[Outcome]:
    """A credential, and the user if need be, is there as a whole or not at all."""
    fields, settings = request.fields, state["settings"]
    user = state["users"].get(fields["user"], new_user())
    name = fields.get("credential", FIRST)
    if name in user["credentials"] and user["credentials"][name]["confirmed"]:
        return refused(state, "exists")
    chosen = {key: fields.get(key, settings[key]) for key in ("digits", "interval", "algorithm")}
    credential = new_credential(
        fields.get("kind", "totp"),
        secret=fields.get("secret"),
        window=fields.get("window"),
        confirmed=fields.get("confirmed", False),
        counter=fields.get("counter", 0),
        **chosen,
    )

    def learn(after: State, reply: State) -> State:
        known = secret_in(reply["uri"])
        assert fields.get("secret") in (None, known), "another secret than the one imported"
        one = dict(after["users"][fields["user"]]["credentials"][name], secret=known)
        return with_user(after, fields["user"], with_credential(after["users"][fields["user"]], name, one))

    return enrolled(state, fields["user"], name, credential, "user-added", learn)


def secret_in(uri: str) -> str:
    """The secret (hex) of an otpauth URI."""
    text = parse_qs(urlsplit(uri).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8)).hex()


def enrolled(
    state: State, who: str, name: str, credential: State, event: str, learn: Callable[[State, State], State]
) -> list[Outcome]:
    """A new credential of `who`, in the place of one of the same name."""
    known = state["users"].get(who)
    user = known or new_user()
    others = {key: one for key, one in user["credentials"].items() if key != name}
    if len(others) >= MAX_CREDENTIALS:
        return refused(state, "full")
    states = []
    if not user["credentials"] and not user["pending"]:
        user, state = dict(user, failures=0), forgiven(state, who)
        if known is not None:
            states.append(with_user(state, who, user))
    enrols = credential["confirmed"] and credential["kind"] in ("totp", "hotp")
    pending = user["pending"] and not enrols
    after = with_user(state, who, dict(user, pending=pending, credentials={**others, name: credential}))
    return [Outcome("ok", [*states, logged(after, event)], learn=learn)]


def recovery_make(state: State, _world: World, request: Request) -> list[Outcome]:
    """Ten codes in the place of those that there were."""
    name = request.fields["user"]
    if name not in state["users"]:
        return refused(state, "not-found")

    def learn(after: State, reply: State) -> State:
        assert len(set(reply["codes"])) == RECOVERY_CODES
        one = dict(after["users"][name]["credentials"]["recovery"], codes=reply["codes"])
        return with_user(after, name, with_credential(after["users"][name], "recovery", one))

    return enrolled(state, name, "recovery", new_credential("recovery"), "recovery-codes-made", learn)


def bypass_make(state: State, world: World, request: Request) -> list[Outcome]:
    """One code, for a while."""
    name, now = request.fields["user"], device_time(state, world)
    if name not in state["users"]:
        return refused(state, "not-found")
    if now is None:
        return refused(state, "clock-unset")
    until = min(now + request.fields["seconds"], MAX_TIME)

    def learn(after: State, reply: State) -> State:
        assert reply["until"] == until
        one = dict(after["users"][name]["credentials"]["bypass"], codes=[reply["code"]])
        return with_user(after, name, with_credential(after["users"][name], "bypass", one))

    return enrolled(state, name, "bypass", new_credential("bypass", until=until), "bypass-code-made", learn)


# Looking.


def state_of(user: State) -> str:
    """One word for people."""
    if not user["enabled"]:
        return "disabled"
    if user["pending"]:
        return "pending"
    return "active" if any(one["confirmed"] for one in user["credentials"].values()) else "unconfirmed"


def _state_of_credential(one: State) -> str:
    return "unconfirmed" if not one["confirmed"] else "active" if one["enabled"] else "disabled"


def user_list(state: State, _world: World, _request: Request) -> list[Outcome]:
    """Every user, as long as they are few enough for one page."""
    users = {name: (state_of(user), len(user["credentials"])) for name, user in state["users"].items()}

    def view(got: list[State]) -> object:
        return {entry["user"]: (entry["state"], entry["credentials"]) for entry in got}

    return told(state, users=Same(users, view), next=None)


def user_show(state: State, world: World, request: Request) -> list[Outcome]:
    """All of a user."""
    name = request.fields["user"]
    user = state["users"].get(name)
    if user is None:
        return refused(state, "not-found")
    same = ("enabled", "valid_from", "valid_until", "groups", "failures")
    return told(
        state,
        state=state_of(user),
        wait=wait(state, world, name, user["failures"]),
        credentials=[
            {"credential": key, "kind": one["kind"], "state": _state_of_credential(one)}
            for key, one in user["credentials"].items()
        ],
        **{key: user[key] for key in same},
    )


def credential_show(state: State, _world: World, request: Request) -> list[Outcome]:
    """All of a credential but the secret."""
    user = state["users"].get(request.fields["user"])
    if user is None or request.fields["credential"] not in user["credentials"]:
        return refused(state, "not-found")
    one = user["credentials"][request.fields["credential"]]
    shown = {name: one[name] for name in ("kind", "enabled", "confirmed")}
    if one["kind"] in ("totp", "hotp"):
        shown.update({name: one[name] for name in ("digits", "algorithm")})
    if one["kind"] == "totp":
        shown.update(interval=one["interval"], window=window_of(state, one), drift=one["drift"])
        shown.update(last_used=one["recent"] * one["interval"] if one["recent"] >= 0 else None)
    elif one["kind"] == "hotp":
        shown.update(counter=one["counter"])
    else:
        shown.update(left=(RECOVERY_CODES if one["kind"] == "recovery" else 1) - len(one["used"]))
        if one["kind"] == "bypass":
            shown.update(until=one["until"])
    return told(state, **shown)


# Changing.


def _changing(event: str, change: Callable[[State, State], State | str]) -> Callable[..., list[Outcome]]:
    """The model of a command whose `change(user, fields)` gives the changed user, or a refusal's status."""

    def model(state: State, _world: World, request: Request) -> list[Outcome]:
        name = request.fields["user"]
        if name not in state["users"]:
            return refused(state, "not-found")
        after = change(state["users"][name], request.fields)
        if isinstance(after, str):
            return refused(state, after)
        return [Outcome("ok", [with_user(logged(state, event), name, after)])]

    return model


def _set(user: State, fields: State) -> State | str:
    after = {**user, **{name: value for name, value in fields.items() if name != "user"}}
    return "bad-request" if after["valid_until"] and after["valid_until"] <= after["valid_from"] else after


def _group_add(user: State, fields: State) -> State | str:
    if fields["group"] in user["groups"]:
        return "exists"
    if len(user["groups"]) >= MAX_GROUPS:
        return "full"
    return dict(user, groups=[*user["groups"], fields["group"]])


def _group_remove(user: State, fields: State) -> State | str:
    if fields["group"] not in user["groups"]:
        return "not-found"
    return dict(user, groups=[group for group in user["groups"] if group != fields["group"]])


def _credential_set(user: State, fields: State) -> State | str:
    name = fields["credential"]
    if name not in user["credentials"]:
        return "not-found"
    return with_credential(user, name, dict(user["credentials"][name], enabled=fields["enabled"]))


def _credential_remove(user: State, fields: State) -> State | str:
    if fields["credential"] not in user["credentials"]:
        return "not-found"
    rest = {name: one for name, one in user["credentials"].items() if name != fields["credential"]}
    return dict(user, credentials=rest)


def user_reset(state: State, _world: World, request: Request) -> list[Outcome]:
    """No credential is left; then the failures are forgotten, too."""
    name = request.fields["user"]
    if name not in state["users"]:
        return refused(state, "not-found")
    user = dict(state["users"][name], credentials={}, pending=True)
    first = with_user(logged(state, "user-reset"), name, user)
    return [Outcome("ok", [first, forgiven(with_user(first, name, dict(user, failures=0)), name)])]


def user_remove(state: State, _world: World, request: Request) -> list[Outcome]:
    """A user is gone for good."""
    name = request.fields["user"]
    if name not in state["users"]:
        return refused(state, "not-found")
    return [Outcome("ok", [forgiven(with_user(logged(state, "user-removed"), name, None), name)])]


MODELS = {
    "user_add": user_add,
    "recovery_make": recovery_make,
    "bypass_make": bypass_make,
    "user_list": user_list,
    "user_show": user_show,
    "credential_show": credential_show,
    "user_set": _changing("user-changed", _set),
    "group_add": _changing("user-changed", _group_add),
    "group_remove": _changing("user-changed", _group_remove),
    "credential_set": _changing("credential-changed", _credential_set),
    "credential_remove": _changing("credential-removed", _credential_remove),
    "user_reset": user_reset,
    "user_remove": user_remove,
}
