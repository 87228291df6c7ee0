// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Understudy authors
// A Raspberry Pi Pico 2 (RP2350, 4 MiB of flash) as an Understudy device, on its Arm cores.

#define MICROPY_HW_BOARD_NAME               "Understudy on Raspberry Pi Pico 2"

// The store's raw region: the last 3 MiB of the flash, exactly where the stock image keeps its file system.
// rp2.Flash() is this region. The image has the first MiB.
#define MICROPY_HW_FLASH_STORAGE_BYTES      (3 * 1024 * 1024)

#include "../common/rp2.h"
