# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An emulated Raspberry Pi Pico that runs the real firmware image (see `pico.Pico`)."""
