# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the scripts in tools/ share. Standard library only: it runs before anything is installed."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the system's python3 runs this
    raise SystemExit(f"Python 3.11 or newer is needed; python3 here is {sys.version.split()[0]}.")
