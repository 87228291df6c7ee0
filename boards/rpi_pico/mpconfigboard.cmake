# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
set(PICO_BOARD "pico")
set(PICO_PLATFORM "rp2040")
include(${CMAKE_CURRENT_LIST_DIR}/../common/rp2.cmake)
