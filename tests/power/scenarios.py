# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""THE table of what is cut: every command that writes to the flash, in every way that it writes.

A scenario is a device that was used (`prepare`, any number of power-ups ago), what is asked in its last
power-up (`before`, once the admin has unsealed it), and the request that is cut (`act`). Its answers are
predicted by the models; `status` is there so that a scenario tests what its name says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.power.checks import Aspects
from tests.power.models_device import host_id
from tests.power.requests import ADMIN, OTHER, VERIFIER, Made, Request, Told, ask, code
from tests.power.world import START

SECRET = b"1" * 20
STEP = START // 30
FEW = 7  # sectors, for cleaning soon
SECTORS = 12  # few, so that the emulated Pico has less to read

CLAIMED = (ask("hello"), ask("claim", name="admin's host"))


def pairing(who: str, role: str) -> tuple[Request, ...]:
    """The admin opens the window, and a host pairs."""
    return (ask("pair_open", role=role, seconds=60), ask("pair", who=who, name=f"{who}'s host"))


def enrol(user: str, **fields: object) -> Request:
    """A user whose secret is known here."""
    return ask("user_add", user=user, **{"secret": SECRET.hex(), "confirmed": True, **fields})


def typed(user: str, step: int = 0, who: str = ADMIN) -> Request:
    """A right code, `step` steps from the one in which the world began."""
    return ask("verify", who=who, user=user, code=code(SECRET, STEP + step))


# Large records, for few of them fill the flash, and all that are there are read at each start.
FILLING = (
    ask("user_add", user="f" * 64, secret="0a" * 64, label="l" * 64, issuer="i" * 64, confirmed=True),
    ask("user_remove", user="f" * 64),
)
# As much again as there is room for, so that what a cut left in a free sector is met.
GO_ROUND = FILLING * 35

# A device in use: two hosts, and users with every kind of credential, some of them used.
IN_USE = (
    *CLAIMED,
    *pairing(VERIFIER, VERIFIER),
    enrol("alice"),
    ask("recovery_make", user="alice"),
    enrol("bob", digits=8, interval=60, algorithm="SHA256"),
    enrol("bob", credential="token", kind="hotp", counter=7),
    ask("group_add", user="bob", group="staff"),
    enrol("carol", confirmed=False),
    typed("alice", who=VERIFIER),
    ask("verify", user="alice", code=Made("alice", "recovery", 3)),
    ask("verify", user="bob", code=code(SECRET, 8)),
    ask("verify", user="bob", code="000000"),
)


@dataclass(frozen=True)
class Broken:
    """A request in whose flash operation `index` the power was cut, cleanly, long before."""

    request: Request
    index: int


@dataclass(frozen=True)
class Scenario:
    """See above. `aspects`, `users`: what the emulated Pico is asked about afterwards, where time counts."""

    name: str
    act: Request
    status: str = "ok"
    prepare: Sequence[Request | Broken] = IN_USE
    before: Sequence[Request] = ()
    aspects: Aspects = frozenset()
    users: Sequence[str] = ("alice",)
    after: Sequence[Request] = ()  # life goes on, after all has been checked; under CPython only
    sealed: bool = False  # in the last power-up nobody has unsealed it before `act`
    writes: bool = True
    kept: bool = True  # whether its answer is a promise
    rtc: bool = True
    sectors: int = SECTORS
    until_cleaning: bool = False  # `FILLING` goes on until `act` has a sector to clean
    main: bool = True  # on the Pico in `make test`, too, and not in `make test-power-long` only

    def __hash__(self) -> int:
        return hash(self.name)


HOSTS, USER, AUDIT = frozenset({"hosts"}), frozenset({"users"}), frozenset({"audit"})
DEVICE_CLOCK, SETTINGS = frozenset({"clock"}), frozenset({"settings"})
REMOVED = (ask("user_remove", user="alice"),)
RETRIED = "00112233445566ff"  # the id of requests that are asked again after the cut

# The first random number of a power-up costs a new seed: "add" and "claim" show that, the others come later.
SEEDED = (ask("recovery_make", user="bob"),)

