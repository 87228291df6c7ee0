# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's own time: unset, holdover with a growing error, or synced with its source; never before its
floor.

All times are whole seconds since 1970 (Unix time); `uptime` counts seconds since power-up and never goes
back.
"""

from .compat import const
from .errors import ClockRefused
from .protocol import CLOCK_HOLDOVER, CLOCK_SYNCED, CLOCK_UNSET, MAX_TIME

# The crystal of a board without a better clock: +-30 ppm, and its temperature (RP2040 hardware design guide).
_DRIFT_PPM = const(50)
_MILLION = const(1000000)
_FRESH = const(86400)  # seconds after which a clock that heard of no source is in holdover
_SPANS_KEPT = const(8)
_LAG = const(60)  # seconds
FLOOR_EVERY = const(3600)  # seconds between writes of a floor that only follows the time


def _merged(spans):
    """The spans in order; overlapping ones become one, and then the nearest, until there are few enough.

    What lies between two that are merged counts as seen: nothing is believed unused that was not.
    """
    out = []
    for span in sorted(spans):
        if out and span[0] <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], span[1]))
        else:
            out.append(span)
    while len(out) > _SPANS_KEPT:
        gaps = [out[i + 1][0] - out[i][1] for i in range(len(out) - 1)]
        i = gaps.index(min(gaps))
        out[i : i + 2] = [(out[i][0], out[i + 1][1])]
    return out


def _drift(age):
    """Seconds, rounded up, that the crystal may be off after `age` seconds."""
    return -(-age * _DRIFT_PPM // _MILLION)


class Clock:
    """`floor`: no time before it is believed.

    The clock may be set back, and a time far ahead may turn out to be a mistake after codes were used at it.
    What was used then must not work again, nor lock its user out for years. So the clock remembers the spans
    of time that it has shown: `run` counts the settings, the present run began at `began`, and `spans` are
    those before it, [(from, to)], ascending. Outside of the spans nothing can have been used.
    """

    def __init__(self, uptime, floor=0, run=0, began=0, spans=()):
        self._uptime = uptime
        self.floor = floor
        self.run = run
        self.began = began
        self.spans = list(spans)
        self._base = None  # (unix time, uptime) at the last setting
        self._is_own = False  # whether the time of this run was set here, so that it only ever went forward
        self._follow = None
        self.source = None
        self._initial_error = 0
        self._anchor = None  # (unix time, uptime, error) of the last source that no host may argue with
        self.is_hearsay = False  # whether that was no more than a host's word, for want of a better one

    def start(self, time, source, error=1):
        """Take the platform's time at power-up, if it is not before the floor.

        `error`: seconds, either way.
        """
        if time >= self.floor:
            self.adopt(time, source, error)

    def adopt(self, time, source, error, is_anchor=True):
        """Go on at `time`, in the same run: a step of no admin's, back or ahead.

        `error`: seconds, either way; `is_anchor`: whether `trusted` goes by it from here on. Raises
        ClockRefused before the floor. No code is good again for it: within a run only the steps after the
        last one count, and when the run ends, its span is taken to reach an hour beyond the floor.
        """
        if time < self.floor:
            raise ClockRefused("%d lies before %d, which the device has seen" % (time, self.floor))
        self._take(time, source, error, is_anchor)
        self._is_own = False

    def _take(self, time, source, error, is_anchor):
        self._follow = None
        self._base, self.source, self._initial_error = (time, self._uptime()), source, error
        if is_anchor or self._anchor is None:
            self._anchor = (time, self._uptime(), error)
            self.is_hearsay = not is_anchor

    def withdraw(self):
        """Its source has turned out to be broken: the time is not known any more."""
        self._base = self._anchor = self._follow = self.source = None
        self._is_own = False

    def trusted(self):
        """(time, error) by the last source that hosts may not argue with; only while the time is known.

        By that one, however often a host tells a time that is within the error, it can't walk the clock away.
        """
        if self._follow is not None:
            return self._follow(), self._initial_error
        time, uptime, error = self._anchor
        age = self._uptime() - uptime
        return time + age, error + _drift(age)

    def follow(self, read, source, error=1):
        """Believe a clock that is kept right by others (an operating system's).

        `read()` gives Unix seconds; `error`: seconds, either way.
        """
        if self._follow is None:
            self._is_own = self.is_hearsay = False
        self._follow, self.source, self._initial_error = read, source, error

    @property
    def is_following(self):
        """Whether it is another clock's time."""
        return self._follow is not None

    def unfollow(self):
        """Go on alone from the time that the other clock has now."""
        now = self.now()
        if now is None:
            self.withdraw()
        else:
            self._take(now, self.source, self._initial_error, True)

    def now(self):
        """Unix time, or None while it is not known."""
        if self._follow is not None:
            time = self._follow()
        elif self._base is not None:
            time = self._base[0] + self._uptime() - self._base[1]
        else:
            return None
        return time if time >= self.floor else None

    def setting(self, time, back=False):
        """What `set` would keep, for records.pack_clock: (floor, run, began, spans).

        `back`: an admin insists on a time before the floor. Raises ClockRefused.
        """
        if time < self.floor and not back:
            raise ClockRefused(
                "%d lies before %d, which the device has seen; set it back only if that was wrong"
                % (time, self.floor)
            )
        ended = self.now() if self._is_own else None
        if ended is None:
            # An hour after the floor at most codes were judged at, see `next_floor`; the time may be unset by
            # now, or have been turned back by whoever keeps it.
            ended = max(self.now() or 0, self.floor + FLOOR_EVERY)
        return time, self.run + 1, time, _merged(self.spans + [(self.began, max(self.began, ended))])

    def set(self, time, source, back=False, error=2):
        """Set the time, and the floor with it. `error`: seconds, either way. Raises ClockRefused."""
        self.floor, self.run, self.began, self.spans = self.setting(time, back)
        self._take(time, source, error, True)
        self._is_own = True

    def unseen(self, now):
        """Around `now`: (end of the spans that began before it, start of the next one or None if there is
        none)."""
        if not self.spans:
            return 0, None
        ended = [span[1] for span in self.spans if span[0] <= now]
        ahead = [span[0] for span in self.spans if span[0] > now]
        return max(ended) if ended else 0, min(ahead) if ahead else None

    def next_floor(self):
        """The floor to put on flash before a code is accepted, or None while the old one will do.

        A minute behind the time, for a clock kept by others may be put back by some seconds.
        """
        now = self.now()
        return None if now is None or now < self.floor + FLOOR_EVERY else min(now - _LAG, MAX_TIME)

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
        return self._initial_error + (0 if self._follow is not None else _drift(self._age()))

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
