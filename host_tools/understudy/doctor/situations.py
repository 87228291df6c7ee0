# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What can be rehearsed."""

SERVER_DOWN = "server-down"
DEVICE_GONE = "device-gone"
CLOCK_UNSET = "clock-unset"
EVERYTHING_GONE = "everything-gone"
SITUATIONS = (SERVER_DOWN, DEVICE_GONE, CLOCK_UNSET, EVERYTHING_GONE)
