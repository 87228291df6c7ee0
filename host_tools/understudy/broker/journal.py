# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The broker's log: one line an event on stderr, `event name=value ..`, as systemd's journal takes it.

Never a code, a secret or a key: callers hand in names and verdicts only. sd-daemon(3): a line may begin with
its level in angle brackets.
"""

import json
import re
from typing import TextIO

ALERT = 1  # somebody has to look at once
WARNING = 4
NOTICE = 5
INFO = 6

_PLAIN = re.compile(r"[0-9A-Za-z_.:/@+-]+\Z")


class Journal:
    """Writes events to `stream`."""

    def __init__(self, stream: TextIO, levels: bool) -> None:
        """`levels`: begin each line with its level, for the journal."""
        self._stream = stream
        self._levels = levels

    def write(self, level: int, event: str, **fields: object) -> None:
        """One event; fields that are None or empty are left out. A log that is full stops nothing."""
        words = [f"{name}={_value(value)}" for name, value in fields.items() if value not in (None, "")]
        line = " ".join([f"<{level}>{event}" if self._levels else event, *words]) + "\n"
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):
            return


def _value(value: object) -> str:
    text = str(value)
    # As JSON where it is not plain: a user's name must not be able to end the line, or look like a field.
    return text if _PLAIN.match(text) else json.dumps(text)
