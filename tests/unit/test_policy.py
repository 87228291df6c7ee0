# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The decision is pure and total: every combination of its inputs has the one verdict that the design's order
gives it."""

import unittest

import pyotp
from parts import NOW, Randomness
from understudy_device.clock import Clock
from understudy_device.policy import Moment, code_hash, decide
from understudy_device.protocol import DEFAULTS, VERDICTS
from understudy_device.users import Credential, State, TotpUse, User, pack_codes

SECRETS = {"totp": b"1" * 20, "hotp": b"2" * 20}
STEP = NOW // 30
SALT = b"saltsalt"
RECOVERY = ("1111111111", "2222222222")
BYPASS = "3333333333"
USED_BYPASS = "4444444444"
WAIT = 7

KINDS = ("totp", "hotp", "recovery", "bypass")
CONDITIONS = ("unconfirmed", "disabled", "active")
# Sets of credentials: (kind, condition) each; the first is the one whose code is typed.
SETS = [()] + [((kind, condition),) for kind in KINDS for condition in CONDITIONS]
PAIRS = [(one, other) for one in KINDS for other in KINDS if one != other]
SETS += [((one, "active"), (other, condition)) for one, other in PAIRS for condition in CONDITIONS]
SETS += [((one, condition), (other, "active")) for one, other in PAIRS for condition in CONDITIONS[:2]]
DATES = {
    "none": (0, 0),
    "too early": (NOW + 1, 0),
    "begins now": (NOW, 0),
    "ends next": (0, NOW + 1),
    "over": (NOW - 9, NOW),
}
TYPED = ("right", "used", "wrong", "of another length", "no code")


def code(kind, counter):
    """The code (text) of a shared secret."""
    return pyotp.HOTP(pyotp.base32.encode(SECRETS[kind])).at(counter)


def make_credential(kind, condition):
    """A Credential with the digits that its kind has here: 6 or 10."""
    if kind in SECRETS:
        one = Credential(kind, kind, SECRETS[kind], 6)
    else:
        codes = RECOVERY if kind == "recovery" else (BYPASS, USED_BYPASS)
        hashes = [code_hash(SALT, text) for text in codes]
        one = Credential(kind, kind, pack_codes(NOW + 60 if kind == "bypass" else 0, SALT, hashes), 10)
    one.confirmed, one.enabled = condition != "unconfirmed", condition != "disabled"
    return one


def make_user(enabled, pending, dates, kinds):
    """A User."""
    user = User("alice")
    user.enabled, user.pending = enabled, pending
    user.valid_from, user.valid_until = DATES[dates]
    for kind, condition in kinds:
        user.put(make_credential(kind, condition))
    return user


def make_state(user, drift, typed):
    """A State in which the first credential has used something, with 3 failures before."""
    uses = {}
    for one in user.credentials:
        if one.kind == "totp":
            last = STEP + 2 * drift if typed == "used" else STEP - 5
            uses[one.id] = TotpUse(last, drift, last, 1).pack()
        elif one.kind == "hotp":
            uses[one.id] = (9).to_bytes(5, "big")
        else:
            uses[one.id] = (2).to_bytes(2, "big")  # the second code is used
    return State(3, uses)


def what_is_typed(kinds, drift, typed):
    """The text."""
    kind = kinds[0][0] if kinds else "totp"
    if typed == "of another length":
        return "12345678"
    if typed == "no code":
        return "12345a" if kind in SECRETS else "12345a7890"
    if typed == "wrong":
        return "000000" if kind in SECRETS else "0000000000"
    if kind == "totp":
        return code("totp", STEP + 2 * drift)  # within the window of 1 by the drift only
    if kind == "hotp":
        return code("hotp", 8 if typed == "used" else 19)
    return {"recovery": RECOVERY, "bypass": (BYPASS, USED_BYPASS)}[kind][typed == "used"]


def judged(kinds, typed, has_clock):
    """What the design says once the code is looked at: (verdict, whether it is a guess)."""
    short = not kinds or kinds[0][0] in SECRETS
    if typed in ("of another length", "no code"):
        return "malformed", False
    said = set()
    for position, (kind, condition) in enumerate(kinds):
        if condition != "active" or (kind in SECRETS) != short:
            continue
        if kind in ("totp", "bypass") and not has_clock:
            said.add("clock-unset")
        elif position == 0 and typed != "wrong":
            said.add("accepted" if typed == "right" else "replayed")
        else:
            said.add("rejected")
    for verdict in ("accepted", "replayed"):
        if verdict in said:
            return verdict, False
    if not said:
        return "malformed", False
    return "clock-unset" if "clock-unset" in said else "rejected", "rejected" in said


def expected(enabled, pending, dates, has_clock, wait, kinds, typed):
    """The order of the design, said once more."""
    conditions = [condition for _, condition in kinds]
    if not enabled:
        return "disabled", False
    if "active" not in conditions:
        is_enrolled = not pending and "disabled" in conditions
        return "disabled" if is_enrolled else "pending", False
    if dates != "none" and not has_clock:
        return "clock-unset", False
    if dates in ("too early", "over"):
        return "expired", False
    if wait:
        return "throttled", False
    return judged(kinds, typed, has_clock)


def moment(has_clock):
    """A Moment at NOW, or of a clock that is unset."""
    clock = Clock(lambda: 0)
    if has_clock:
        clock.set(NOW, "admin")
    return Moment(clock)


def cases():
    """Every combination that can differ: the drift matters to a TOTP credential only."""
    for enabled in (True, False):
        for pending in (False, True):
            for dates in DATES:
                for has_clock in (True, False):
                    for wait in (0, WAIT):
                        for kinds in SETS:
                            for typed in TYPED:
                                yield enabled, pending, dates, has_clock, wait, kinds, typed


class Table(unittest.TestCase):
    def check(self, case, drift):
        """One row; returns its verdict."""
        enabled, pending, dates, has_clock, wait, kinds, typed = case
        user = make_user(enabled, pending, dates, kinds)
        state = make_state(user, drift, typed)
        text = what_is_typed(kinds, drift, typed)
        before = user.pack(), state.pack(), sorted(state.uses)
        decision = decide(user, state, text, moment(has_clock), wait, DEFAULTS)
        row = (case, drift, decision.verdict, decision.is_guess)
        self.assertEqual(row, (case, drift) + expected(*case))
        self.assertEqual(decision.seconds, wait if decision.verdict == "throttled" else decision.seconds)
        self.assertEqual((user.pack(), state.pack(), sorted(state.uses)), before)
        if decision.verdict == "accepted":
            self.assertEqual((decision.state.failures, decision.credential.kind), (0, kinds[0][0]))
            self.assertNotEqual(decision.state.pack(), state.pack())
        elif decision.is_guess:
            self.assertEqual((decision.state.failures, decision.state.uses), (4, state.uses))
        else:
            self.assertIsNone(decision.state)
        return decision.verdict

    def test_every_combination(self):
        seen = set()
        for case in cases():
            has_totp = [kind for kind, _ in case[5] if kind == "totp"] and case[3] and not case[4]
            for drift in (-1, 0, 1) if has_totp and case[0] and not case[1] else (0,):
                seen.add(self.check(case, drift))
        self.assertEqual(seen, set(VERDICTS) - {"unknown-user"})  # that one is the directory's to say

    def test_a_code_that_was_accepted_is_known_in_the_state_kept(self):
        for kind in KINDS:
            user = make_user(True, False, "none", ((kind, "active"),))
            state = make_state(user, 0, "right")
            text = what_is_typed(((kind, "active"),), 0, "right")
            decision = decide(user, state, text, moment(True), 0, DEFAULTS)
            kept = State.unpack(decision.state.pack())
            again = decide(User.unpack(user.pack()), kept, text, moment(True), 0, DEFAULTS)
            self.assertEqual((kind, decision.verdict, again.verdict), (kind, "accepted", "replayed"))

    def test_the_wait_is_said(self):
        user = make_user(True, False, "none", (("totp", "active"),))
        decision = decide(user, State(), "000000", moment(True), WAIT, DEFAULTS)
        self.assertEqual((decision.verdict, decision.seconds), ("throttled", WAIT))


class Anything(unittest.TestCase):
    """Whatever is typed has a verdict."""

    ALPHABET = "0123456789012345678901234567890123456789  --+_.eExa\x00\n\x7fé١٢²𝟙\ud800"

    def text(self, random):
        """Up to 64 characters, digits mostly."""
        length = random(1)[0] % (65 if random(1)[0] % 4 == 0 else 14)
        return "".join(self.ALPHABET[byte % len(self.ALPHABET)] for byte in random(length))

    def test_no_text_raises(self):
        random = Randomness(b"texts")
        kinds = [(kind, "active") for kind in KINDS]
        user = make_user(True, False, "none", kinds)
        state = make_state(user, 0, "right")
        verdicts = []
        for number in range(1500):
            text = self.text(random)
            verdict = decide(user, state, text, moment(number % 5), 0, DEFAULTS).verdict
            plain = [char for char in text if char not in " -"]
            is_code = len(plain) in (6, 10) and not [char for char in plain if char not in "0123456789"]
            self.assertEqual((text, verdict == "malformed"), (text, not is_code))
            verdicts.append(verdict)
        self.assertEqual(set(verdicts), {"malformed", "rejected", "clock-unset"})
        self.assertTrue(verdicts.count("malformed") < 1490)

    def test_spaces_and_dashes_are_dropped_anywhere(self):
        user = make_user(True, False, "none", (("totp", "active"),))
        right = code("totp", STEP)
        for text in (right, " " + right, right + " ", "-".join(right), right[:3] + "  -" + right[3:]):
            self.assertEqual(decide(user, State(), text, moment(True), 0, DEFAULTS).verdict, "accepted")
        for text in ("\t" + right, right + "\n", right[:3] + "\u00a0" + right[3:], "+" + right, right + "."):
            self.assertEqual(decide(user, State(), text, moment(True), 0, DEFAULTS).verdict, "malformed")


if __name__ == "__main__":
    unittest.main()