PAIRING = [
    Scenario("first format", ask("hello"), prepare=(), aspects=frozenset({"identity"}), users=()),
    Scenario(
        "claim",
        ask("claim", name="n"),
        prepare=(ask("hello"),),
        aspects=frozenset({"identity", "hosts", "audit"}),
        users=(),
    ),
    Scenario(
        "pair",
        ask("pair", who=OTHER),
        before=(*SEEDED, ask("pair_open", role=ADMIN, seconds=60)),
        aspects=HOSTS,
    ),
    Scenario("open the pairing", ask("pair_open", role=ADMIN, seconds=60), aspects=AUDIT, main=False),
    Scenario("unpair", ask("unpair", host=host_id(VERIFIER)), aspects=HOSTS),
    Scenario(
        "unpair the last admin", ask("unpair", host=host_id(ADMIN)), "last-admin", writes=False, main=False
    ),
    Scenario("unseal", ask("unseal"), sealed=True, aspects=AUDIT, main=False),
    Scenario(
        "unseal after a claim that was cut",
        ask("unseal"),
        prepare=(ask("hello"), Broken(ask("claim"), 3)),
        sealed=True,
        aspects=AUDIT,
        users=(),
        main=False,
    ),
]

USERS = [
    Scenario("add, imported", enrol("dave"), aspects=USER, users=("dave",)),
    Scenario("add, made here", ask("user_add", user="dave"), aspects=USER, main=False),
    Scenario(
        "add an hotp credential", enrol("alice", credential="token", kind="hotp"), aspects=USER, main=False
    ),
    Scenario(
        "add again what was never confirmed",
        enrol("carol", digits=7),
        aspects=USER,
        users=("carol",),
        main=False,
    ),
    Scenario("add what is there", enrol("alice"), "exists", writes=False, main=False),
    Scenario(
        "confirm",
        ask("user_confirm", user="carol", code=code(SECRET, STEP)),
        "accepted",
        before=SEEDED,
        aspects=USER,
        users=("carol",),
    ),
    Scenario(
        "remove",
        ask("user_remove", user="alice"),
        aspects=USER,
        after=(
            ask("user_remove", user="alice"),
            enrol("erin"),
            typed("erin"),
            enrol("alice"),
            typed("alice"),
        ),
    ),
    Scenario(
        "reset",
        ask("user_reset", user="bob"),
        before=SEEDED,
        aspects=USER,
        users=("bob",),
        after=(ask("user_reset", user="bob"), enrol("bob"), typed("bob")),
    ),
    Scenario("disable", ask("user_set", user="alice", enabled=False), before=SEEDED, aspects=USER),
    Scenario(
        "enable",
        ask("user_set", user="alice", enabled=True),
        prepare=(*IN_USE, ask("user_set", user="alice", enabled=False)),
        aspects=USER,
        main=False,
    ),
    Scenario("dates", ask("user_set", user="alice", valid_until=START + 40), aspects=USER, main=False),
    Scenario("into a group", ask("group_add", user="alice", group="staff"), aspects=USER, main=False),
    Scenario("out of a group", ask("group_remove", user="bob", group="staff"), aspects=USER, main=False),
    Scenario(
        "disable a credential",
        ask("credential_set", user="bob", credential="token", enabled=False),
        aspects=USER,
        users=("bob",),
        main=False,
    ),
    Scenario(
        "remove a credential",
        ask("credential_remove", user="bob", credential="token"),
        aspects=USER,
        users=("bob",),
        main=False,
    ),
    Scenario("recovery codes", ask("recovery_make", user="alice"), aspects=USER, main=False),
    Scenario("a bypass code", ask("bypass_make", user="carol", seconds=600), aspects=USER, main=False),
]

# Dave is invited; a login has begun to enrol him; his first code, by the host that may verify.
INVITED = (*IN_USE, ask("user_invite", user="dave"))
BEGUN = (*INVITED, ask("enrol", who=VERIFIER, user="dave"))
FIRST_CODE = ask("enrol_confirm", who=VERIFIER, user="dave", code=Told("dave", "phone", STEP))

