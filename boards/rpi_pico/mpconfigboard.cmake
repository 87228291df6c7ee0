# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")
# Speed over size (MicroPython's rp2 port would choose MinSizeRel): the image has 640 KiB and uses two thirds.
set(CMAKE_BUILD_TYPE Release)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
# Warnings that are errors at -Os, and wrong at -O2.
add_compile_options(-Wno-error=maybe-uninitialized -Wno-error=stringop-overflow)
