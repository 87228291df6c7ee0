# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Times and durations as people type them; typer.BadParameter for what is none."""

import datetime
import re

import typer

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d{1,9}[smhd])+", re.ASCII)
_NONE = "none"
_DAY = datetime.timedelta(days=1)


def instant(typed: str) -> int:
    """Unix seconds of an ISO 8601 time with a zone, or of a number."""
    if typed.isascii() and typed.isdigit():
        return int(typed[:20])
    try:
        moment = datetime.datetime.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(
            f"{typed!r} is no time; such are 2026-05-04T12:00:00Z and 1777896000"
        ) from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{typed!r} has no zone; add Z for UTC, or an offset such as +02:00")
    return round(moment.timestamp())


def bound(typed: str | None, last: bool = False) -> int | None:
    """Unix seconds of an ISO date or time, in UTC unless it has an offset; 0 for none, None for None.

    A date is the moment when it begins, or with `last` the one when it is over.
    """
    if typed is None:
        return None
    if typed.strip().lower() == _NONE:
        return 0
    seconds = _date_or_time(typed, last)
    if seconds is None:
        raise typer.BadParameter(
            f"{typed!r} is no date; such are 2026-05-04, 2026-05-04T12:00, 2026-05-04T12:00+02:00 and none"
        )
    return seconds


def since(typed: str, now: int) -> int:
    """Unix seconds of an ISO date or time, or of a duration before `now`."""
    if _DURATION.fullmatch(typed):
        return now - duration(typed)
    seconds = _date_or_time(typed, last=False)
    if seconds is None:
        raise typer.BadParameter(f"{typed!r} is no time; such are 2h (ago), 2026-05-04 and 2026-05-04T12:00")
    return seconds


def duration(typed: str) -> int:
    """Seconds of 90s, 15m, 2h, 3d, 1h30m."""
    if not _DURATION.fullmatch(typed):
        raise typer.BadParameter(f"{typed!r} is no duration; such are 90s, 15m, 2h and 3d")
    return sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"\d+[smhd]", typed))


def _date_or_time(typed: str, last: bool) -> int | None:
    try:
        day = datetime.date.fromisoformat(typed)
    except ValueError:
        return _time(typed)
    midnight = datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    return round(midnight.timestamp() + (_DAY.total_seconds() if last else 0))


def _time(typed: str) -> int | None:
    try:
        moment = datetime.datetime.fromisoformat(typed)
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp())
