# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Where things are in a Pico's 2 MiB flash: offsets from the start of the chip and sizes, in bytes."""

FLASH_SIZE = 2 * 1024 * 1024
XIP_BASE = 0x1000_0000
PAGE = 256
SECTOR = 4096

# MicroPython's file system on RPI_PICO: ports/rp2/boards/RPI_PICO/mpconfigboard.h, the last 1408 KiB.
FS_START = 0xA0000
FS_BLOCKS = 352
FS_SIZE = FS_BLOCKS * SECTOR
