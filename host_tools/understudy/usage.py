# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is wrong with a request before any device is asked."""

from understudy_device.errors import BadRequest


class WrongUsage(BadRequest):
    """What was asked for can't be; the command line's exit code is that of any wrong usage."""

    status = "usage"
