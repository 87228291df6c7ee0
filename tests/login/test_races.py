# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Logins that meet: at one instant, in any order, with the clock turned back, a thousand times.

Each is a case in which pam_oath or pam_google_authenticator lets a code in twice, or refuses an honest user,
or does not slow anybody down. Real pamtester processes with the real module, a broker, and the firmware as a
process; the codes are HOTP codes by PyPI's pyotp, of which there are enough.
"""

import json
import re
import time
from collections import Counter

from tests.login.crowd import INTERVAL, CrowdedSite, people

PAIRS = 200
EIGHT_ROUNDS = 50
HOUR = 3600
STAGGERED = (0.0, 0.0, 0.0005, 0.001)  # seconds between the two answers of a pair: the peers differ in these


# At one instant.


def together(busy: CrowdedSite, typed: list[tuple[str, str]], pause: float = 0.0) -> list[str]:
    """As many logins as there are (name, code), all of them at the prompt before the first code is typed."""
    sitting = [busy.sit(name) for name, _ in typed]
    for one, (_, code) in zip(sitting, typed, strict=True):
        one.type(code)
        time.sleep(pause)
    return [one.verdict() for one in sitting]


def test_one_code_in_two_waiting_sessions_is_accepted_once(busy: CrowdedSite) -> None:
    (alice,) = people(1)
    for number in range(PAIRS):
        code = alice.fresh()
        words = together(busy, [(alice.name, code)] * 2, STAGGERED[number % len(STAGGERED)])
        assert sorted(words) == ["accepted", "replayed"], number


def test_one_code_in_eight_waiting_sessions_is_accepted_once(busy: CrowdedSite) -> None:
    (alice,) = people(1)
    for number in range(EIGHT_ROUNDS):
        words = together(busy, [(alice.name, alice.fresh())] * 8)
        assert Counter(words) == {"accepted": 1, "replayed": 7}, number


def test_two_users_at_one_instant_both_get_in(busy: CrowdedSite) -> None:
    alice, bob = people(2)
    for number in range(PAIRS):
        codes = [(one.name, one.fresh()) for one in (alice, bob)]
        words = together(busy, codes, STAGGERED[number % len(STAGGERED)])
        assert words == ["accepted", "accepted"], number
    for one in (alice, bob):  # and neither's use was lost
        assert busy.login(one.name, one.code(one.counter - 1)) == "replayed"


def test_a_login_meanwhile_does_not_refuse_the_one_that_waits(busy: CrowdedSite) -> None:
    (alice,) = people(1)
    for number in range(20):
        waiting = busy.sit(alice.name)
        assert busy.login(alice.name, alice.fresh()) == "accepted"
        waiting.type(alice.fresh())
        assert waiting.verdict() == "accepted", number


# Guessing.


def seconds_told(text: str) -> int:
    """The wait that a refusal names."""
    (found,) = re.findall(r"try again in (\d+) s\.", text)
    return int(found)


def test_sessions_opened_before_the_limit_do_not_escape_it(busy: CrowdedSite) -> None:
    alice, bob = people(2)
    busy.admin("settings", "set", "--attempts", "5", "--delay", "3600", "--max-delay", "3600")
    waiting = [busy.sit(alice.name) for _ in range(40)]
    for one in waiting[:-1]:
        one.type(alice.wrong())
    assert Counter(one.verdict() for one in waiting[:-1]) == {"rejected": 5, "throttled": 34}
    waiting[-1].type(alice.fresh())
    assert waiting[-1].verdict() == "throttled"
    events = json.loads(busy.admin("audit", "--json").out)["events"]
    judged = [one for one in events if one.get("user") == alice.name and one["event"] == "rejected"]
    assert len(judged) == 5
    assert busy.login(bob.name, bob.fresh()) == "accepted"


def test_a_thousand_wrong_codes(busy: CrowdedSite) -> None:
    alice, bob = people(2)
    attempts, delay = 3, 8
    limits = ("--attempts", attempts, "--delay", delay, "--max-delay", delay, "--device-attempts", 5)
    busy.admin("settings", "set", *map(str, limits))
    words, start = Counter[str](), time.monotonic()
    for number in range(1000):
        words[busy.login(alice.name, alice.wrong())] += 1
        if number % 50 == 0:
            assert busy.login(bob.name, bob.fresh()) == "accepted"
    for _ in range(1000):  # and without the module, as root may
        words[busy.ask(alice.name, alice.wrong()).word] += 1
    allowed = attempts + (time.monotonic() - start) // delay + 1
    assert set(words) == {"rejected", "throttled"} and words.total() == 2000
    assert attempts <= words["rejected"] <= allowed
    told_at, told = time.monotonic(), busy.ask(alice.name)
    stated = int(told["seconds"])
    assert 0 < stated <= delay and seconds_told(told["error"]) == stated
    left = [stated]
    while (told := busy.ask(alice.name)).word != "prompt":
        assert told.word == "throttled"
        left.append(int(told["seconds"]))
        time.sleep(0.05)  # polls need not be thousands
    assert left == sorted(left, reverse=True) and time.monotonic() - told_at >= stated - 1
    assert busy.login(alice.name, alice.fresh()) == "accepted"


# The clock.


def test_no_code_comes_back_with_the_clock(busy: CrowdedSite) -> None:
    """An hour back and corrected; what was accepted before is tried at every time on the way."""
    (alice,) = people(1)
    now = time.time() // INTERVAL * INTERVAL + INTERVAL // 2  # as far as can be from another step

    def at(moment: float) -> None:
        busy.admin("clock", "set", "--back", "--time", str(int(moment)))
        # The broker remembers accepted codes, too; the device has to know by itself.
        assert busy.process is not None
        busy.process.kill()
        busy.restart()

    def none_works(codes: list[str]) -> None:
        words = [busy.login(alice.name, code) for code in codes]
        assert set(words) <= {"replayed", "rejected"}
        assert busy.login(alice.name, alice.fresh()) == "accepted"  # by counter: forgets the wrong ones

    used = []
    for moment in (now - HOUR, now):
        at(moment)
        used += [alice.timed(moment), alice.timed(moment + INTERVAL)]
        assert [busy.login(alice.name, code) for code in used[-2:]] == ["accepted", "accepted"]
        none_works(used)
    for back in range(HOUR, -1, -3 * INTERVAL):
        at(now - back)
        none_works(used)
    at(now + 2 * INTERVAL)
    assert busy.login(alice.name, alice.timed(now + 2 * INTERVAL)) == "accepted"
    none_works(used)
