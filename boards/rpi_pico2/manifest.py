# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is frozen into the image: the same on every board of this port."""

include("../common/manifest.py")
