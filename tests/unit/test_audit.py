# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The audit log: every acknowledged event is there and chained to those before it, over restarts, sectors,
cleaning, power cuts and failed writes."""

import sys
import unittest

from parts import TEARS, CutFlash, torn
from storeparts import Dice, RamFlash, user_record
from understudy_device.audit import Audit
from understudy_device.errors import FlashFailed
from understudy_device.events import FIRST_HASH, NO_TIME, Event, chain
from understudy_device.protocol import MAX_TIME, NO_ACTOR, NO_SUBJECT
from understudy_device.records import CHAIN, STATE, USER
from understudy_device.sectors import FIRST, SECTOR
from understudy_device.store import Store

EVERY = 1 if sys.implementation.name == "cpython" else 5  # of the cuts
SECTORS = 8


class Clock:
    """The time to stamp on events."""

    def __init__(self, time=1700000000):
        self.time = time

    def now(self):
        """Unix seconds, None for unknown."""
        return self.time


def sealed(number, data):
    """What seals, here."""
    return b"<%d|" % number + data + b">"


def opened(flash):
    """(store, audit) on a flash."""
    store = Store(flash)
    store.open()
    return store, Audit(store, Clock(), sealed)


def write(store, audit, i, detail=""):
    """An event behind a user's state, and now and then a change of a user."""
    if i % 9 == 0:
        store.put(USER, i % 5, user_record(i % 5, b"u" * (i * 7 % 300)))
    audit.write(audit.event(32 + i % 10, i % 5, 1, detail=detail), [(STATE, i % 5, b"%08d" % i)])


class Proof:
    """A host that reads the log again and again: whatever it has seen once has to stay so."""

    def __init__(self, test):
        self._test = test
        self.hashes = {0: FIRST_HASH}  # by the number of the event after it

    def read(self, audit):
        """All events as [(number, bytes)]; the chain holds, and is the one seen before."""
        equal = self._test.assertEqual
        events, number, value = [], 0, None
        while True:
            before, page = audit.page(number)
            if not page:
                break
            if value is None:
                value = before
                equal(page[0][0], audit.first)
                self._test.assertTrue(before is not None)
                self.see(audit.first, before)
            elif before is not None:
                equal(before, value)
            for found, data in page:
                if events:
                    equal(found, events[-1][0] + 1)
                value = chain(value, data)
                events.append((found, data))
                self.see(found + 1, value)
            number = events[-1][0] + 1
        if events:
            equal((events[-1][0] + 1, value), (audit.next, audit.head))
        self.see(audit.next, audit.head)
        return events

    def see(self, number, value):
        """The hash before event `number`."""
        self._test.assertEqual((number, self.hashes.setdefault(number, value)), (number, value))


