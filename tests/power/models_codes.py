# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Models of the commands about codes: every kind of them, and how guessing is slowed down.

A user is described in `models_users.new_user`, a credential in `models_users.new_credential`.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.power.model import (
    Outcome,
    State,
    answered,
    at_once,
    changed,
    device_time,
    logged,
    refused,
)
from tests.power.requests import Request, code
from tests.power.world import World

FLOOR_EVERY, FLOOR_LAG = 3600, 60  # seconds
RESYNC_STEPS, RESYNC_COUNTERS = 60, 100
_TRUSTED, _STRANGER = 1, 2  # failures
# Commands that take a credential into use, and what they are called in the audit log.
_CONFIRMING = {"user_confirm": "user-confirmed", "enrol_confirm": "user-enrolled"}

# What a code comes to with one credential: (word, the credential afterwards).
Trial = tuple[str, State]


def with_user(state: State, name: str, user: State | None, /, **values: Any) -> State:
    """The state with another user of that name, or with none."""
    users = {other: value for other, value in state["users"].items() if other != name}
    if user is not None:
        users[name] = user
    return changed(state, users=users, **values)


def with_credential(user: State, name: str, credential: State) -> State:
    """The user with a changed credential, in its place."""
    return {**user, "credentials": {**user["credentials"], name: credential}}


def window_of(state: State, credential: State) -> int:
    """Steps either side."""
    window = credential["window"]
    return int(state["settings"]["window"] if window is None else window)


def code_of(credential: State, counter: int) -> str:
    """The right code of a step or counter."""
    secret = bytes.fromhex(credential["secret"])
    return code(secret, counter, credential["digits"], credential["algorithm"])


# Waiting.


def delay(failures: int, settings: State) -> int:
    """Seconds, after so many wrong codes in a row."""
    over = failures - settings["attempts"]
    return 0 if over < 0 else int(min(settings["delay"] * 2**over, settings["max_delay"]))


