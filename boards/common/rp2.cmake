# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
# What the boards of MicroPython's rp2 port share. UNDERSTUDY_LOCKED (tools/buildlib/image.py sets it) makes the
# image without a way to a prompt; see locked.h.

# Speed over size (MicroPython's rp2 port would choose MinSizeRel): the image has 640 KiB and uses two thirds.
set(CMAKE_BUILD_TYPE Release)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
# Warnings that are errors at -Os, and wrong at -O2.
add_compile_options(-Wno-error=maybe-uninitialized -Wno-error=stringop-overflow)

if(UNDERSTUDY_LOCKED)
    list(APPEND MICROPY_DEF_BOARD UNDERSTUDY_LOCKED=1)
    list(APPEND MICROPY_SOURCE_BOARD ${CMAKE_CURRENT_LIST_DIR}/locked.c)
    set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/locked.c PROPERTIES
        COMPILE_OPTIONS "-Wextra;-Wpedantic;-Werror"
    )
    # MicroPython's own prints the exception and then stands still.
    add_link_options(-Wl,--wrap=nlr_jump_fail)
endif()
