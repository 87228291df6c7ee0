# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Users, credentials and what is used of them, as bytes and back, at all limits."""

import unittest

from storeparts import Dice
from understudy_device.errors import NotFound
from understudy_device.protocol import (
    ALGORITHMS,
    BYPASS,
    DIGITS,
    KINDS,
    MAX_COUNTER,
    MAX_CREDENTIAL_NAME,
    MAX_CREDENTIALS,
    MAX_GROUP_NAME,
    MAX_GROUPS,
    MAX_NAME,
    MAX_SECRET,
    MAX_TIME,
    MAX_WINDOW,
    RECOVERY,
    RECOVERY_CODES,
    TOTP,
)
from understudy_device.sectors import MAX_RECORD
from understudy_device.users import CODE_HASH, SALT, Credential, State, TotpUse, User, pack_codes

SEALING = 36  # bytes that sealing adds


def fields(thing):
    """All that a user or a credential holds."""
    out = {name: value for name, value in thing.__dict__.items() if name != "credentials"}
    if isinstance(thing, User):
        out["credentials"] = [fields(one) for one in thing.credentials]
    return out


def text(dice, most):
    """Of up to `most` bytes, not of ASCII only."""
    out = ""
    while dice(12):
        char = "aZ09 .@-\n\x00é€\U0001f511"[dice(13)]
        if len((out + char).encode()) > most:
            break
        out += char
    return out or "x"


def some_credential(dice, name):
    """Of any kind."""
    kind = KINDS[dice(4)]
    if kind in (RECOVERY, BYPASS):
        count = 1 if kind == BYPASS else RECOVERY_CODES
        until = (0, 1, MAX_TIME)[dice(3)]
        secret = pack_codes(until, dice.some(SALT), [dice.some(CODE_HASH) for _ in range(count)])
    else:
        secret = dice.some(10 + dice(MAX_SECRET - 9))
    one = Credential(kind, name, secret, DIGITS[dice(4)], (5, 30, 300)[dice(3)])
    one.window = (None, 0, 1, MAX_WINDOW)[dice(4)]
    one.algorithm = ALGORITHMS[dice(3)]
    one.confirmed, one.enabled, one.at_login = dice(2) == 0, dice(2) == 0, dice(2) == 0
    return one


def some_user(dice):
    """With anything that a user can have."""
    user = User(text(dice, MAX_NAME))
    user.enabled, user.pending = dice(2) == 0, dice(2) == 0
    user.valid_from, user.valid_until = (0, 1, MAX_TIME)[dice(3)], (0, 5, MAX_TIME)[dice(3)]
    user.groups = [text(dice, MAX_GROUP_NAME) for _ in range(dice(MAX_GROUPS + 1))]
    for number in range(dice(MAX_CREDENTIALS + 1)):
        user.put(some_credential(dice, text(dice, MAX_CREDENTIAL_NAME - 1) + "%d" % number))
    return user


