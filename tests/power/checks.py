# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is asked of a device after a power cut, and how its answers are judged.

The judge is always `Belief.tell`; this only chooses the questions. A further command of the kind that shows
something needs its model and a line in `shown`.
"""

from collections.abc import Iterable, Iterator, Sequence

from tests.power.belief import Belief
from tests.power.engine import Running
from tests.power.model import State, device_time
from tests.power.models_codes import code_of, wait, window_of
from tests.power.requests import ADMIN, Request, ask

from understudy_device.events import Event, chain
from understudy_device.protocol import VERDICTS

Aspects = frozenset[str]
_MAY_BE_GONE = 8  # of the events that the models remember
_REFUSALS = {"fault", "restarted", *VERDICTS} - {"accepted"}
ALL: Aspects = frozenset({"identity", "settings", "clock", "hosts", "users", "audit"})


def opened(belief: Belief, aspects: Aspects = ALL) -> list[Request]:
    """It has booted, knows whether it is claimed, and every host that it may have can unseal it."""
    hosts = belief.hosts() if "hosts" in aspects else [ADMIN] if ADMIN in belief.hosts() else []
    return [ask("state"), *(ask("unseal", who=host) for host in hosts)]


def shown(belief: Belief, aspects: Aspects = ALL) -> list[Request]:
    """All that it tells without changing anything; the audit log is for `audited`."""
    questions: dict[str, list[Request]] = {
        "identity": [ask("hello")],
        "settings": [ask("settings_show")],
        "clock": [ask("clock_show")],
        "hosts": [ask("host_list")],
        "users": [ask("user_list"), *_of_users(belief)],
        "audit": [],
    }
    allowed = aspects if belief.hosts() else aspects & {"identity"}
    return [question for aspect in sorted(allowed) for question in questions[aspect]]


def _of_users(belief: Belief) -> Iterator[Request]:
    for name, users in belief.users().items():
        yield ask("user_show", user=name)
        yield ask("user_state", user=name)
        for credential in sorted({name for user in users for name in user["credentials"]}):
            yield ask("credential_show", user=name, credential=credential)


# Codes.


def _chosen(belief: Belief, names: Iterable[str] | None) -> list[str]:
    return [name for name in belief.users() if names is None or name in names]


def used_codes(belief: Belief, names: Iterable[str] | None = None) -> list[Request]:
    """Codes that were accepted, or may have been, once more; not old ones, which would be guesses."""
    requests = []
    for name in _chosen(belief, names):
        texts = {text for state in belief.states for text in _used(belief, state, name)}
        requests += [ask("verify", user=name, code=text) for text in sorted(texts)]
    return requests


def _used(belief: Belief, state: State, name: str) -> Iterator[str]:
    now = device_time(state, belief.world)
    for one in state["users"].get(name, {"credentials": {}})["credentials"].values():
        if one["kind"] in ("recovery", "bypass"):
            yield from one["used"]
        elif one["secret"] is None:
            continue
        elif one["kind"] == "hotp":
            yield from (code_of(one, counter) for counter in one["used"] if counter == one["counter"] - 1)
        elif now is not None:
            reach = window_of(state, one) + abs(one["drift"])
            present = now // one["interval"]
            yield from (code_of(one, step) for step in one["used"] if abs(step - present) <= reach)


def fresh_codes(belief: Belief, names: Iterable[str] | None = None) -> list[Request]:
    """Codes that were never used, when nobody has to wait any more: nobody is locked out."""
    chosen = _chosen(belief, names)
    seconds = max((_until_fresh(belief, name) for name in chosen), default=0)
    if not seconds:
        return []
    requests = [ask("wait", seconds=seconds)]
    for name in chosen:
        texts = {text for state in belief.states for text in _fresh(belief, state, name, seconds)}
        for text in sorted(texts):
            requests += [ask("verify", user=name, code=text)] * 2  # the second time it is a used one
    return requests


def _until_fresh(belief: Belief, name: str) -> int:
    seconds = 0
    for state in belief.states:
        user = state["users"].get(name)
        if user is not None:
            seconds = max(seconds, wait(state, belief.world, name, user["failures"]))
            for one in user["credentials"].values():
                reach = 2 * window_of(state, one) + abs(one["drift"]) + 1
                seconds = max(seconds, reach * one["interval"] if one["kind"] == "totp" else 1)
    return seconds


def _fresh(belief: Belief, state: State, name: str, seconds: int) -> Iterator[str]:
    now = device_time(state, belief.world)
    for one in state["users"].get(name, {"credentials": {}})["credentials"].values():
        if one["codes"]:
            yield from [text for text in one["codes"] if text not in one["used"]][:1]
        elif one["secret"] is not None and one["kind"] == "hotp":
            yield code_of(one, one["counter"])
        elif one["secret"] is not None and now is not None:
            yield code_of(one, (now + seconds) // one["interval"])


# The audit log.


def audited(device: Running, belief: Belief) -> None:
    """Read all of it: nothing that it has to tell is missing, and its chain verifies."""
    names: list[str] = []
    first, hashed, head = 0, None, b""
    while True:
        question = ask("audit_read", first=first)
        (page,) = device.ask([question])
        belief.tell(question, page)
        head = bytes.fromhex(page["head"])
        if not page["events"]:
            break
        if page["chain"] is not None:
            before = bytes.fromhex(page["chain"])
            assert hashed in (None, before), f"event {page['events'][0][0]} is chained to something else"
            hashed = before
        for number, data, *_ in page["events"]:
            assert not names or number == first, f"event {first} is missing, there is {number}"
            event, first = bytes.fromhex(data), number + 1
            hashed = None if hashed is None else chain(hashed, event)
            names.append(Event.unpack(event).name)
    assert first in (0, page["next"]), f"the log ends with event {first - 1}, and {page['next']} is to come"
    assert not names or hashed == head, "the chain does not end in its head"
    has_come_round = bool(names) and first != len(names)
    states = [state for state in belief.states if _among(_kept(state["told"], names, has_come_round), names)]
    assert states, f"the audit log has {names[-20:]}, and has to have {[s['told'] for s in belief.states]}"
    belief.states = states


def _kept(told: list[str], names: list[str], has_come_round: bool) -> list[str]:
    """Those of the events `told` that have to be among `names`, what the log has."""
    if not has_come_round:
        return told
    # The oldest are gone, by whole sectors. On a small flash that leaves few at times, and refusals among
    # them, which the models don't remember.
    surely = sum(name not in _REFUSALS for name in names)
    return told[max(_MAY_BE_GONE, len(told) - surely) :]


def _among(wanted: list[str], names: list[str]) -> bool:
    rest = iter(names)
    return all(any(name == one for one in rest) for name in wanted)


# All of it.


def told(device: Running, belief: Belief, requests: Sequence[Request]) -> None:
    """Ask, and judge the answers."""
    for request, reply in zip(requests, device.ask(requests), strict=True):
        belief.tell(request, reply)


def check(
    device: Running,
    belief: Belief,
    aspects: Aspects = ALL,
    users: Iterable[str] | None = None,
    again: Sequence[Request] = (),
) -> None:
    """All of it, in few messages: a device may be far away.

    `users`: whose codes are tried; `again`: what is asked first of all, once it is unsealed. `belief` has
    been restarted, and knows afterwards what the device is like.
    """
    told(device, belief, opened(belief, aspects))
    if not belief.world.rtc and ADMIN in belief.hosts():
        told(device, belief, [ask("clock_set", time=belief.world.now)])
    told(device, belief, [*again, *shown(belief, aspects), *used_codes(belief, users)])
    told(device, belief, fresh_codes(belief, users))
    if "audit" in aspects and ADMIN in belief.hosts():
        audited(device, belief)
