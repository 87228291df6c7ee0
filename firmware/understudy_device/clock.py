# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's own time: unset, holdover with a growing error, or synced with its source; never before its
floor.

All times are whole seconds since 1970 (Unix time); `uptime` counts seconds since power-up and never goes
back.
"""

from .compat import const
from .errors import ClockRefused
from .protocol import CLOCK_HOLDOVER, CLOCK_SYNCED, CLOCK_UNSET

# The crystal of a board without a better clock: +-30 ppm, and its temperature (RP2040 hardware design guide).
_DRIFT_PPM = const(50)
_FRESH = const(86400)  # seconds after which a clock that heard of no source is in holdover
_LEAP = const(3600)  # seconds forward from which a setting could be a mistake worth remembering
_LEAPS_KEPT = const(8)
FLOOR_EVERY = const(3600)  # seconds between writes of a floor that only follows the time


class Clock:
    """`floor`: no time before it is believed. `leaps`: the last settings far forward, as (from, to).

    A leap may turn out to be a mistake, after codes were used at steps far in the future. Once an admin has
    gone back to a time inside the leap, those steps must not lock their users out; nothing can have been used
    inside it, so that what counts as used there ends where the leap began (`gap`).
    """

    def __init__(self, uptime, floor=0, leaps=()):
        self._uptime = uptime
        self.floor = floor
        self.leaps = list(leaps)
        self._base = None  # (unix time, uptime) at the last setting
        self._follow = None
        self.source = None
        self._initial_error = 0

    def start(self, time, source, error=1):
        """Take the platform's time at power-up, if it is not before the floor.

        `error`: seconds, either way.
        """
        if time >= self.floor:
            self._base, self.source, self._initial_error = (time, self._uptime()), source, error

    def follow(self, read, source):
        """Believe a clock that is kept right by others (an operating system's).

        `read()` gives Unix seconds.
        """
        self._follow, self.source, self._initial_error = read, source, 1

    def now(self):
        """Unix time, or None while it is not known."""
        if self._follow is not None:
            time = self._follow()
        elif self._base is not None:
            time = self._base[0] + self._uptime() - self._base[1]
        else:
            return None
        return time if time >= self.floor else None

    def check(self, time, back):
        """Raise ClockRefused if the clock may not be set to `time`.

        `back`: an admin insists on an earlier one.
        """
        if time < self.floor and not back:
            raise ClockRefused(
                "%d lies before %d, which the device has seen; set it back only if that was wrong"
                % (time, self.floor)
            )

    def set(self, time, source, back=False, error=2):
        """Set the time, and the floor with it. `error`: seconds, either way. Raises ClockRefused."""
        self.check(time, back)
        before = self.now() or self.floor
        if time > before + _LEAP:
            self.leaps = self.leaps[1 - _LEAPS_KEPT :] + [(before, time)]
        self._follow = None
        self._base, self.source, self._initial_error = (time, self._uptime()), source, error
        self.floor = time

    def gap(self, now):
        """The leap (from, to) that `now` lies inside, or None: the narrowest, for the last mistake is undone
        first."""
        inside = [leap for leap in self.leaps if leap[0] <= now < leap[1]]
        return max(inside) if inside else None

    def advance_floor(self):
        """Let the floor follow the time; True when it has moved far enough to be worth a write."""
        now = self.now()
        if now is None or now < self.floor + FLOOR_EVERY:
            return False
        self.floor = now
        return True

    @property
    def state(self):
        """One of protocol.CLOCK_*."""
        if self.now() is None:
            return CLOCK_UNSET
        if self._follow is not None or self._age() < _FRESH:
            return CLOCK_SYNCED
        return CLOCK_HOLDOVER

    def _age(self):
        return self._uptime() - self._base[1]

    @property
    def error(self):
        """Estimated error in seconds, either way; None while unset."""
        if self.now() is None:
            return None
        drift = 0 if self._follow is not None else -(-self._age() * _DRIFT_PPM // 1000000)
        return self._initial_error + drift

    def show(self):
        """What the commands report of it."""
        now = self.now()
        return {
            "state": self.state,
            "time": now,
            "source": self.source if now is not None else None,
            "error": self.error,
            "floor": self.floor,
        }