ENROLMENT = [
    Scenario("invite", ask("user_invite", user="dave"), aspects=USER, users=("dave",), main=False),
    Scenario("invite who is there", ask("user_invite", user="alice"), "exists", writes=False, main=False),
    Scenario("enrol at a login", BEGUN[-1], prepare=INVITED, aspects=USER, users=("dave",), main=False),
    Scenario(
        "enrol at a login, once more",
        BEGUN[-1],
        prepare=BEGUN,
        before=SEEDED,
        aspects=AUDIT,
        users=("dave",),
        main=False,
    ),
    Scenario(
        "enrol at a login, after a reset",
        ask("enrol", who=VERIFIER, user="alice"),
        prepare=(*IN_USE, ask("user_reset", user="alice")),
        aspects=USER,
        main=False,
    ),
    Scenario(
        "confirm at a login",
        replace(FIRST_CODE, id=RETRIED),
        "accepted",
        prepare=BEGUN,
        before=SEEDED,
        aspects=USER | AUDIT,
        users=("dave",),
    ),
    Scenario(
        "confirm at a login, asked again by nobody",
        FIRST_CODE,
        "accepted",
        prepare=BEGUN,
        aspects=USER,
        users=("dave",),
        main=False,
    ),
    Scenario(
        "confirm at a login, asked again",
        replace(FIRST_CODE, id=RETRIED),
        "accepted",
        prepare=(*BEGUN, replace(FIRST_CODE, id=RETRIED)),
        aspects=USER,
        users=("dave",),
        main=False,
    ),
    Scenario(
        "confirm at a login, wrong",
        replace(FIRST_CODE, fields={**FIRST_CODE.fields, "code": "000000"}, id=RETRIED),
        "rejected",
        prepare=BEGUN,
        aspects=USER,
        users=("dave",),
        kept=False,
        main=False,
    ),
]

DEVICE = [
    Scenario("settings", ask("settings_set", digits=8, window=3, attempts=3), aspects=SETTINGS),
    Scenario("clock", ask("clock_set", time=START + 90), aspects=DEVICE_CLOCK),
    Scenario(
        "clock, not known before",
        ask("clock_set", time=START + 60),
        rtc=False,
        aspects=DEVICE_CLOCK,
        main=False,
    ),
    Scenario(
        "clock told, not known before",
        ask("clock_tell", time=START + 60),
        rtc=False,
        aspects=AUDIT,
        main=False,
    ),
    Scenario(
        "clock regained",
        ask(
            "clock_regain",
            user="alice",
            code1=code(SECRET, STEP + 20),
            code2=code(SECRET, STEP + 21),
            low=START,
            high=START + 1200,
        ),
        rtc=False,
        aspects=DEVICE_CLOCK | USER,
        main=False,
    ),
    Scenario("clock back", ask("clock_set", time=START - 90000, back=True), aspects=DEVICE_CLOCK, main=False),
]

WRONG = ask("verify", user="alice", code="000000")
CODES = [
    Scenario("verify accepted", replace(typed("alice", 1, VERIFIER), id=RETRIED), "accepted", aspects=AUDIT),
    Scenario(
        "verify accepted, the floor follows",
        typed("alice", 240),
        "accepted",
        before=(ask("wait", seconds=7200),),
        aspects=DEVICE_CLOCK,
    ),
    Scenario("verify wrong", replace(WRONG, id=RETRIED), "rejected", aspects=USER | AUDIT),
    Scenario("verify wrong, the last before a wait", WRONG, "rejected", before=(WRONG,) * 4, aspects=USER),
    Scenario(
        "verify wrong, the last that the device allows",
        WRONG,
        "rejected",
        before=(ask("settings_set", device_attempts=5, attempts=20), *(WRONG,) * 3),
        aspects=USER,
        main=False,
    ),
    Scenario(
        "verify throttled", WRONG, "throttled", before=(WRONG,) * 5, aspects=USER, kept=False, main=False
    ),
    Scenario("verify replayed", typed("alice"), "replayed", kept=False, main=False),
    Scenario(
        "verify of a stranger",
        ask("verify", user="mallory", code="000000"),
        "unknown-user",
        aspects=AUDIT,
        main=False,
    ),
    Scenario(
        "hotp accepted",
        ask("verify", user="bob", code=code(SECRET, 12)),
        "accepted",
        aspects=USER,
        users=("bob",),
    ),
    Scenario(
        "recovery code accepted",
        ask("verify", user="alice", code=Made("alice", "recovery", 5)),
        "accepted",
        aspects=USER,
    ),
    Scenario(
        "bypass code accepted",
        ask("verify", user="carol", code=Made("carol", "bypass")),
        "accepted",
        prepare=(*IN_USE, ask("bypass_make", user="carol", seconds=60000)),
        aspects=USER,
        users=("carol",),
        main=False,
    ),
    Scenario(
        "resync, totp",
        ask("resync", user="alice", code1=code(SECRET, STEP + 20), code2=code(SECRET, STEP + 21)),
        aspects=USER,
    ),
    Scenario(
        "resync, hotp",
        ask(
            "resync",
            user="bob",
            credential="token",
            code1=code(SECRET, 70),
            code2=code(SECRET, 71),
        ),
        aspects=USER,
        users=("bob",),
        main=False,
    ),
    Scenario(
        "resync refused",
        ask("resync", user="alice", code1="000000", code2="000001"),
        "rejected",
        aspects=USER,
        main=False,
    ),
]

