# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""From a plugged-in device to a login that asks for codes, and back: what changes on this machine, and how it
is taken back when nobody gets in any more."""
