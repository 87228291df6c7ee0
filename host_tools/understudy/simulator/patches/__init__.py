# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Run-time corrections to rp2040py 0.3.6, one module each; its docstring says what goes wrong without it."""
