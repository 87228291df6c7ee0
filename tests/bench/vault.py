# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The part of `make bench` about thousands of users: RAM, flash operations, wear, and the time of a login and
of a power-up on the emulated Pico.

Flash operations over tens of thousands of logins are counted under CPython: the same code on a region of the
same size does the same operations. Times are simulated microseconds of the emulated Pico.
"""

import statistics
from pathlib import Path

from large_pico import LargePico, display_and_clock

import large
from parts import Bench

USERS = 5000
SOME = 1000
FEW = 10
LOGINS = 40_000
SECTORS = 352
ENDURANCE = 100_000  # erases of a sector, W25Q16JV data sheet
LOGINS_A_DAY = 1000


def _line(name: str, value: object) -> None:
    print("  %-34s %s" % (name, value))


def _index_bytes(bench: Bench) -> int:
    """Bytes of RAM of all arrays that grow with the users."""
    store = bench.device.store
    columns = store.log.columns
    arrays = (columns.users, columns.states, columns.fingerprints, store.index._slots)
    return sum(len(array) * array.itemsize for array in arrays)


def store_of(users: int) -> Bench:
    """Enrols the users and prints what they take."""
    bench = large.enrolled(users)
    flash = bench.device.store.status()
    print("\n%d users with one TOTP credential each, on a region of %d KiB" % (users, flash["size"] // 1024))
    _line("bytes of current records", "%d, %.0f a user" % (flash["used"], flash["used"] / users))
    _line("room for more", "%d bytes" % flash["free"])
    _line("index in RAM", "%d bytes, %.1f a user" % (_index_bytes(bench), _index_bytes(bench) / users))
    return bench


def use(bench: Bench) -> None:
    """Logs in until the journal is cleaned all the time, and prints what a login costs from there on."""
    large.log_in(bench, USERS, LOGINS // 2)
    tally = large.log_in(bench, USERS, LOGINS // 2, LOGINS // 2)
    logins = len(tally.programs)
    per_erase = logins / max(1, tally.all_erases)
    years = SECTORS * ENDURANCE * per_erase / LOGINS_A_DAY / 365
    print("\n%d logins among them, after as many to fill the journal" % logins)
    _line(
        "page programs a login", "%.2f, at most %d" % (statistics.mean(tally.programs), max(tally.programs))
    )
    _line("page programs between logins", "%.2f a login" % (tally.tidy_programs / logins))
    _line("sector erases in a login", "at most %d" % max(tally.erases))
    _line("sector erases after one", "at most %d" % max(tally.tidied))
    _line("logins to a sector erase", "%.1f" % per_erase)
    _line("the flash lasts", "%.0f years at %d logins a day" % (years, LOGINS_A_DAY))
    _line("events kept in the audit log", bench.device.audit.next - bench.device.audit.first)


def on_the_pico(image: Path, full: Bench) -> None:
    """Boots the emulated Pico on those users, and on few."""
    large_one, small_one = LargePico(image, full), LargePico(image, large.enrolled(FEW))
    among, alone = large_one.typical_us(), small_one.typical_us()
    print("\non the emulated Pico, in simulated microseconds")
    _line("a login among %d users" % USERS, "%.0f" % among)
    _line("a login among %d users" % FEW, "%.0f, ratio %.3f" % (alone, among / alone))
    _line("power-up to the first verdict", "%d among %d users" % (large_one.boot_us, USERS))
    _line("", "%d among %d; the handshake left out" % (small_one.boot_us, FEW))
    _line("free heap", "%s bytes among %d users" % (large_one.ask("status")["memory"], USERS))


def memory(image: Path) -> None:
    """What is left of the heap on a Pico with all that it can have."""
    device = LargePico(image, large.enrolled(SOME), [display_and_clock()])
    device.session.pico.run_us(500_000)  # the picture of the verdict
    _line("free heap", "%d bytes among %d users," % (device.ask("status")["memory"], SOME))
    _line("", "with display and clock chip, on the locked image")


def run(image: Path) -> None:
    """All of it."""
    bench = store_of(USERS)
    use(bench)
    on_the_pico(image, bench)
    memory(image)
