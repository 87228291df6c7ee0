# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""How guessing is slowed down: delays that double, per user, and an allowance for the device as a whole.

Waits are counted in seconds of uptime, which nobody can set. What is kept on flash is how many wrong codes
there were; after a restart whoever has to wait waits the whole time again, from power-up on. So nothing is
gained by pulling the plug, and a device that does not know the time throttles all the same.
"""

from .compat import const

_MOST_DOUBLINGS = const(30)
_TRUSTED = const(1)  # failures in a row with which a user is still judged when the allowance is used up
STRANGER = const(2)  # the failures that a name counts for which nobody has
_LISTED = const(30)  # refusals in a row, and then one a minute


def delay(failures, settings):
    """Seconds to wait after so many wrong codes in a row."""
    over = failures - settings["attempts"]
    if over < 0:
        return 0
    return min(settings["delay"] << min(over, _MOST_DOUBLINGS), settings["max_delay"])


class Throttle:
    """`spent`: wrong codes counted against the device's allowance, as flash has it."""

    def __init__(self, spent=0):
        self._ends = {}  # user number: uptime at which the wait ends
        self._spent = spent
        self._since = 0  # uptime at which `_spent` was right

    def wait(self, number, failures, settings, uptime):
        """Seconds until this user may try again, 0 for now: the longer of the user's and the device's."""
        seconds = delay(failures, settings)
        if seconds:
            seconds = min(seconds, self._ends.get(number, seconds) - uptime)
        # Not who gets it right: strangers must not be able to keep everybody out.
        if failures > _TRUSTED and self.spent(settings, uptime) == settings["device_attempts"]:
            since = uptime - self._since
            seconds = max(seconds, settings["delay"] - since % settings["delay"])
        return max(0, seconds)

    def spent(self, settings, uptime):
        """Wrong codes that still count against the device: one is forgotten each `delay` seconds, and at once
        those over the allowance, or a wait could grow to days."""
        most = min(self._spent, settings["device_attempts"])
        return max(0, most - (uptime - self._since) // settings["delay"])

    def failed(self, number, failures, settings, uptime):
        """A wrong code, the user's `failures`-th in a row; once it is on flash."""
        spent = self.spent(settings, uptime) + 1
        self._since = uptime - (uptime - self._since) % settings["delay"] if spent > 1 else uptime
        self._spent = spent
        # One that is over need not be remembered: without it the wait counts from power-up, and is over, too.
        self._ends = {key: end for key, end in self._ends.items() if end > uptime}
        if delay(failures, settings):
            self._ends[number] = uptime + delay(failures, settings)

    def forget(self, number):
        """The user's failures are gone: by a right code, or because the number belongs to another."""
        self._ends.pop(number, None)


class Ration:
    """What may be done `most` times in a row, and then once in `seconds`."""

    def __init__(self, most, seconds):
        self._most = most
        self._seconds = seconds
        self._taken = 0
        self._since = 0  # uptime at which `_taken` was right

    def take(self, uptime):
        """Seconds to wait for the next one, 0 if this is one."""
        back = (uptime - self._since) // self._seconds
        self._taken = max(0, self._taken - back)
        self._since += back * self._seconds
        if self._taken == self._most:
            return self._since + self._seconds - uptime
        self._taken += 1
        return 0


class Refusals:
    """Keeps verdicts that cost no guess, which anyone may ask for by the thousand, from flooding the audit
    log: a burst of them is listed, then one a minute, and of the rest the number."""

    def __init__(self):
        self._since = 0  # uptime
        self._listed = 0
        self._left_out = 0

    def may_log(self, uptime):
        """Whether one more is to be listed."""
        minutes = (uptime - self._since) // 60
        self._listed = max(0, self._listed - minutes)
        self._since += 60 * minutes
        if self._listed < _LISTED:
            self._listed += 1
            return True
        self._left_out += 1
        return False

    def note(self):
        """What to say of those that were not listed since the last one that was."""
        count, self._left_out = self._left_out, 0
        return "and %d more before it" % count if count else ""
