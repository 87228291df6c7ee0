# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device: its firmware, its clock against this host's, its store, the role it gives the broker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING, Finding
from understudy_device.protocol import CLOCK_UNSET, FIRMWARE, VERIFIER, VERSION

_SET_CLOCK = "understudy clock set --from-host"
_STEP = 30.0  # seconds; what an authenticator's step usually is
_NOTICEABLE = 5.0
_FULL = 0.03
_FILLING = 0.10


@dataclass(frozen=True)
class Told:
    """What a device has told: its state in the hello, and its replies to `status` and `clock_show`.

    `offset`: seconds that it is ahead of this host, give or take `uncertainty`; None: it knows no time.
    """

    state: str
    status: Mapping[str, Any]
    clock: Mapping[str, Any]
    offset: float | None
    uncertainty: float


def check_device(told: Told, host_synchronised: bool) -> list[Finding]:
    """All about a device that answers."""
    return [
        _firmware(told),
        _locked(told),
        _sealed(told),
        *_clock(told, host_synchronised),
        *_flash(told),
    ]


def check_role(role: str | None, is_broker: bool) -> Finding:
    """`role`: of the identity that logins use, None when the device was never paired with it."""
    if role is None:
        why = "It answers only to hosts that it is paired with: no code can be checked."
        return Finding("role", PROBLEM, "The device is not paired with the broker's key.", why, _PAIR)
    if role != VERIFIER and is_broker:
        why = "Whoever takes over the broker could add users; a verifier can only ask."
        return Finding("role", WARNING, f"The broker's key is that of an {role}.", why, _PAIR)
    return Finding("role", OK, f"The key that asks is that of {'an' if role != VERIFIER else 'a'} {role}.")


_PAIR = "understudy pair --new-identity verifier.json --role verifier"


def _firmware(told: Told) -> Finding:
    firmware, protocol = told.status["firmware"], told.status["protocol"]
    if protocol == VERSION and firmware == FIRMWARE:
        return Finding("firmware", OK, f"The firmware is {firmware}, protocol {protocol}, as this host's.")
    what = f"The firmware is {firmware}, protocol {protocol}; this host has {FIRMWARE}, protocol {VERSION}."
    why = "They work together as far as both know how."
    if protocol < VERSION:
        return Finding("firmware", WARNING, what, why, f"understudy install --board {told.status['board']}")
    return Finding("firmware", HINT, what, why)


def _locked(told: Told) -> Finding:
    if told.status["locked"]:
        return Finding("locked", OK, "The image is locked.")
    why = "Whoever gets at its port gets at its memory; it is for development only."
    return Finding("locked", WARNING, "The device runs an unlocked image.", why, "make image")


def _sealed(told: Told) -> Finding:
    if told.state == told.status["state"] == "open":
        return Finding("sealed", OK, "The device is open.")
    if told.status["state"] == "open":
        why = "It is after each power-up, until a paired host comes; the broker would do so at once."
        return Finding("sealed", HINT, "The device was sealed, and is open now.", why)
    why = "It can judge no code."
    return Finding("sealed", PROBLEM, f"The device is {told.status['state']}.", why, "understudy status")


def _clock(told: Told, host_synchronised: bool) -> list[Finding]:
    state = told.clock["state"]
    if state == CLOCK_UNSET or told.offset is None:
        why = "Time-based codes can't be judged; recovery codes and HOTP still are."
        return [Finding("clock", PROBLEM, "The device does not know the time.", why, _SET_CLOCK)]
    found = []
    if told.clock.get("rtc") == "stopped":
        why = "Its battery is empty: after the next power cut the device does not know the time."
        found.append(Finding("clock-chip", WARNING, "The clock chip had no power.", why, _SET_CLOCK))
    error = told.clock.get("error")
    if error is not None and error > _STEP:
        why = "Codes of a phone whose time is right may be refused."
        what = f"The device's time may be off by {error} s ({state})."
        found.append(Finding("clock-error", WARNING, what, why, _SET_CLOCK))
    return [*found, _offset(told.offset, told.uncertainty, host_synchronised)]


def _offset(offset: float, uncertainty: float, host_synchronised: bool) -> Finding:
    far = max(0.0, abs(offset) - uncertainty)
    if far <= _NOTICEABLE:
        return Finding(
            "clock", OK, f"The device's time is this host's, within {abs(offset) + uncertainty:.1f} s."
        )
    what = f"The device is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} this host."
    if not host_synchronised:
        why = "This host's own clock is not synchronised, so either may be wrong."
        return Finding("clock", WARNING, what, why, "timedatectl")
    why = "Codes of a phone whose time is right may be refused."
    return Finding("clock", PROBLEM if far > _STEP else WARNING, what, why, _SET_CLOCK)


def _flash(told: Told) -> list[Finding]:
    flash = told.status["flash"]
    size, free = int(flash["size"]), int(flash["free"])
    share = free / size if size else 1.0
    what = f"{free // 1024} KiB of {size // 1024} are left in the flash."
    why = "When it is full nobody can be added, and at last no used code be noted."
    if share < _FULL:
        found = [Finding("flash", PROBLEM, what, why, "understudy user list")]
    elif share < _FILLING:
        found = [Finding("flash", WARNING, what, why, "understudy user list")]
    else:
        found = [Finding("flash", OK, what)]
    if flash.get("damaged"):
        why = "Power cuts in the middle of a write leave none; the flash wears out."
        what = f"{flash['damaged']} records in the flash were damaged."
        found.append(Finding("flash-damaged", WARNING, what, why, "understudy audit verify"))
    if told.status.get("faults"):
        why = "Something went wrong inside that should not; please report it."
        what = f"The firmware has met {told.status['faults']} faults since power-up."
        found.append(Finding("faults", WARNING, what, why, "understudy audit"))
    return found
