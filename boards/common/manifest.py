# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is frozen into an image. STAGE_DIR is the folder tools/buildlib/stage.py fills from firmware/."""

freeze("$(PORT_DIR)/modules", "rp2.py")  # rp2.Flash, the raw region under the store
freeze("$(STAGE_DIR)")
