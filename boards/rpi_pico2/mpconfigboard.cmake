# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
set(PICO_BOARD "pico2")
set(PICO_PLATFORM "rp2350")
include(${CMAKE_CURRENT_LIST_DIR}/../common/rp2.cmake)
