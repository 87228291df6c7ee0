# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the official RPI_PICO image freezes, less the drivers of micropython-lib, which Debian lacks."""

freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
