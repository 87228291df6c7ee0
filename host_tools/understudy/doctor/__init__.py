# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What may be wrong between a plugged-in device and a login, what mends it, and rehearsals of bad days."""