# What another server has accepted, as the host that may verify tells of it.
BURN = replace(typed("alice", 1, VERIFIER), cmd="burn")
REPORT = ask("report", who=VERIFIER, event="emergency", user="alice", time=START)

ELSEWHERE = [
    Scenario("burn", BURN, aspects=USER | AUDIT, main=False),
    Scenario("burn, asked again", replace(BURN, id=RETRIED), aspects=USER | AUDIT, main=False),
    Scenario(
        "burn, the floor follows",
        replace(BURN, fields={"user": "alice", "code": code(SECRET, STEP + 240)}),
        before=(ask("wait", seconds=7200),),
        aspects=DEVICE_CLOCK | USER,
        main=False,
    ),
    Scenario(
        "burn an hotp code",
        ask("burn", who=VERIFIER, user="bob", code=code(SECRET, 12)),
        aspects=USER,
        users=("bob",),
        main=False,
    ),
    Scenario(
        "burn a recovery code",
        ask("burn", who=VERIFIER, user="alice", code=Made("alice", "recovery", 5)),
        aspects=USER,
        main=False,
    ),
    Scenario("burn of who has to wait", BURN, before=(WRONG,) * 5, aspects=USER, main=False),
    Scenario(
        "burn what was used",
        replace(BURN, fields=typed("alice").fields),
        writes=False,
        main=False,
    ),
    Scenario("burn what is wrong", replace(BURN, fields=WRONG.fields), writes=False, kept=False, main=False),
    Scenario("report", REPORT, aspects=AUDIT, main=False),
    Scenario(
        "report of a stranger",
        ask("report", user="mallory", event="local-bypass", time=START),
        aspects=AUDIT,
        main=False,
    ),
    Scenario("report, too many", REPORT, "throttled", before=(REPORT,) * 30, writes=False, main=False),
]

CLEANING = [
    Scenario(
        "cleaning, in a verify",
        typed("alice", 1),
        "accepted",
        after=GO_ROUND,
        aspects=AUDIT,
        until_cleaning=True,
        sectors=FEW,
    ),
    Scenario(
        "cleaning, between requests",
        ask("tidy"),
        kept=False,
        until_cleaning=True,
        aspects=AUDIT,
        sectors=FEW,
        main=False,
    ),
    Scenario("cleaning, in a burn", BURN, aspects=USER, until_cleaning=True, sectors=FEW, main=False),
    Scenario("cleaning, in a report", REPORT, aspects=AUDIT, until_cleaning=True, sectors=FEW, main=False),
    Scenario(
        "cleaning, in an add",
        enrol("dave"),
        aspects=USER,
        users=("dave",),
        until_cleaning=True,
        sectors=FEW,
        main=False,
    ),
    Scenario(
        "cleaning, in a remove",
        ask("user_remove", user="bob"),
        aspects=USER,
        until_cleaning=True,
        sectors=FEW,
        main=False,
    ),
    # The record is in the first half of the sector to be cleaned, and what removes it in the second.
    Scenario(
        "cleaning, of a user half removed",
        typed("alice", 1),
        "accepted",
        prepare=(*IN_USE, enrol("erin"), *FILLING * 4, Broken(ask("user_remove", user="erin"), 1)),
        aspects=USER,
        until_cleaning=True,
        sectors=FEW,
        main=False,
    ),
]

SCENARIOS = [*PAIRING, *USERS, *ENROLMENT, *DEVICE, *CODES, *ELSEWHERE, *CLEANING]

# Commands that change nothing.
READ_ONLY = {
    "status",
    "screen",
    "host_list",
    "user_list",
    "user_show",
    "user_state",
    "credential_show",
    "settings_show",
    "clock_show",
    "audit_read",
}