class Chain(unittest.TestCase):
    def test_a_new_one_is_empty(self):
        _, audit = opened(RamFlash())
        self.assertEqual((audit.first, audit.next, audit.head), (0, 0, FIRST_HASH))
        self.assertEqual((audit.page(0), audit.last(5)), ((None, []), []))

    def test_over_restarts_sectors_and_cleaning(self):
        flash, proof = RamFlash(sectors=SECTORS), Proof(self)
        store, audit = opened(flash)
        for i in range(3000):
            write(store, audit, i, "d" * (i * 5 % 90))
            if i % 10 == 0:
                audit.catch_up()
            if i % 83 == 0:
                head = (audit.first, audit.next, audit.head)
                store, audit = opened(RamFlash(flash.image()))
                self.assertEqual((audit.first, audit.next, audit.head), head)
                flash = store.log._region._flash
                events = proof.read(audit)
                self.assertEqual(events[-1][0], i)
                self.assertTrue(len(events) > min(i, 40))
        self.assertTrue(audit.first > 2000)
        self.assertEqual(len(proof.hashes), 3001 - 2999 % 83)

    def test_a_chain_from_the_oldest_page_to_what_was_seen_before(self):
        """Who has kept a hash can tell that the events since were not changed."""
        flash = RamFlash(sectors=SECTORS)
        store, audit = opened(flash)
        for i in range(500):
            write(store, audit, i)
        kept = (audit.next, audit.head)
        for i in range(40):
            write(store, audit, i)
        before, events = audit.page(audit.first)
        value, number = before, audit.first
        while number < kept[0]:
            value, number = chain(value, events[0][1]), number + 1
            events = events[1:] or audit.page(number)[1]
        self.assertEqual(value, kept[1])

    def test_pages_from_any_number(self):
        store, audit = opened(RamFlash(sectors=SECTORS))
        for i in range(900):
            write(store, audit, i, "%d" % i)
        every = Proof(self).read(audit)
        self.assertEqual(audit.page(0)[1], audit.page(audit.first)[1])
        starts = []
        for number in range(audit.first, audit.next):
            before, page = audit.page(number)
            self.assertEqual(page, every[number - audit.first :][: len(page)])
            self.assertTrue(page)
            starts += [number] if before is not None else []
        self.assertEqual(starts[0], audit.first)
        self.assertTrue(2 <= len(starts) < 8)
        self.assertEqual(audit.page(audit.next), (None, []))
        self.assertEqual(audit.page(audit.next + 1000), (None, []))

    def test_the_newest(self):
        flash = RamFlash(sectors=SECTORS)
        store, audit = opened(flash)
        for i in range(700):
            write(store, audit, i, "%d" % i)
            wanted = [b"%d" % n for n in range(max(0, i - 15), i + 1)]
            self.assertEqual([event.detail for event in audit.last(16)], wanted)
        for count in (1, 100, 150):
            found = [int(event.detail) for event in opened(flash)[1].last(count)]
            self.assertEqual(found, list(range(700 - count, 700)))

    def test_sectors_without_an_event_of_their_own(self):
        """What cleaning moves may fill a sector: it has a beginning, and nothing to list."""
        flash, proof = RamFlash(sectors=10), Proof(self)
        store, audit = opened(flash)
        for number in range(100):
            store.put(USER, number, user_record(number, b""))
            store.journal([(STATE, number, b"s" * 68)])
        for i in range(1200):
            audit.write(audit.event(32, detail="e" * 40))
            if i % 20 == 0:
                proof.read(audit)
                self.assertEqual(audit.last(3)[-1].detail, b"e" * 40)

    def test_70000_events(self):
        """The number on flash is its low half."""
        flash, proof = RamFlash(sectors=SECTORS), Proof(self)
        store, audit = opened(flash)
        for i in range(70000):
            audit.write(Event(i, 32))
            if i % 8000 == 0 or i in (65400, 65535, 65536, 65600):
                store, audit = opened(flash)
                self.assertEqual(audit.next, i + 1)
                events = proof.read(audit)
                self.assertEqual([Event.unpack(data).time for _, data in events], [n for n, _ in events])
                self.assertEqual([event.time for event in audit.last(3)], list(range(max(0, i - 2), i + 1)))
        self.assertEqual((audit.next, store.get(CHAIN)), (70000, None))


class Events(unittest.TestCase):
    def test_what_is_in_one(self):
        store, audit = opened(RamFlash())
        audit.write(audit.event(20, 77, 3, 9, 0xFFFFFFFF, "däta"))
        audit.write(audit.event(1))
        one, other = audit.last(2)
        self.assertEqual((one.time, one.code, one.subject, one.actor), (1700000000, 20, 77, 3))
        self.assertEqual((one.credential, one.request, one.sealed), (9, 0xFFFFFFFF, False))
        self.assertEqual((one.detail.decode(), one.name), ("däta", "store-converted"))
        self.assertEqual((other.subject, other.actor, other.credential), (NO_SUBJECT, NO_ACTOR, 0))
        self.assertEqual((other.request, other.detail, other.name), (0, b"", "claimed"))

    def test_a_sealed_detail_is_bound_to_its_event(self):
        flash = RamFlash()
        _, audit = opened(flash)
        for _ in range(3):
            audit.write(audit.event(8, detail="alice", secret=True))
        _, audit = opened(flash)
        self.assertEqual([event.detail for event in audit.last(9)], [b"<%d|alice>" % n for n in range(3)])
        self.assertEqual([event.sealed for event in audit.last(9)], [True] * 3)

    def test_times(self):
        store = Store(RamFlash())
        store.open()
        for time, kept in ((None, NO_TIME), (5, 5), (MAX_TIME, MAX_TIME), (MAX_TIME + 1, MAX_TIME)):
            audit = Audit(store, Clock(time), sealed)
            audit.write(audit.event(1))
            self.assertEqual(audit.last(1)[0].time, kept)

    def test_one_of_a_later_firmware(self):
        self.assertEqual(Event.unpack(Event(1, 200).pack()).name, "event-200")
        with self.assertRaises(ValueError):
            Event.unpack(Event(1, 200).pack()[:-1])


