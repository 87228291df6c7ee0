# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A device with thousands of users, made in memory by the same code that a Pico runs, and worn by use."""

from parts import Bench, BenchBoard, CutFlash
from understudy_device.otp import codes
from understudy_device.sectors import SECTOR

SECTORS = 352  # of a Pico's region
STEP = 31  # seconds between two logins


def name(number):
    """The user of that number."""
    return "user%04d" % number


def secret(number):
    """And the secret, 20 bytes as SHA-1's are."""
    return b"secret of user %05d" % number


def code(number, now):
    """The user's code at a Unix time."""
    return "%06d" % codes(secret(number), "SHA1", 6, [now // 30])[0]


def enrolled(count, sectors=SECTORS):
    """A Bench with so many users, one TOTP credential each."""
    bench = Bench(BenchBoard(CutFlash(sectors=sectors)))
    for number in range(count):
        reply = bench.enrol(name(number), secret=secret(number).hex())
        if reply["status"] != "ok":
            raise ValueError("user %d of %d: %s" % (number, count, reply["status"]))
        bench.device.tidy()
    bench.board.flash.operations.clear()
    return bench


class Tally:
    """Flash operations of requests, and of the tidying between them."""

    def __init__(self, flash):
        self._flash = flash
        self.programs = []  # by request
        self.erases = []
        self.tidied = []  # erases between requests
        self.tidy_programs = 0

    def take(self):
        """(programs, erases) since the last time."""
        operations = self._flash.operations
        erases = len([1 for _, data in operations if len(data) == SECTOR])
        programs = len(operations) - erases
        operations.clear()
        return programs, erases

    def request(self):
        """One request was answered."""
        programs, erases = self.take()
        self.programs.append(programs)
        self.erases.append(erases)

    def tidy(self):
        """The device had a moment to itself."""
        programs, erases = self.take()
        self.tidy_programs += programs
        self.tidied.append(erases)

    @property
    def all_erases(self):
        """In requests and between them."""
        return sum(self.erases) + sum(self.tidied)


def log_in(bench, count, verifies, start=0):
    """So many logins of the users in an order that looks like none; the Tally of what they cost."""
    tally = Tally(bench.board.flash)
    tally.take()
    for number in range(start, start + verifies):
        bench.board.up += STEP
        user = number * 7919 % count
        reply = bench.ask("verify", user=name(user), code=code(user, bench.device.clock.now()))
        if reply["status"] != "accepted":
            raise ValueError("login %d: %s" % (number, reply["status"]))
        tally.request()
        bench.device.tidy()
        tally.tidy()
    return tally
