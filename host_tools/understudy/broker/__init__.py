# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The broker, `understudyd`: the only owner of the device's port; it answers logins over a Unix socket."""
