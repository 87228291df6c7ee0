# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What ends a command before any device is asked."""

from understudy_device.errors import BadRequest, UnderstudyError


class WrongUsage(BadRequest):
    """What was asked for can't be; the command line's exit code is that of any wrong usage."""

    status = "usage"


class Declined(UnderstudyError):
    """A person was asked first, and said no."""

    status = "declined"


class RolledBack(UnderstudyError):
    """A set-up was taken back, as nobody has confirmed it."""

    status = "rolled-back"
