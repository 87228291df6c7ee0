# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""5,000 users on the 352 sectors of a Pico, and what verdicts cost then."""

import pytest

from storeparts import Dice, RamFlash, contents, opened
from understudy_device.clock import FLOOR_EVERY
from understudy_device.records import CLOCK, EVENT, LIMIT, STATE, USER, pack_clock
from understudy_device.sectors import FIRST, SECTOR
from understudy_device.users import MAX_USE, Credential, State, TotpUse, User

SECTORS = 352
USERS = 5000
WARM = 20000  # verifies until the flash has been gone round
VERIFIES = 20000
SEALING = 36
EVENT_SIZE = 13
DETAIL = 1 + 28 + 14  # of an enrolment: marked, sealed, the two names


def user_record(dice, number):
    """A typical one, of the size that it has when it is sealed."""
    user = User("user%04d" % number)
    user.put(Credential("totp", "phone", bytes(20), 6))
    return number.to_bytes(8, "little") + dice.some(SEALING - 8) + user.pack()


def state(step):
    """A typical one."""
    return State(0, {1: TotpUse(step, 0, step, 1).pack()}).pack()


@pytest.fixture(scope="module")
def full():
    """(flash, store, users' records)."""
    dice = Dice(1)
    flash = RamFlash(sectors=SECTORS)
    store = opened(flash)
    users = [user_record(dice, number) for number in range(USERS)]
    for number, record in enumerate(users):
        store.log.begin()
        store.check_room(USER, number, len(record), 1 + MAX_USE)
        store.journal([(STATE, number, State().pack()), (EVENT, number & 0xFFFF, bytes(EVENT_SIZE + DETAIL))])
        store.put(USER, number, record)
        store.tidy()
    return flash, store, users


def test_5000_users_fit_with_room_to_clean(full):
    _, store, users = full
    status = store.status()
    print(status)
    assert store.index.users == USERS
    assert status["used"] == sum(-(-(12 + len(record)) // 4) * 4 + 20 for record in users)
    # Half of the flash would do, and there is as much left for cleaning and for the audit log.
    assert status["used"] < SECTORS * (SECTOR - FIRST) // 2
    assert status["free"] > 0
    for number in (0, 77, USERS - 1):
        assert store.find(users[number][:8]) == (number, users[number])


@pytest.mark.timeout(300)
def test_20000_verifies(full):
    flash, store, users = full
    dice = Dice(2)
    start = 0
    programs, append_erases, tidy_erases = [], [], []
    steps = {}
    for i in range(WARM + VERIFIES):
        if i == WARM:
            start = sum(flash.erases)
            assert start > 0
        number = dice(USERS)
        steps[number] = 56666666 + i
        batch = [(STATE, number, state(56666666 + i)), (EVENT, i & 0xFFFF, bytes(EVENT_SIZE))]
        if dice(20) == 0:
            batch.insert(1, (LIMIT, 0, i.to_bytes(4, "big")))
        if dice(50) == 0:
            batch.insert(0, (CLOCK, 0, pack_clock(i * FLOOR_EVERY, 3, 1, [(0, 1), (2, 3)])))
        store.log.begin()
        before = (flash.programs, sum(flash.erases))
        store.journal(batch)
        middle = sum(flash.erases)
        if middle == before[1]:
            programs.append(flash.programs - before[0])
        append_erases.append(middle - before[1])
        store.tidy()
        tidy_erases.append(sum(flash.erases) - middle)
    erases = sum(flash.erases) - start
    print("page programs of an append without cleaning: at most", max(programs), end=", ")
    print("on average %.3f" % (sum(programs) / len(programs)))
    print("erases of an append at most", max(append_erases), "in all", sum(append_erases))
    print("erases of a rest at most", max(tidy_erases), "in all", sum(tidy_erases))
    print("erases by verify: 1 in %.1f" % (VERIFIES / max(1, erases)))
    print("worn at most", max(flash.erases), "at least", min(flash.erases), "free", flash.free())
    assert max(programs) <= 2
    assert max(append_erases) == 0  # the rest between requests does it all
    assert max(tidy_erases) <= 1
    assert 0 < erases <= VERIFIES / 64
    found = contents(opened(RamFlash(flash.image())))
    assert [found[USER, number] for number in range(USERS)] == users
    for number, step in steps.items():
        assert found[STATE, number] == state(step)
