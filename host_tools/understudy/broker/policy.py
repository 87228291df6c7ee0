# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who decides a login: the network 2FA server, the device, or, when neither can, the policy. Pure.

A source either says something final, or nothing: then the next one is asked. A server's refusal is final, and
so is the device's throttling, or there would be guesses to be had at the one after the other has said no.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

SERVER = "server"
DEVICE = "device"
NOBODY = "nobody"

UPSTREAM_FIRST = "upstream-first"
DEVICE_FIRST = "device-first"
DEVICE_ONLY = "device-only"
ORDER = {
    UPSTREAM_FIRST: (SERVER, DEVICE),
    DEVICE_FIRST: (DEVICE, SERVER),
    DEVICE_ONLY: (DEVICE,),
}

# What a server says; all but the first two, and a challenge, come to the same: it can't be reached.
ACCEPTED = "accepted"
REJECTED = "rejected"
CHALLENGE = "prompt"
UNREACHABLE = "unreachable"
# A device's words are the statuses of the protocol; these are judgements.
_FINAL = {
    SERVER: frozenset((ACCEPTED, REJECTED, CHALLENGE, "replayed")),
    DEVICE: frozenset((ACCEPTED, REJECTED, "replayed", "throttled", "disabled", "expired")),
}
# What is said when there is no device that could judge so much as a recovery code. Never a word that anybody
# can bring about by asking a lot.
AWAY = frozenset(
    (
        *("no-device", "port-busy", "not-yours", "not-paired", "unclaimed", "identity"),
        *("sealed", "damaged", "handshake-failed", "version"),
    )
)


@dataclass(frozen=True)
class Outcome:
    """`word`: a status; `by`: SERVER, DEVICE, or NOBODY when none of them could say."""

    word: str
    by: str


def deciding(order: Sequence[str]) -> Generator[str, str, Outcome]:
    """Yields the sources to be asked, takes the word of each, returns the outcome.

    Of words that are not final the device's is kept: it tells the user more than that a server is away.
    """
    last = UNREACHABLE
    for source in order:
        word = yield source
        if word in _FINAL[source]:
            return Outcome(word, source)
        if source == DEVICE or last == UNREACHABLE:
            last = word
    return Outcome(last, NOBODY)


def decide(mode: str, words: Mapping[str, str]) -> Outcome:
    """The outcome when the sources say `words`."""
    steps = deciding(ORDER[mode])
    source = next(steps)
    while True:
        try:
            source = steps.send(words[source])
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def is_emergency(outcome: Outcome) -> bool:
    """Whether a named emergency account gets in: nobody can judge anything, not even a recovery code."""
    return outcome.by == NOBODY and outcome.word in AWAY


# For people.

_SERVERS = {"yes": ACCEPTED, "no": REJECTED, "silent": UNREACHABLE, "down": UNREACHABLE}
_DEVICES = {
    "yes": ACCEPTED,
    "no": REJECTED,
    "throttled": "throttled",
    "clock unset": "clock-unset",
    "sealed": "sealed",
    "absent": "no-device",
}
_SAID = {ACCEPTED: "**in**", REJECTED: "refused", "throttled": "has to wait"}


def markdown() -> str:
    """What happens for each word of a server and of the device, in each mode, as a table in Markdown."""
    lines = [
        "| mode | the server says | " + " | ".join(f"device: {name}" for name in _DEVICES) + " |",
        "|---" * (len(_DEVICES) + 2) + "|",
    ]
    for mode, order in ORDER.items():
        for name, word in _SERVERS.items() if SERVER in order else [("(not asked)", UNREACHABLE)]:
            cells = [_cell(decide(mode, {SERVER: word, DEVICE: device})) for device in _DEVICES.values()]
            lines.append(f"| {mode} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(outcome: Outcome) -> str:
    if outcome.by == NOBODY:
        return "nobody: emergency accounts" if is_emergency(outcome) else "nobody: recovery codes"
    return f"{_SAID[outcome.word]}, {outcome.by}"
