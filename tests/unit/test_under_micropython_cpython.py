# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Every portable unit test once more, under the real MicroPython. (This file itself runs under CPython.)"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_MICROPYTHON = _ROOT / "build" / "micropython" / "unix" / "micropython"
_PACKAGES = _ROOT / "build" / "firmware-packages"
_RUNNER = _HERE / "run_micropython.py"
_SECONDS = 300
_FILES = sorted(file.stem for file in _HERE.glob("test_*.py") if not file.stem.endswith("_cpython"))


@pytest.fixture(scope="module")
def micropython():
    """The interpreter, built now if it is not there (build/ has a lock, so workers may all try)."""
    if not _MICROPYTHON.exists():
        subprocess.run([sys.executable, _ROOT / "tools" / "build_micropython.py", "interpreter"], check=True)
    return _MICROPYTHON


def _run(interpreter, module, folder=_HERE):
    path = ":".join(map(str, [_ROOT / "firmware", _PACKAGES, folder, _ROOT, ".frozen"]))
    return subprocess.run(
        [interpreter, "-X", "heapsize=8M", _RUNNER, module],
        env={**os.environ, "MICROPYPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        cwd=folder,
    )


@pytest.mark.parametrize("module", _FILES)
def test_under_micropython(micropython, module):
    done = _run(micropython, module)
    print(done.stdout)
    counts = re.search(r"^ran (\d+) tests, (\d+) failed$", done.stdout, re.MULTILINE)
    assert done.returncode == 0 and counts, f"{module}: exit code {done.returncode}"
    assert int(counts[1]) > 0 and int(counts[2]) == 0


_BROKEN = {
    "a failing test": "class T(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(1, 2)\n",
    "an error": "class T(unittest.TestCase):\n    def test_it(self):\n        raise OSError(5)\n",
    "nothing raised": "class T(unittest.TestCase):\n    def test_it(self):\n"
    "        with self.assertRaises(ValueError):\n            pass\n",
    "no test": "class T(unittest.TestCase):\n    pass\n",
    "a broken file": "1 / 0\n",
}


@pytest.mark.parametrize("source", _BROKEN.values(), ids=_BROKEN.keys())
def test_the_runner_notices(micropython, tmp_path, source):
    (tmp_path / "test_broken.py").write_text(f"import unittest\n\n{source}")
    done = _run(micropython, "test_broken", tmp_path)
    assert done.returncode == 1, done.stdout
