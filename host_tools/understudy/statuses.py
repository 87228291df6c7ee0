# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Statuses to exception classes, texts, exit codes and PAM codes; all of it comes from the protocol's own
tables."""

from typing import Any

from understudy_device import errors
from understudy_device.protocol import STATUSES

# Exit codes that are not the device's to give: the shell's customs, the doctor's and the set-up's.
EXIT_DECLINED = 1
EXIT_USAGE = 2
EXIT_FINDINGS = 3
EXIT_ROLLED_BACK = 4
EXIT_INTERRUPTED = 130  # 128 + SIGINT
EXIT_PIPE = 141  # 128 + SIGPIPE
OTHER_EXITS = {
    "declined": (EXIT_DECLINED, "Nothing was done."),
    "usage": (EXIT_USAGE, "The command line is wrong."),
    "findings": (EXIT_FINDINGS, "Something needs mending."),
    "rolled-back": (EXIT_ROLLED_BACK, "Nobody confirmed it in time; all is as it was."),
    "interrupted": (EXIT_INTERRUPTED, "Stopped by Ctrl-C."),
    "broken-pipe": (EXIT_PIPE, "Nobody reads the output."),
}

_CLASSES: dict[str, type[errors.UnderstudyError]] = {
    kind.status: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.UnderstudyError)
}


def error_for(status: str, message: str = "", **fields: Any) -> errors.UnderstudyError:
    """The exception for a device's `status`.

    A status this version does not know becomes an `internal` one that names it.
    """
    kind = _CLASSES.get(status)
    if kind is None:
        return errors.UnderstudyError(
            message or f"The device answered {status!r}, which this version does not know.", **fields
        )
    return kind(message, **fields)


def exit_code(status: str) -> int:
    """The exit code of the command line for `status`; 70 for one that is not in the tables."""
    return _meaning(status)[0]


def text_for(status: str) -> str:
    """The table's sentence for `status`."""
    return _meaning(status)[1]


def pam_code(status: str) -> str:
    """What a PAM module returns for `status`, without PAM_; SYSTEM_ERR for one that is not in the table."""
    return str(STATUSES.get(status, STATUSES["internal"])[2])


def _meaning(status: str) -> tuple[int, str]:
    code, text = OTHER_EXITS.get(status) or STATUSES.get(status, STATUSES["internal"])[:2]
    return int(code), str(text)


def explain(error: errors.UnderstudyError) -> str:
    """One line for people: what the error says, or else what its status means.

    Seconds to wait are added when known.
    """
    text = error.message or text_for(error.status)
    seconds = error.fields.get("seconds")
    if error.status == "throttled" and isinstance(seconds, int):
        return f"Too many wrong codes; try again in {seconds} s."
    return text
