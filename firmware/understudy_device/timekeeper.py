# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who may set the clock, and by how much: the sources, in order of trust.

admin     any time, not before the floor unless insisted on; `Device.set_clock`
ntp       a majority of servers; beyond the present error it may move the clock by MAX_STEP a day
system    an operating system's clock: followed as long as the system says that it is right, not set
host      a paired host of either role, by `tell`: only within the error of those above, and a little
rtc       the clock chip: believed when it was set by this device and has run ever since
codes     two codes of an authenticator, for an admin, where the clock is unset; see `regain`

While the clock is unset, ntp and a host may set it to at most MAX_AHEAD after the floor.
"""

from . import records
from .compat import const
from .ds3231 import DS3231, PPM_HALVES, Nonsense
from .errors import ClockRefused, UnderstudyError

# How far after the floor an unset clock may be set by others than an admin; a device that never knew the time
# takes any. The floor follows the last accepted codes by an hour, so this is how long a NAS may lie without
# power and still bring its device back by itself. A host with root could use it to choose a wrong time once
# for each power cut. It gains: no second use of a code (used steps stay used, `policy.is_fresh`), nothing
# that lies before the floor, no code that the phone has not shown yet; it can make right codes wrong, as it
# could by not asking at all, and a date of a user come early. An admin undoes it with `clock set`. Without a
# bound it could use up the time until 2106 at once, and only an admin's --back would ever help.
MAX_AHEAD = const(34560000)  # 400 days: a year in a cupboard, and a month
MAX_STEP = const(1000)  # s; ntpd's panic threshold (ntpd(8), -g)
_STEP_EVERY = const(86400)  # s between two such steps
HOST_ERROR = const(2)  # s: whole seconds, and the way through the link
_HOST_SLACK = const(5)  # s beyond the error, for a host that is slow or a little off itself
# A told time is taken when it makes the error this much smaller: hours after the last one at the earliest, so
# that telling can neither flood the log nor wear the chip out.
_GAIN = const(2)  # s

_FIRST_CHECK = const(3)  # s of uptime: by then a chip that is stuck has shown it
_CHECK_EVERY = const(3600)  # s
_CHIP_ROUNDING = const(1)  # s, its seconds and ours don't begin together
_CHIP_SLACK = const(2)  # s between two readings, whatever lies between them
_MILLION = const(1000000)


def _drift(age, halves):
    return -(-max(0, age) * halves // (2 * _MILLION))


def _ntp(board):
    """The time servers, where the board has a network."""
    network = getattr(board, "network", None)
    if network is None:
        return None
    # Here and not above: a board without a network need not hold it in its RAM.
    from .sntp import Sntp  # noqa: PLC0415

    return Sntp(network, board.random, board.uptime)


class Timekeeper:
    """`clock`: clock.Clock; `board`: see ports; `store`: of the chip's record; `log(event, detail, actor)`
    writes to the audit log, `report(text)` tells of a fault."""

    def __init__(self, clock, board, store, log, report):
        self._clock = clock
        self._uptime = board.uptime
        self._store = store
        self._log = log
        self._report = report
        self._stepped = None  # uptime of the last step by ntp
        self._moved = 0  # seconds, by all that was not worth an event since the last one
        self._seen = None  # (time, uptime) when the chip was read last
        self._check_at = _FIRST_CHECK
        self._told = ""  # the chip's fault that was reported
        self._is_new = False  # whether the chip waits to be set
        self._chip = DS3231(board.i2c) if board.i2c is not None else None
        self._ntp = _ntp(board)
        self._system = getattr(board, "system_clock", None)
        self._is_system_right = False
        self.rtc = "none"  # or ok, unset, stopped, nonsense, silent

    def start(self):
        """At power-up, with a store that can be read: take the chip's time."""
        if self._chip is not None:
            self._read_chip()

    def show(self):
        """What the commands report: the clock's, and how its sources are."""
        shown = self._clock.show()
        shown["rtc"] = self.rtc
        shown["ntp"] = self._ntp.state if self._ntp is not None else "none"
        return shown

    def tick(self):
        """About once a second: what the sources have to say. Writes to flash only if something changes."""
        if self._system is not None:
            self._heed_system(self._system.error())
        if self._ntp is not None:
            found = self._ntp.tick()
            if found is not None:
                self._synced(*found)
        if self._is_new:
            self._set_chip()
        if self._chip is not None and self._uptime() >= self._check_at:
            self._check_at = self._uptime() + _CHECK_EVERY
            self._read_chip()
            if self._clock.is_following:  # which sets nothing
                self.was_set()

    # The operating system.

    def _heed_system(self, error):
        """It may be `error` seconds off; None: it does not know the time (any more).

        Only a change counts: what an admin has set in between stays.
        """
        clock, was_right = self._clock, self._is_system_right
        self._is_system_right = error is not None
        if error is None:
            if was_right and clock.is_following:
                clock.unfollow()
        elif clock.is_following:
            clock.follow(self._system.read, "system", error)
        elif not was_right:
            now, time = clock.now(), self._system.read()
            if time < clock.floor:  # wrong after all, or the floor is: a time that is known is not given up
                self._is_system_right = False
                return
            if now is None or abs(time - now) > clock.error:
                self._log("clock-synced", "%s -> %d" % ("unset" if now is None else now, time), None)
                self._moved = 0
            clock.follow(self._system.read, "system", error)
            self.was_set()

    # A host that tells the time.

    def tell(self, time, actor):
        """A paired host says that it is `time`; ClockRefused if that can't be."""
        clock = self._clock
        now = clock.now()
        if now is None:
            self._check_ahead(time)
        else:
            reference, error = clock.trusted()
            if abs(time - reference) > error + _HOST_SLACK:
                raise ClockRefused(
                    "%d s away from the device's time, which is right to %d s; an admin may set it"
                    % (abs(time - reference), error)
                )
            if clock.error < HOST_ERROR + _GAIN:
                return
        self._take(time, "host", HOST_ERROR, "clock-told", actor)

    def _check_ahead(self, time):
        floor = self._clock.floor
        if time < floor or (floor and time > floor + MAX_AHEAD):
            raise ClockRefused(
                "%d is not within %d days after %d, which the device has seen; an admin may set it"
                % (time, MAX_AHEAD // 86400, floor)
            )

    def _take(self, time, source, error, event, actor=None):
        """Go on at `time`; in the log first, if it is more than what the clock's error explains."""
        clock = self._clock
        now = clock.now()
        if time < clock.floor:
            raise ClockRefused("%d lies before %d, which the device has seen" % (time, clock.floor))
        self._moved += 0 if now is None else time - now
        if now is None or abs(self._moved) > clock.error:  # of many small steps the sum
            self._log(event, "%s -> %d" % ("unset" if now is None else now, time), actor)
            self._moved = 0
        clock.adopt(time, source, error, source != "host")
        # Into the chip goes no host's word where there is a better one: the chip is argued with less.
        if now is None or source != "host":
            self.was_set()

    # The network.

    def _synced(self, time, error):
        clock, stepped = self._clock, self._stepped
        now = clock.now()
        try:
            if now is None or clock.is_hearsay:
                self._check_ahead(time)
            elif abs(time - now) > clock.error + error:
                uptime = self._uptime()
                if abs(time - now) > MAX_STEP or (
                    self._stepped is not None and uptime - self._stepped < _STEP_EVERY
                ):
                    raise ClockRefused("the servers are %d s away" % abs(time - now))
                stepped = uptime
            elif clock.source != "ntp" and clock.error <= error:
                return  # right already, and by a better one
            self._take(time, "ntp", error, "clock-synced")
            self._stepped = stepped
        except UnderstudyError:
            self._ntp.refused()

    # The chip.

    def was_set(self):
        """The clock was set by another source than the chip: set that, too, where it gains by it."""
        if self._chip is None or self.rtc == "none":
            return
        clock, error = self._clock, self._chip_error()
        time = self._seen_now()
        if clock.now() is None:
            return
        self._is_new = (
            error is None
            or time is None
            or error > clock.error + 2 * _GAIN
            or abs(time - clock.now()) > clock.error
        )

    def _seen_now(self):
        """What the chip should say now."""
        if self._seen is None or self.rtc != "ok":
            return None
        return self._seen[0] + self._uptime() - self._seen[1]

    def _chip_error(self):
        """Seconds that the chip may be off now, or None."""
        kept, time = self._store.get(records.RTC), self._seen_now()
        if kept is None or time is None:
            return None
        set_at, error, _ = records.unpack_rtc(kept)
        return error + _CHIP_ROUNDING + _drift(time - set_at, PPM_HALVES)

    def _set_chip(self):
        """What is kept of it goes first: a cut in between leaves a chip that is not believed."""
        self._is_new = False
        time = self._clock.now()
        if time is None:
            return
        try:
            self._store.delete(records.RTC)
            self._chip.set(time)
            error = self._clock.error + _CHIP_ROUNDING
            self._store.put(records.RTC, 0, records.pack_rtc(time, error, self._clock.is_hearsay))
            self._seen = (time, self._uptime())
            self.rtc, self._told = "ok", ""
        except OSError:
            self._broken("silent", "does not answer")
        except UnderstudyError as error:  # of the store: the chip waits for the next time
            self._broken("unset", error.status)

    def _read_chip(self):
        """Take its time if it is right and better than what we have."""
        try:
            time = self._chip.time()
        except OSError:
            if self.rtc != "none" or self._store.has(records.RTC):
                self._broken("silent", "does not answer")
            return
        except Nonsense as error:
            self._broken("nonsense", str(error))
            return
        kept = self._store.get(records.RTC)
        if time is None:
            self._broken("stopped", "had no power" if kept is not None else "")
            return
        if kept is None:
            if self.rtc in ("none", "ok"):  # else it is known why
                self.rtc = "unset"
            return
        wrong = self._wrong(time, records.unpack_rtc(kept)[0])
        if wrong:
            self._broken("nonsense", wrong)
            return
        self._seen = (time, self._uptime())
        self.rtc, self._told = "ok", ""
        self._agree(time)

    def _wrong(self, time, set_at):
        """What is wrong with a time that the chip gives, or None."""
        if time < set_at or time < self._clock.floor:
            return "%d lies in the past" % time
        if self._seen is not None:
            went, passed = time - self._seen[0], self._uptime() - self._seen[1]
            if abs(went - passed) > _CHIP_SLACK + passed // 5000:  # 200 ppm, both clocks'
                return "%d s in %d" % (went, passed)
        return None

    def _agree(self, time):
        """Go by the chip, unless it contradicts the last source that is better than a host."""
        clock, error = self._clock, self._chip_error()
        is_hearsay = records.unpack_rtc(self._store.get(records.RTC))[2]
        now = clock.now()
        if now is not None and (is_hearsay or not clock.is_hearsay):
            reference, bound = clock.trusted()
            if abs(time - reference) > bound + error:
                self._broken("nonsense", "%d instead of %d" % (time, reference))
                return
        if now is None or abs(time - now) > clock.error + error or error + 1 < clock.error:
            if not clock.is_following:
                clock.adopt(time, "rtc", error, not is_hearsay)

    def _broken(self, state, what):
        """The chip is not to be believed, until it is set again; said once, if there is something to say."""
        self.rtc, self._seen = state, None
        if state in ("stopped", "nonsense") and self._store.has(records.RTC):
            try:
                self._store.delete(records.RTC)
            except UnderstudyError:  # then it is found out again
                pass
        if self._clock.source == "rtc" and state == "nonsense":
            self._clock.withdraw()
        if what and what != self._told:
            self._told = what
            self._report("rtc: " + what)
