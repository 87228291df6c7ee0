# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Debian package, built anew by tools/make_deb.py out of what `make deb` has left in build/."""

import subprocess
import sys
from pathlib import Path

from tools.buildlib.paths import TOOLS


def built(into: Path, *options: str) -> Path:
    """Build the package into `into`, packed in haste."""
    words = [sys.executable, str(TOOLS / "make_deb.py"), "--into", str(into), "--level", "1", *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())
