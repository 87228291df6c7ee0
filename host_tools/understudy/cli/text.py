# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Fields as text for people."""

import datetime
from collections.abc import Iterable, Sequence
from typing import Any


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Two aligned columns, one item a line."""
    rows = list(items)
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns under a header; plain text, so that it can be cut and searched."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def moment(seconds: int | None) -> str:
    """A Unix time in UTC, ISO 8601."""
    if seconds is None:
        return "never"
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s"  # beyond the calendar


def duration(seconds: int) -> str:
    """Days, hours, minutes, seconds; at most the two largest that are not zero."""
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def window(steps: int) -> str:
    """How many steps are taken on each side."""
    return f"{steps} {'step' if steps == 1 else 'steps'} on each side"


def clock(fields: dict[str, Any]) -> str:
    """The clock in one line."""
    if fields.get("time") is None:
        return f"{fields['state']} (set it with `understudy clock set --from-host`)"
    details = [f"source {fields['source']}"] if fields.get("source") else []
    if fields.get("error") is not None:
        details.append(f"within {fields['error']} s")
    return f"{moment(fields['time'])}, {fields['state']}" + (f" ({', '.join(details)})" if details else "")


def flash(fields: dict[str, Any]) -> str:
    """The store's fill in one line."""
    size, used = int(fields["size"]), int(fields["used"])
    text = f"{100 * used // size if size else 0} % of {size // 1024} KiB used ({fields['kind']})"
    return text + (f", {fields['damaged']} damaged" if fields.get("damaged") else "")


def yes_no(flag: bool) -> str:
    """yes or no."""
    return "yes" if flag else "no"