def _spent(state: State, world: World) -> int:
    volatile = state["volatile"]
    return int(max(0, volatile["spent"] - (world.up - volatile["since"]) // state["settings"]["delay"]))


def wait(state: State, world: World, name: str | None, failures: int) -> int:
    """Seconds until somebody may try again; None is who is nobody."""
    settings, volatile = state["settings"], state["volatile"]
    seconds = delay(failures, settings)
    if seconds:
        seconds = min(seconds, volatile["ends"].get(name, seconds) - world.up)
    over = _spent(state, world) - settings["device_attempts"]
    if over >= 0 and failures > _TRUSTED:
        since = world.up - volatile["since"]
        seconds = max(seconds, (over + 1) * settings["delay"] - since % settings["delay"])
    return int(max(0, seconds))


def _guessed(state: State, world: World, name: str | None, failures: int) -> list[State]:
    """A wrong code, the `failures`-th in a row: first the user's count is there, then the device's."""
    states = []
    if name is not None:
        state = with_user(state, name, dict(state["users"][name], failures=failures))
        states.append(state)
    step, since = state["settings"]["delay"], state["volatile"]["since"]
    spent = _spent(state, world) + 1
    ends = {who: end for who, end in state["volatile"]["ends"].items() if end > world.up}
    if delay(failures, state["settings"]):
        ends[name] = world.up + delay(failures, state["settings"])
    since = world.up - (world.up - since) % step if spent > 1 else world.up
    after = at_once(changed(state, spent=spent), ends=ends, spent=spent, since=since)
    return [*states, after]


def forgiven(state: State, name: str) -> State:
    """Nobody waits for this user any more."""
    ends = {who: end for who, end in state["volatile"]["ends"].items() if who != name}
    return at_once(state, ends=ends)


# One code and one credential.


def _steps(present: int, window: int, drift: int = 0) -> list[int]:
    centres = (present, present + drift)
    return sorted({step for c in centres for step in range(max(0, c - window), c + window + 1)})


def _fresh(state: State, credential: State, steps: list[int]) -> tuple[list[int], list[int]]:
    """Of right codes' steps: those that must count, those that may."""
    sure = [step for step in steps if step > credential["last"]]
    # After the clock was set back, a step before the last may be new; one that was used never is.
    used = credential["used"]
    return sure, [step for step in steps if step not in used and step not in sure] if state["back"] else []


def burnt(credential: State, step: int, drift: int) -> State:
    """A TOTP credential that has used a step."""
    used = sorted({*credential["used"], step})
    return dict(credential, last=max(credential["last"], step), recent=step, used=used, drift=drift)


def _try_totp(state: State, credential: State, typed: str, now: int | None) -> list[Trial]:
    if now is None:
        return [("untimed", credential)]
    if credential["secret"] is None:  # made on the device, and its answer was lost: no code can be known
        return [("miss", credential)]
    present, window = now // credential["interval"], window_of(state, credential)
    steps = [s for s in _steps(present, window, credential["drift"]) if code_of(credential, s) == typed]
    sure, maybe = _fresh(state, credential, steps)
    bound = max(window, abs(credential["drift"]))
    trials = [
        ("hit", burnt(credential, step, min(max(step - present, -bound), bound)))
        for step in [*sure[:1], *maybe]
    ]
    if sure:
        return trials
    return [*trials, ("used" if steps else "miss", credential)]


def _try_hotp(credential: State, typed: str, look_ahead: int) -> list[Trial]:
    if credential["secret"] is None:
        return [("miss", credential)]
    counter = credential["counter"]
    for ahead in range(look_ahead + 1):
        if code_of(credential, counter + ahead) == typed:
            used = sorted({*credential["used"], counter + ahead})
            return [("hit", dict(credential, counter=counter + ahead + 1, used=used))]
    behind = counter > 0 and code_of(credential, counter - 1) == typed
    return [("used" if behind else "miss", credential)]


def _try_made(credential: State, typed: str, now: int | None) -> list[Trial]:
    if credential["until"] and now is None:
        return [("untimed", credential)]
    if typed not in (credential["codes"] or []) or (credential["until"] and now >= credential["until"]):
        return [("miss", credential)]
    if typed in credential["used"]:
        return [("used", credential)]
    return [("hit", dict(credential, used=[*credential["used"], typed]))]


def _try(state: State, credential: State, typed: str, now: int | None) -> list[Trial]:
    if credential["kind"] == "totp":
        return _try_totp(state, credential, typed, now)
    if credential["kind"] == "hotp":
        return _try_hotp(credential, typed, state["settings"]["look_ahead"])
    return _try_made(credential, typed, now)


# The verdict.


def refusal(state: State, world: World, name: str) -> str | None:
    """The verdict that stands before any code is looked at."""
    user = state["users"][name]
    throttled = "throttled" if wait(state, world, name, user["failures"]) else None
    return barred(user, device_time(state, world)) or throttled


def barred(user: State, now: int | None) -> str | None:
    """The same, however many wrong codes there were."""
    credentials = user["credentials"].values()
    if not user["enabled"]:
        return "disabled"
    if not any(one["confirmed"] and one["enabled"] for one in credentials):
        unused = user["pending"] or not any(one["confirmed"] for one in credentials)
        return "pending" if unused else "disabled"
    return out_of_dates(user, now)


def out_of_dates(user: State, now: int | None) -> str | None:
    """The verdict that the user's dates bring about."""
    if user["valid_from"] or user["valid_until"]:
        if now is None:
            return "clock-unset"
        if now < user["valid_from"] or (user["valid_until"] and now >= user["valid_until"]):
            return "expired"
    return None


def _clean(typed: str) -> str:
    plain = typed.replace(" ", "").replace("-", "")
    return plain if plain.isascii() and plain.isdigit() else ""


def verify(state: State, world: World, request: Request) -> list[Outcome]:
    """Is this code right, now, for this user? What it uses is on flash before the answer."""
    name = request.fields["user"]
    if name not in state["users"]:
        return _verify_nobody(state, world, request)
    verdict = refusal(state, world, name)
    if verdict is not None:
        return _unlogged(state, request, verdict)
    return list(judged(state, world, request, in_use(state["users"][name]), guess=True))


def in_use(user: State) -> list[str]:
    """The names of the credentials that codes are tried against."""
    return [name for name, one in user["credentials"].items() if one["confirmed"] and one["enabled"]]


def _unlogged(state: State, request: Request, verdict: str) -> list[Outcome]:
    """A refusal that costs nothing. It may be in the log, and so answered again, or not."""
    return (
        [Outcome(verdict, [state])]
        if not request.id
        else [
            Outcome(verdict, [state]),
            Outcome(verdict, [answered(state, request, verdict)]),
        ]
    )


def _verify_nobody(state: State, world: World, request: Request) -> list[Outcome]:
    """As a user who has what new ones get, and whose codes nobody knows."""
    if wait(state, world, None, _STRANGER):
        return _unlogged(state, request, "throttled")
    typed, now = _clean(request.fields["code"]), device_time(state, world)
    if len(typed) != state["settings"]["digits"] or now is None:
        return _unlogged(state, request, "unknown-user")
    states = _guessed(state, world, None, 0)
    states.append(answered(logged(states[-1], "unknown-user"), request, "unknown-user"))
    return [Outcome("unknown-user", states)]


def judged(state: State, world: World, request: Request, names: list[str], guess: bool) -> Iterator[Outcome]:
    """Every outcome that the credentials of these names can have together."""
    name, typed = request.fields["user"], _clean(request.fields["code"])
    user, now = state["users"][name], device_time(state, world)
    tried = {key: user["credentials"][key] for key in names}
    tried = {key: one for key, one in tried.items() if one["digits"] == len(typed)}
    if not tried:
        yield from _unlogged(state, request, "malformed")
        return
    for trials in product(*(_try(state, one, typed, now) for one in tried.values())):
        words = [word for word, _ in trials]
        known = [one["secret"] for word, one in trials if word == "used" and one["secret"]]
        hits = [
            (credential, one)
            for credential, (word, one) in zip(tried, trials, strict=True)
            if word == "hit" and (one["secret"] is None or one["secret"] not in known)
        ]
        if hits:
            yield _accepted(state, world, request, hits)
        elif "used" in words:
            yield from _unlogged(state, request, "replayed")
        else:
            verdict = "clock-unset" if "untimed" in words else "rejected"
            if not guess or "miss" not in words:
                yield from _unlogged(state, request, verdict)
            else:
                states = _guessed(state, world, name, min(user["failures"] + 1, 255))
                states.append(answered(logged(states[-1], verdict), request, verdict))
                yield Outcome(verdict, states)


def _accepted(state: State, world: World, request: Request, hits: list[tuple[str, State]]) -> Outcome:
    name, now = request.fields["user"], device_time(state, world)
    states = []
    if now is not None and now >= state["floor"] + FLOOR_EVERY:
        state = changed(state, floor=now - FLOOR_LAG)
        states.append(state)
    user = dict(state["users"][name], failures=0)
    for credential, used in hits:
        user = with_credential(user, credential, used)
    state = with_user(state, name, user)
    states.append(state)
    if request.cmd in _CONFIRMING:
        used = dict(user["credentials"][hits[0][0]], confirmed=True)
        user = dict(with_credential(user, hits[0][0], used), pending=False)
        state = forgiven(logged(state, _CONFIRMING[request.cmd]), name)
        states += [state, with_user(state, name, user)]
    elif request.cmd == "burn":
        states.append(logged(forgiven(state, name), "burnt"))
    else:
        state = answered(logged(forgiven(state, name), "accepted"), request, "accepted")
        states.append(state)
    return Outcome("accepted", states, {"credential": hits[0][0]})


def user_confirm(state: State, world: World, request: Request) -> list[Outcome]:
    """The first code burns its step, then the credential is in use; a wrong one is no guess."""
    name, wanted = request.fields["user"], request.fields.get("credential")
    user = state["users"].get(name)
    if user is None or (wanted is not None and wanted not in user["credentials"]):
        return refused(state, "not-found")
    names = [
        credential
        for credential, one in user["credentials"].items()
        if wanted in (None, credential) and not one["confirmed"]
    ]
    if not names:
        return refused(state, "exists")
    return list(judged(state, world, request, names[:1], guess=False))


# Resync.


def resync(state: State, world: World, request: Request) -> list[Outcome]:
    """Two codes in a row; both are used then."""
    name, wanted = request.fields["user"], request.fields.get("credential")
    typed = [_clean(request.fields["code1"]), _clean(request.fields["code2"])]
    user = state["users"].get(name)
    if user is None:
        return _resync_nobody(state, world, typed)
    able = [
        credential
        for credential, one in user["credentials"].items()
        if one["kind"] in ("totp", "hotp") and wanted in (None, credential)
    ]
    if not able:
        return refused(state, "not-found")
    one, now = user["credentials"][able[0]], device_time(state, world)
    verdict = refusal(state, world, name)
    if verdict is None and not (one["confirmed"] and one["enabled"]):
        verdict = "disabled"
    if verdict is None and any(len(text) != one["digits"] for text in typed):
        verdict = "malformed"
    if verdict is None and one["kind"] == "totp" and now is None:
        verdict = "clock-unset"
    if verdict is not None:
        return refused(state, verdict)
    return [
        _resynced(state, world, name, able[0], trial)
        for trial in (_resync_totp if one["kind"] == "totp" else _resync_hotp)(state, one, typed, now)
    ]


def _resync_nobody(state: State, world: World, typed: list[str]) -> list[Outcome]:
    if wait(state, world, None, _STRANGER):
        return refused(state, "throttled")
    digits = 6  # of nobody's credential
    if device_time(state, world) is None or any(len(text) != digits for text in typed):
        return refused(state, "unknown-user")
    states = _guessed(state, world, None, 0)
    return [Outcome("unknown-user", [*states, logged(states[-1], "resync-refused")])]


def _resynced(state: State, world: World, name: str, credential: str, trial: Trial) -> Outcome:
    word, one = trial
    if word == "used":
        return Outcome("replayed", [state])
    if word == "miss":
        states = _guessed(state, world, name, min(state["users"][name]["failures"] + 1, 255))
        return Outcome("rejected", [*states, logged(states[-1], "resync-refused")])
    now, states = device_time(state, world), []
    if now is not None and now >= state["floor"] + FLOOR_EVERY:
        state = changed(state, floor=now - FLOOR_LAG)
        states.append(state)
    user = with_credential(dict(state["users"][name], failures=0), credential, one)
    state = forgiven(with_user(state, name, user), name)
    fields = {"drift": one["drift"]} if one["kind"] == "totp" else {"counter": one["counter"]}
    return Outcome("ok", [*states, state, logged(state, "resynced")], fields)


def _resync_totp(state: State, one: State, typed: list[str], now: int | None) -> list[Trial]:
    if one["secret"] is None or now is None:
        return [("miss", one)]
    present = now // one["interval"]
    steps = _steps(present, RESYNC_STEPS)
    hits = [step for step in steps[1:] if [code_of(one, step - 1), code_of(one, step)] == typed]
    sure, maybe = _fresh(state, one, hits)
    trials = [("hit", burnt(one, step, step - present)) for step in [*sure[:1], *maybe]]
    return trials if sure else [*trials, ("used" if hits else "miss", one)]


def _resync_hotp(_state: State, one: State, typed: list[str], _now: int | None) -> list[Trial]:
    for counter in range(one["counter"], one["counter"] + RESYNC_COUNTERS) if one["secret"] else ():
        if [code_of(one, counter), code_of(one, counter + 1)] == typed:
            used = sorted({*one["used"], counter, counter + 1})
            return [("hit", dict(one, counter=counter + 2, used=used))]
    return [("miss", one)]


def clock_regain(state: State, world: World, request: Request) -> list[Outcome]:
    """Two codes in a row set the clock; they are used by then."""
    name, floor = request.fields["user"], state["floor"]
    if device_time(state, world) is not None:
        return refused(state, "clock-refused")
    credential, one = next(
        (key, one) for key, one in state["users"][name]["credentials"].items() if one["kind"] == "totp"
    )
    typed = [_clean(request.fields["code1"]), _clean(request.fields["code2"])]
    steps = range(
        max(request.fields["low"], floor) // one["interval"], request.fields["high"] // one["interval"] + 1
    )
    hits = [step for step in steps if [code_of(one, step - 1), code_of(one, step)] == typed]
    if not hits:
        states = _guessed(state, world, name, min(state["users"][name]["failures"] + 1, 255))
        return [Outcome("rejected", [*states, logged(states[-1], "resync-refused")])]
    now = (hits[0] - one["drift"]) * one["interval"] + one["interval"] // 2
    begun = logged(state, "clock-regained")
    user = with_credential(dict(state["users"][name]), credential, burnt(one, hits[0], one["drift"]))
    used = with_user(begun, name, user)
    done = changed(at_once(used, base=(now, world.up)), floor=now)
    return [Outcome("ok", [begun, used, done], {"time": now})]


MODELS = {"verify": verify, "user_confirm": user_confirm, "resync": resync, "clock_regain": clock_regain}
