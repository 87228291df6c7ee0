# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Five thousand users on the emulated Pico: what a login and a power-up cost, in simulated time and flash
operations."""

from pathlib import Path

import pytest
from large_pico import LargePico, display_and_clock

import large

USERS = 5000
LOGINS = 24_000  # enough for the journal to have gone round and to be cleaned all the time


@pytest.fixture(scope="module")
def full(device_image: Path) -> LargePico:
    """5,000 users, and a journal as full as it gets."""
    bench = large.enrolled(USERS)
    large.log_in(bench, USERS, LOGINS)
    return LargePico(device_image, bench)


@pytest.fixture(scope="module")
def small(device_image: Path) -> LargePico:
    """Ten users."""
    return LargePico(device_image, large.enrolled(10))


@pytest.mark.timeout(1800)
def test_a_login_among_5000_costs_at_most_a_tenth_more_than_among_10(
    full: LargePico, small: LargePico
) -> None:
    assert full.ask("status")["users"] == USERS
    assert full.typical_us() <= 1.1 * small.typical_us()


@pytest.mark.timeout(1800)
def test_a_login_writes_two_pages_at_most_and_nothing_waits_for_two_erases(full: LargePico) -> None:
    costs = [full.verify(user) for user in range(100, 130)]
    assert max(cost.programs for cost in costs) <= 2
    assert max(cost.erases for cost in costs) == 0
    assert max(cost.erases_after for cost in costs) <= 1


@pytest.mark.timeout(1800)
def test_the_first_verdict_comes_within_three_seconds_of_power_up(full: LargePico) -> None:
    assert full.boot_us <= 3_000_000


@pytest.mark.timeout(1800)
def test_64_kib_are_free_with_display_clock_chip_and_1000_users(device_image: Path) -> None:
    device = LargePico(device_image, large.enrolled(1000), [display_and_clock()])
    device.session.pico.run_us(500_000)  # the picture of the verdict
    status = device.ask("status")
    assert (status["users"], status["locked"], status["faults"]) == (1000, True, 0)
    assert device.host.hello(device.session)["display"] is True
    assert device.ask("clock_show")["rtc"] == "ok"
    assert status["memory"] >= 64 * 1024