class Cuts(unittest.TestCase):
    """The power goes at every operation, which is torn in every way."""

    def test_all_that_was_acknowledged_is_there_and_chained(self):
        flash = CutFlash(sectors=SECTORS)
        store, audit = opened(flash)
        written = []  # the bytes of the acknowledged events
        count = cleaned = 0
        for i in range(560):
            image = flash.image()
            flash.operations.clear()
            write(store, audit, i, "d" * (i * 11 % 400))
            if i >= 440:
                for offset, data in flash.operations:
                    cleaned += len(data) == SECTOR
                    for tear in TEARS:
                        count += 1
                        if count % EVERY == 0:
                            left = torn(tear, offset, image[offset : offset + len(data)], data)
                            self.check(image[:offset] + left + image[offset + len(data) :], written)
                    image = image[:offset] + data + image[offset + len(data) :]
            written.append(audit.last(1)[0].pack())
        self.assertTrue(cleaned >= 8 and count > 800, (cleaned, count))

    def check(self, image, written):
        """They are, and it goes on from there."""
        flash, proof = RamFlash(image), Proof(self)
        store, audit = opened(flash)
        events = proof.read(audit)
        self.assertTrue(len(events) > 20)
        for number, data in events:
            if number < len(written):
                self.assertEqual(data, written[number])
        self.assertTrue(len(written) <= audit.next <= len(written) + 1)
        for i in range(2):
            write(store, audit, i)
        new = [event.pack() for event in audit.last(2)]
        for one in (audit, opened(flash)[1]):
            self.assertEqual([data for _, data in proof.read(one)][-2:], new)
            # All those that were answered, and maybe the one that the power was cut at.
            last = [event.pack() for event in one.last(16)]
            self.assertTrue(last in (written[-14:] + new, written[-13:] + last[13:14] + new))


class Damaged(unittest.TestCase):
    def setUp(self):
        self.flash = RamFlash(sectors=SECTORS)
        store, audit = opened(self.flash)
        store.put(USER, 1, user_record(1, b""))
        for i in range(10):
            audit.write(audit.event(32, 1, detail="event %d" % i), [(STATE, 1, b"state %02d" % i)])

    def test_an_event_behind_a_torn_state_happened_but_was_not_answered(self):
        self.flash.data[self.flash.image().index(b"state 09")] ^= 1
        _, audit = opened(self.flash)
        events = Proof(self).read(audit)
        self.assertEqual((len(events), audit.next), (10, 10))
        self.assertEqual([event.detail for event in audit.last(3)], [b"event 7", b"event 8"])

    def test_a_gap_is_not_filled_and_what_follows_has_a_beginning_of_its_own(self):
        self.flash.data[self.flash.image().index(b"event 5")] ^= 1
        _, audit = opened(self.flash)
        self.assertEqual(audit.next, 10)
        audit.write(audit.event(33))
        for one in (audit, opened(self.flash)[1]):
            _, page = one.page(0)
            self.assertEqual([number for number, _ in page], [0, 1, 2, 3, 4, 6, 7, 8, 9])
            before, page = one.page(10)
            self.assertEqual([number for number, _ in page], [10])
            self.assertEqual((one.next, one.head), (11, chain(before, page[0][1])))

    def test_a_sector_that_has_lost_its_beginning_belongs_to_the_one_before(self):
        store, audit = opened(self.flash)
        while len(store.log.journal()) < 2 or audit.next - audit._bounds(1)[0] < 8:
            audit.write(audit.event(32, detail="d" * 90))
        whole = Proof(self).read(audit)
        self.flash.data[store.log.journal()[1] * SECTOR + FIRST + 20] ^= 1
        _, audit = opened(self.flash)
        self.assertEqual(Proof(self).read(audit), whole)
        # The first behind what is damaged is left out, see above.
        wanted = [data for _, data in whole[-16:-8] + whole[-7:]]
        self.assertEqual([event.pack() for event in audit.last(16)], wanted)


class Failing(unittest.TestCase):
    """The flash refuses an operation, having done none of it or all."""

    def test_what_follows_is_chained_to_what_was_before(self):
        for fails in ("none", "all"):
            dice = Dice(4)
            flash, proof = RamFlash(sectors=SECTORS), Proof(self)
            store, audit = opened(flash)
            failures = 0
            for i in range(1200):
                flash.fail_in, flash.fails = dice(20), fails
                number = audit.next
                try:
                    write(store, audit, i, "%d" % i)
                except FlashFailed:
                    failures += 1
                    self.assertEqual(audit.next, number)
                flash.fail_in = None
                if failures % 5 == 1:
                    proof.read(audit)
                if i % 50 == 0:  # right after a failure the event may count, or not
                    store, audit = opened(flash)
                    self.assertTrue(number <= audit.next <= number + 1)
                    proof.read(audit)
            self.assertTrue(failures > 50)


if __name__ == "__main__":
    unittest.main()
