# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the display says. A screen is (name, values), a pure function of state; `layout` puts it into words.

The host has this module, too, and draws what `screen` tells it. What is secret never gets there: `public`.
"""

from .protocol import CLOCK_UNSET, DAMAGED, SEALED, UNCLAIMED

PAIRING = "pairing"
ENROLMENT = "enrolment"
VERDICT = "verdict"
SECRET = (PAIRING, ENROLMENT)
ASKED = "asked"
ERASING = "erasing"
DONE = "done"

_WORDS = {
    "unknown-user": "Unknown",
    "clock-unset": "No time",
}  # of statuses that are too long for large letters


def idle(state, clock_state, users, device):
    """Nothing is going on. `device`: the device's id as text, "" while it has none."""
    if state == DAMAGED:
        return ("damaged", ())
    if state == UNCLAIMED:
        return ("unclaimed", (device,))
    if state == SEALED:
        return ("sealed", ())
    if clock_state == CLOCK_UNSET:
        return ("clock-unset", ())
    return ("ready", (clock_state, users))


def pairing(code):
    """The six digits (text) to compare with the host's."""
    return (PAIRING, (code,))


def verdict(status, user):
    """The last verdict; `status` is one of protocol.STATUSES."""
    return (VERDICT, (status, user))


def throttled(user, seconds):
    """The last verdict was: wait for so many seconds."""
    return ("throttled", (user, seconds))


def enrolment(user, size, modules):
    """A new secret as a QR code, see `qrcode.modules`."""
    return (ENROLMENT, (user, size, modules))


def button(purpose):
    """The device waits for its button, which is to confirm `purpose`, such as "claim"."""
    return ("button", (purpose,))


def factory_reset(stage):
    """Everything is about to be erased (ASKED: the button is held), ERASING, or DONE."""
    return ("factory-reset", (stage,))


def public(screen):
    """The screen without what only someone in front of the device may see."""
    return (screen[0], ()) if screen[0] in SECRET else screen


def layout(screen):
    """The screen in words: (top in pixels, scale, text) of each line. A text that is too wide is made
    smaller, and then cut, by whoever draws it."""
    name, values = screen
    return _LAYOUTS[name](*values)


def lines(screen):
    """The texts alone."""
    return [line[2] for line in layout(screen)]


def is_known(screen):
    """Whether `layout` can do it: a newer device may have screens that this host has not."""
    name, values = screen
    count = _VALUES.get(name)
    return count is not None and (len(values) == count or (name in SECRET and not values))


def _unclaimed(device):
    lines = [(3, 2, "Understudy"), (26, 1, "new: claim it")]
    return lines + ([(42, 1, "device"), (54, 1, device)] if device else [])


def _pairing(code=None):
    large = (20, 2, "six digits") if code is None else (18, 3, code[:3] + " " + code[3:])
    return [(1, 1, "Pairing"), large, (54, 1, "the same on the host?")]


def _sealed():
    return [(6, 3, "Sealed"), (40, 1, "waiting for a paired"), (52, 1, "host to unseal it")]


def _ready(clock_state, users):
    return [(6, 3, "Ready"), (40, 1, "clock " + clock_state), (52, 1, "users %d" % users)]


def _clock_unset():
    return [(2, 3, "Clock"), (27, 3, "unset"), (55, 1, "set it from a host")]


def _verdict(status, user):
    word = _WORDS.get(status)
    if word is None:
        word = status[0].upper() + status[1:].replace("-", " ")
    return [(9, 2, word), (42, 2, user)]


def _throttled(user, seconds):
    return [(1, 1, "Too many wrong codes"), (16, 3, "%d s" % seconds), (46, 2, user)]


def _enrolment(user=None, _size=0, _modules=b""):
    if user is None:
        return [(6, 2, "Enrolment"), (34, 1, "the QR code is on"), (46, 1, "the device only")]
    return [(8, 1, "Scan me,"), (24, 1, user), (40, 1, "then type"), (50, 1, "the code")]


def _button(purpose):
    return [(4, 2, "Press the"), (22, 2, "button"), (50, 1, "to confirm: " + purpose)]


def _factory_reset(stage):
    if stage == ASKED:
        return [(6, 2, "Erase all?"), (34, 1, "keep the button held"), (46, 1, "or let go to keep it")]
    if stage == ERASING:
        return [(6, 3, "Erasing"), (40, 1, "everything on this"), (52, 1, "device: leave it in")]
    return [(6, 3, "Erased"), (40, 1, "this device is new"), (52, 1, "and has no admin")]


def _damaged():
    return [(6, 3, "Damaged"), (40, 1, "the store can't be"), (52, 1, "read: ask its admin")]


_LAYOUTS = {
    "unclaimed": _unclaimed,
    PAIRING: _pairing,
    "sealed": _sealed,
    "ready": _ready,
    "clock-unset": _clock_unset,
    VERDICT: _verdict,
    "throttled": _throttled,
    ENROLMENT: _enrolment,
    "button": _button,
    "factory-reset": _factory_reset,
    "damaged": _damaged,
}
# How many values each has.
_VALUES = {
    "unclaimed": 1,
    PAIRING: 1,
    "sealed": 0,
    "ready": 2,
    "clock-unset": 0,
    VERDICT: 2,
    "throttled": 2,
    ENROLMENT: 3,
    "button": 1,
    "factory-reset": 1,
    "damaged": 0,
}
