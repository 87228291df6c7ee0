// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Understudy authors
// What the boards of MicroPython's rp2 port share. Each one's mpconfigboard.h says what it is first, and includes
// this.

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

#if UNDERSTUDY_LOCKED
#include "locked.h"
#endif