class Users(unittest.TestCase):
    def test_any_user_comes_back(self):
        dice = Dice(11)
        for _ in range(400):
            user = some_user(dice)
            again = User.unpack(user.pack())
            self.assertEqual(fields(again), fields(user))
            self.assertEqual((again.pack(), again.state), (user.pack(), user.state))

    def test_the_largest_fits_into_a_record(self):
        user = User("€" * (MAX_NAME // 3) + "x")
        user.valid_from = user.valid_until = MAX_TIME
        user.groups = ["g" * MAX_GROUP_NAME] * MAX_GROUPS
        recovery = pack_codes(MAX_TIME, b"s" * SALT, [b"h" * CODE_HASH] * RECOVERY_CODES)
        for number in range(MAX_CREDENTIALS):
            secret = b"s" * MAX_SECRET if number else recovery
            name = "%d" % number * MAX_CREDENTIAL_NAME
            user.put(Credential(KINDS[number % 4], name, secret, 10, 300, MAX_WINDOW, "SHA512"))
        self.assertEqual(fields(User.unpack(user.pack())), fields(user))
        self.assertTrue(len(user.pack()) + SEALING <= MAX_RECORD)

    def test_a_typical_one_is_small(self):
        user = User("alice.a.")
        user.put(Credential(TOTP, "phone", b"s" * 20, 6))
        self.assertEqual(len(user.pack()), 2 + 9 + 1 + 8 + 6 + 21)

    def test_what_an_admin_is_told_of_the_state(self):
        user = User("alice")
        self.assertEqual(user.state, "unconfirmed")
        user.put(Credential(TOTP, "phone", b"s" * 20, 6, confirmed=False))
        self.assertEqual((user.state, user.credentials[0].state), ("unconfirmed", "unconfirmed"))
        user.credentials[0].confirmed = True
        self.assertEqual((user.state, user.credentials[0].state), ("active", "active"))
        user.credentials[0].enabled = False
        self.assertEqual((user.state, user.credentials[0].state), ("active", "disabled"))
        self.assertFalse(user.credentials[0].usable)
        user.pending = True
        self.assertEqual(user.state, "pending")
        user.enabled = False
        self.assertEqual(user.state, "disabled")

    def test_a_credential_is_found_by_its_name(self):
        user = User("alice")
        user.put(Credential(TOTP, "phone", b"s" * 20, 6))
        self.assertEqual(user.credential("phone").id, 1)
        with self.assertRaises(NotFound):
            user.credential("token")

    def test_codes_made_here(self):
        one = Credential(RECOVERY, "r", pack_codes(77, b"12345678", [b"abcdefgh", b"ABCDEFGH"]), 10)
        self.assertEqual((one.until, one.salt, one.hashes), (77, b"12345678", [b"abcdefgh", b"ABCDEFGH"]))


class Ids(unittest.TestCase):
    """A credential's number is not another's, and not one's that has just been taken away."""

    def test_they_go_round(self):
        user = User("alice")
        given = []
        for _ in range(40):
            user.put(Credential(TOTP, "phone", b"s" * 20, 6))
            self.assertEqual(len(user.credentials), 1)
            given.append(user.credentials[0].id)
            user = User.unpack(user.pack())
        self.assertEqual(given, [i % 15 + 1 for i in range(40)])

    def test_no_two_have_the_same(self):
        dice = Dice(2)
        user = User("alice")
        last_seen = {}
        for turn in range(600):
            name = "c%d" % dice(MAX_CREDENTIALS)
            if dice(3) == 0:
                user.credentials = [one for one in user.credentials if one.name != name]
                continue
            user.put(Credential(TOTP, name, b"s" * 20, 6))
            ids = [one.id for one in user.credentials]
            self.assertEqual(len(set(ids)), len(ids))
            self.assertTrue(min(ids) >= 1 and max(ids) <= 15)
            new = ids[-1]
            self.assertTrue(turn - last_seen.get(new, -100) > 1)  # not at once again
            last_seen = {one: turn if one in ids else last_seen[one] for one in set(last_seen) | set(ids)}
            user = User.unpack(user.pack())


class Uses(unittest.TestCase):
    def test_totp(self):
        most = 0xFFFFFFFE
        for last in (-1, 0, 1, 59999999, most):
            for drift in (-128, -1, 0, 60, 127):
                for recent in (-1, 0, last, most):
                    for run in (0, 1, 255, 256, 511):
                        use = TotpUse.unpack(TotpUse(last, drift, recent, run).pack())
                        self.assertEqual((use.last, use.drift, use.recent), (last, drift, recent))
                        self.assertTrue(use.in_run(run))
                        self.assertFalse(use.in_run(run + 1) or use.in_run(run + 255))
        self.assertEqual(len(TotpUse(5, 1, 5, 7).pack()), 6)
        for data in (None, b""):
            never = TotpUse.unpack(data)
            self.assertEqual((never.last, never.drift, never.recent), (-1, 0, -1))

    def test_any_state_comes_back(self):
        dice = Dice(9)
        for _ in range(500):
            uses = {}
            for _ in range(dice(MAX_CREDENTIALS + 1)):
                use = (TotpUse(dice(99999), 0, dice(99999), 3).pack(), b"\x00\xff\xff\xff\xff", b"\x03\xff")[
                    dice(3)
                ]
                uses[1 + dice(15)] = use
            state = State(dice(300), uses)
            data = state.pack()
            again = State.unpack(data)
            self.assertEqual((again.failures, again.uses), (min(state.failures, 255), uses))
            self.assertTrue(8 <= len(data) <= 1 + MAX_CREDENTIALS * 11)
        self.assertEqual(State.unpack(State().pack()).uses, {})

    def test_a_typical_one_is_as_short_as_the_scan_reads_it(self):
        self.assertEqual(len(State(3, {1: TotpUse(56666666, -1, 56666666, 4).pack()}).pack()), 8)

    def test_by_credential(self):
        one, other = Credential(TOTP, "a", b"", 6), Credential("hotp", "b", b"", 6)
        one.id, other.id = 3, 4
        state = State(4).with_use(one, TotpUse(9, 2, 9, 1).pack())
        self.assertEqual(state.failures, 0)
        state = state.failed().failed().with_use(other, (MAX_COUNTER + 1).to_bytes(5, "big")).failed()
        state = State.unpack(state.pack())
        self.assertEqual((state.failures, state.totp(one).last, state.totp(one).drift), (1, 9, 2))
        self.assertEqual((state.number(other), state.number(one) > 0), (MAX_COUNTER + 1, True))

    def test_a_copy_is_a_copy(self):
        one = Credential(TOTP, "a", b"", 6)
        one.id = 3
        state = State(1, {4: b"xy"})
        state.with_use(one, b"new")
        state.failed()
        self.assertEqual((state.failures, state.uses), (1, {4: b"xy"}))

    def test_only_of_those_that_are_there(self):
        user = User("alice")
        for name in ("a", "b", "c"):
            user.put(Credential(TOTP, name, b"s" * 20, 6))
        user.credentials.remove(user.credential("b"))
        state = State(5, {1: b"11", 2: b"22", 3: b"33", 9: b"99"}).only_of(user)
        self.assertEqual((state.failures, state.uses), (5, {1: b"11", 3: b"33"}))


if __name__ == "__main__":
    unittest.main()
