# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Parts that the store's tests share: a flash in memory that counts, dice that fall the same everywhere, and
a model of what a store holds."""

from understudy_device.errors import StoreFull
from understudy_device.records import CLOCK, EVENT, HOST, LIMIT, SEED, SETTING, STATE, USER, pack_chain
from understudy_device.sectors import FIRST, PAGE, SECTOR, parse_sector_header
from understudy_device.store import Store


class RamFlash:
    """NOR flash in memory. `erases`: by sector; `programs`: how many; `fail_in`: operations until one raises
    OSError, None for never; `fails`: what the failing one leaves, "none" of its bytes or "all"."""

    def __init__(self, image=None, sectors=12):
        self.data = bytearray(image if image is not None else b"\xff" * (sectors * SECTOR))
        self.size = len(self.data)
        self.erases = [0] * (self.size // SECTOR)
        self.programs = 0
        self.fail_in = None
        self.fails = "none"

    def image(self):
        """What is on it."""
        return bytes(self.data)

    def readinto(self, offset, buffer):
        """Fill `buffer`."""
        buffer[:] = self.data[offset : offset + len(buffer)]

    def program(self, offset, data):
        """Clear bits."""
        if not data or offset // PAGE != (offset + len(data) - 1) // PAGE:
            raise ValueError("not inside a page: %d bytes at %d" % (len(data), offset))
        old = int.from_bytes(self.data[offset : offset + len(data)], "big")
        new = (old & int.from_bytes(data, "big")).to_bytes(len(data), "big")
        self.programs += 1
        self._do(offset, new)

    def erase(self, offset):
        """Set all bits of a sector."""
        if offset % SECTOR:
            raise ValueError("no sector begins at %d" % offset)
        self.erases[offset // SECTOR] += 1
        self._do(offset, b"\xff" * SECTOR)

    def _do(self, offset, new):
        if self.fail_in is not None:
            self.fail_in -= 1
            if self.fail_in < 0:
                if self.fails == "all":
                    self.data[offset : offset + len(new)] = new
                raise OSError(5)
        self.data[offset : offset + len(new)] = new

    def free(self):
        """Sectors without a header that counts."""
        starts = range(0, self.size, SECTOR)
        return sum(1 for at in starts if parse_sector_header(self.data[at : at + FIRST]) is None)


class Dice:
    """The same numbers on every interpreter."""

    def __init__(self, seed=1):
        self._state = seed

    def __call__(self, sides):
        """0 to `sides` - 1."""
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % sides

    def some(self, count):
        """So many bytes."""
        return bytes(self(256) for _ in range(count))


def opened(flash):
    """A store on that flash, its journal's sectors beginning as the device's do."""
    store = Store(flash)
    store.open()
    store.checkpoint = lambda: pack_chain(0, bytes(32))
    return store


def again(flash):
    """The same after a restart, on a copy."""
    return opened(RamFlash(flash.image()))


def user_record(number, filler):
    """A user's record: a tag that many others share two bytes of, then anything."""
    return bytes((number % 3, 0, number >> 8, number & 255)) + b"%d tg" % (number % 10) + filler


def contents(store, kinds=range(1, 32)):
    """{(kind, number): value} of all values. Each user is looked up by the tag, too."""
    found = {}
    for kind in kinds:
        if kind not in (USER, STATE):
            for number in store.numbers(kind):
                found[kind, number] = store.get(kind, number)
    users = list(store.index.after(-1))
    if store.get(USER, store.users_max) is not None:
        users.append(store.users_max)
    for number in users:
        found[USER, number] = record = store.get(USER, number)
        if number != store.users_max and store.find(record[:8]) != (number, record):
            raise ValueError("user %d is not found by the tag" % number)
        state = store.get(STATE, number)
        if state is not None:
            found[STATE, number] = state
    return found


class Model:
    """What a store should hold: `values` is changed as the store is, once that has said yes."""

    def __init__(self, values=()):
        self.values = dict(values)
        self._early = {}  # states of users who come after them; a restart forgets them

    def copy(self):
        """One to go on with by itself."""
        other = Model(self.values)
        other._early = dict(self._early)
        return other

    def apply(self, step):
        """One step: ("put", kind, number, value), ("delete", kind, number) or ("journal", entries)."""
        if step[0] == "put":
            self.values[step[1], step[2]] = step[3]
            if step[1] == USER and step[2] in self._early:
                self.values[STATE, step[2]] = self._early.pop(step[2])
        elif step[0] == "delete":
            self.values.pop((step[1], step[2]), None)
            if step[1] == USER:
                self.values.pop((STATE, step[2]), None)
        else:
            for kind, number, value in step[1]:
                if kind == STATE and (USER, number) not in self.values:
                    self._early[number] = value
                elif kind != EVENT:
                    self.values[kind, number] = value


def valid(model, steps):
    """The steps as the device would take them, given what `model` holds by then: a user's first state comes
    before the user, and nobody else has one."""
    for step in steps:
        if step[0] == "put" and step[1] == USER and step[1:3] not in model.values:
            yield ("journal", [(STATE, step[2], b"%08d" % step[2])])
        elif step[0] == "journal":
            entries = [one for one in step[1] if one[0] != STATE or (USER, one[1]) in model.values]
            step = ("journal", entries or [(EVENT, 0, b"e" * 13)])
        yield step


def do(store, step):
    """The step on a store."""
    if step[0] == "put":
        store.put(*step[1:])
    elif step[0] == "delete":
        store.delete(*step[1:])
    else:
        store.journal(step[1])


def fill(store, dice, share, low=60, high=180):
    """Add users of so many bytes until `share` percent of what fits; {(USER, number): record}."""
    values, number = {}, 0
    while number < store.users_max and store.status()["used"] < store.log.capacity * share // 100:
        record = user_record(number, b"f" * (low + dice(high - low)))
        store.put(STATE, number, b"state %03d" % (number % 1000))
        try:
            store.put(USER, number, record)
        except StoreFull:
            break
        values[USER, number], values[STATE, number] = record, b"state %03d" % (number % 1000)
        number += 1
    return values


def workload(count=400):
    """Puts, deletes and batches over all kinds."""
    dice = Dice(count)
    for i in range(count):
        number = dice(9)
        record = user_record(number, b"%03d" % i * (1 + dice(40)))
        yield (
            ("put", USER, number, record),
            ("put", HOST, number, b"host %03d" % i * (1 + dice(9))),
            ("put", SETTING, 0, b"setting %d" % i),
            ("put", SEED, 0, b"seed %06d" % i * 3),
            ("delete", USER, number),
            ("delete", HOST, number),
            ("journal", [(STATE, number, b"%08d" % i), (LIMIT, 0, b"%d" % i), (EVENT, i, b"e" * dice(300))]),
            ("put", CLOCK, 0, b"clock %d" % i),
        )[dice(8)]


def run(store, steps, model):
    """Both take the steps."""
    for step in valid(model, steps):
        do(store, step)
        model.apply(step)
