# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Debian package: the one that `make deb` has left in build/dist, or another out of the same parts."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tools.buildlib.paths import BUILD, ROOT, TOOLS


def made() -> Path:
    """What `make deb` has made."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    (package,) = (BUILD / "dist").glob(f"understudy_{version}_*.deb")
    return package


def built(into: Path, *options: str) -> Path:
    """Build one into `into`, packed in haste."""
    words = [sys.executable, str(TOOLS / "make_deb.py"), "--into", str(into), "--level", "1", *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())
