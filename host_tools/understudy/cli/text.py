# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Fields as text for people."""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

_DAY = 86400  # seconds


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Two aligned columns, one item a line."""
    rows = list(items)
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns under a header; plain text, so that it can be cut and searched."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(columns(line, widths) for line in lines)


def columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of a table; a cell that is too long pushes the rest to the right."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def moment(seconds: int | None) -> str:
    """A Unix time in UTC, ISO 8601."""
    if seconds is None:
        return "never"
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s"  # beyond the calendar


def until(seconds: int) -> str:
    """A bound in Unix seconds that is not part of what it ends, or none; a whole day by its name."""
    if seconds == 0:
        return "none"
    if seconds % _DAY:
        return moment(seconds)
    return f"{moment(seconds - 1).split('T')[0]}, the end of the day (UTC)"


def duration(seconds: int) -> str:
    """Days, hours, minutes, seconds; at most the two largest that are not zero."""
    parts = []
    for size, unit in ((_DAY, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def window(steps: int) -> str:
    """How many steps are taken on each side."""
    return f"{steps} {'step' if steps == 1 else 'steps'} on each side"


def drift(steps: int) -> str:
    """How far an authenticator's clock is from the device's."""
    if steps == 0:
        return "its clock is right"
    count = "1 step" if abs(steps) == 1 else f"{abs(steps)} steps"
    return f"its clock is {count} {'fast' if steps > 0 else 'slow'}"


def clock(fields: dict[str, Any]) -> str:
    """The clock in one line."""
    if fields.get("time") is None:
        return f"{fields['state']} (set it with `understudy clock set --from-host`)"
    details = [f"source {fields['source']}"] if fields.get("source") else []
    if fields.get("error") is not None:
        details.append(f"within {fields['error']} s")
    return f"{moment(fields['time'])}, {fields['state']}" + (f" ({', '.join(details)})" if details else "")


def offset(seconds: float, uncertainty: float) -> str:
    """How far the device's clock is from this host's."""
    if abs(seconds) <= uncertainty:
        return f"the same time, +-{uncertainty} s"
    far = f"{abs(seconds)} s" if abs(seconds) < _DAY else duration(round(abs(seconds)))
    return f"the device is {far} {'ahead' if seconds > 0 else 'behind'}, +-{uncertainty} s"


_SOURCES = {
    "ok": "right",
    "unset": "not set by this device yet",
    "stopped": "had no power; set the clock, and it is set as well",
    "nonsense": "gives no sensible time; set the clock, and it is set as well",
    "silent": "does not answer",
    "waiting": "not asked yet",
    "no-answer": "do not answer",
    "no-majority": "do not agree",
    "refused": "too far away from the device's time; an admin may set it",
}


def source_state(state: str) -> str:
    """How one of the clock's sources is."""
    return _SOURCES.get(state, state)


def audit(fields: dict[str, Any]) -> str:
    """Which events are kept."""
    first, following = fields["first"], fields["next"]
    return "no events" if first == following else f"events {first} to {following - 1}"


def flash(fields: dict[str, Any]) -> str:
    """The store's fill in one line."""
    size, used = int(fields["size"]), int(fields["used"])
    text = f"{100 * used // size if size else 0} % of {size // 1024} KiB used ({fields['kind']})"
    return text + (f", {fields['damaged']} damaged" if fields.get("damaged") else "")


def yes_no(flag: bool) -> str:
    """yes or no."""
    return "yes" if flag else "no"
