# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Unix time from what callers and interpreters have."""

import time

_UNIX_TIME_OF_2000 = 946684800  # some MicroPython ports count from 2000-01-01
_DAY = 86400
_JULIAN_DAY_OF_1970 = 2440588


def unix_now():
    """Return the interpreter's clock as seconds since 1970-01-01 00:00 UTC, whatever epoch it counts from."""
    seconds = time.time()
    if time.gmtime(0)[0] == 2000:
        seconds += _UNIX_TIME_OF_2000
    return seconds


def unix_seconds(moment):
    """Return a Unix time for `moment`: a number, returned as it is, or a datetime (CPython only).

    A datetime without a time zone is local time. Its fraction of a second is dropped. Raises ValueError if
    the operating system cannot convert it.
    """
    if not hasattr(moment, "utctimetuple"):
        return moment
    try:
        if moment.tzinfo:
            return _from_utc(moment.utctimetuple())
        return moment.replace(microsecond=0).timestamp()
    except (OverflowError, OSError, ValueError):
        raise ValueError("time out of range") from None


def _from_utc(parts):
    """Return the Unix time of (year, month, day, hour, minute, second, ...) in UTC."""
    year, month, day, hour, minute, second = parts[:6]
    # The year is made to start in March, so that the leap day is its last.
    january = (14 - month) // 12
    year += 4800 - january
    month += 12 * january - 3
    days = day + (153 * month + 2) // 5 + 365 * year + year // 4 - year // 100 + year // 400 - 32045
    return (days - _JULIAN_DAY_OF_1970) * _DAY + 3600 * hour + 60 * minute + second
