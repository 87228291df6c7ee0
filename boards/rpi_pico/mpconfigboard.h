// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Understudy authors
// A Raspberry Pi Pico (RP2040, 2 MiB of flash) as an Understudy device.

#define MICROPY_HW_BOARD_NAME               "Understudy on Raspberry Pi Pico"

// The store's raw region: the last 1408 KiB of the flash, so it starts at offset 0xA0000, exactly where
// the stock image keeps its file system. rp2.Flash() is this region.
#define MICROPY_HW_FLASH_STORAGE_BYTES      (1408 * 1024)

// What the host's udev rule and port detection look for.
#define MICROPY_HW_USB_MANUFACTURER_STRING  "Understudy"
#define MICROPY_HW_USB_PRODUCT_FS_STRING    "Understudy"
#define MICROPY_HW_USB_CDC_INTERFACE_STRING "Understudy"

// One thread: no locks around the heap, which every allocation would take and give back.
#define MICROPY_PY_THREAD                   (0)

// Attribute look-ups remembered: more RAM than by default (128 bytes), fewer collisions.
#define MICROPY_OPT_MAP_LOOKUP_CACHE_SIZE   (512)

// What is allocated is not zeroed beforehand where its owner fills it anyway.
#define MICROPY_GC_CONSERVATIVE_CLEAR       (0)
