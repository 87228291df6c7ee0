// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Understudy authors
// A Raspberry Pi Pico (RP2040, 2 MiB of flash) as an Understudy device.

#define MICROPY_HW_BOARD_NAME               "Understudy on Raspberry Pi Pico"

// The store's raw region: the last 1408 KiB of the flash, so it starts at offset 0xA0000, exactly where
// the stock image keeps its file system. rp2.Flash() is this region.
#define MICROPY_HW_FLASH_STORAGE_BYTES      (1408 * 1024)

#include "../common/rp2.h"
