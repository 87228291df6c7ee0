# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Make build/privacyidea: a virtual environment with what tools/privacyidea.lock pins, half a gigabyte.

For the tests only, and apart from build/venv, as a server has dependencies of its own. Done again only when
what it is made from changed. (The other server, FreeRADIUS, is among the unpacked Debian packages.)
"""

import os
import shutil
import sys
import venv
from pathlib import Path

from buildlib import paths, steps

_LOCK = paths.TOOLS / "privacyidea.lock"
_PYTHON = paths.PRIVACYIDEA / "bin" / "python"
_STAMP = paths.PRIVACYIDEA / "understudy.stamp"


def _main() -> None:
    content = steps.digest([_LOCK, Path(__file__)], sys.version, sys.executable, str(paths.ROOT))
    with steps.locked("privacyidea"):
        if steps.up_to_date(_STAMP, content, _PYTHON):
            return
        shutil.rmtree(paths.PRIVACYIDEA, ignore_errors=True)
        steps.say(f"making {paths.PRIVACYIDEA}: half a gigabyte, about a minute")
        venv.create(paths.PRIVACYIDEA, symlinks=True, with_pip=False)
        pip: list[str | Path] = [paths.VENV / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
        install: list[str | Path] = ["--python", _PYTHON, "install", "--require-hashes", "-r", _LOCK]
        steps.run("pip-privacyidea", [*pip, *install], env=_environment())
        _STAMP.write_text(content)


def _environment() -> dict[str, str]:
    leading_astray = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
    return {name: value for name, value in os.environ.items() if name not in leading_astray}


if __name__ == "__main__":
    steps.main(_main)
