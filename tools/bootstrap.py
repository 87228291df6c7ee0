# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Make build/venv: a virtual environment with everything requirements.lock pins, and this project, editable.
And build/firmware-packages: what firmware.lock pins, for whoever runs or builds the firmware.

Needs a python3 and nothing else. pip comes with Python (ensurepip) where it is whole; on a Debian without
python3-venv it comes from Debian's own package python3-pip-whl, fetched without root. pip's own settings of
this machine (mirror, proxy, certificates) are honoured. Done again only when what it is made from changed.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from buildlib import apt, paths, steps

_PYTHON = paths.VENV / "bin" / "python"
_STAMP = paths.VENV / "understudy.stamp"
_LOCK = paths.ROOT / "requirements.lock"
_FIRMWARE_LOCK = paths.ROOT / "firmware.lock"
_PROJECT = [paths.ROOT / "pyproject.toml", paths.TOOLS / "wheel_hook.py"]
_LEADING_ASTRAY = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
_SYSTEM_WHEELS = Path("/usr/share/python-wheels")


def _main() -> None:
    made_from = [_LOCK, _FIRMWARE_LOCK, *_PROJECT, Path(__file__)]
    content = steps.digest(made_from, sys.version, sys.executable, str(paths.ROOT))
    with steps.locked("venv"):
        if steps.up_to_date(_STAMP, content, _PYTHON, paths.PACKAGES) and _runs():
            return
        _STAMP.unlink(missing_ok=True)
        made_for = paths.VENV / "python.stamp"
        identity = f"{sys.version}\n{sys.executable}\n{paths.ROOT}\n"
        if not steps.up_to_date(made_for, identity, _PYTHON) or not _runs():
            _create()
            made_for.write_text(identity)
        pip: list[str | Path] = [_PYTHON, "-m", "pip", "--disable-pip-version-check", "install"]
        steps.run("pip-dependencies", [*pip, "--require-hashes", "-r", _LOCK], env=_pip_environment())
        _firmware_packages(pip)
        own: list[str | Path] = [
            *pip,
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--editable",
            paths.ROOT,
        ]
        steps.run("pip-project", own, env=_pip_environment())
        _STAMP.write_text(content)


def _firmware_packages(pip: list[str | Path]) -> None:
    """A folder of their own, because images, the Unix MicroPython and the wheel take them from there too."""
    partial = paths.PACKAGES.with_name("firmware-packages.partial")
    for folder in (partial, paths.PACKAGES):
        shutil.rmtree(folder, ignore_errors=True)
    options: list[str | Path] = [
        "--no-deps",
        "--no-compile",
        "--require-hashes",
        "--target",
        partial,
        "-r",
        _FIRMWARE_LOCK,
    ]
    steps.run("pip-firmware", [*pip, *options], env=_pip_environment())
    partial.rename(paths.PACKAGES)


def _runs() -> bool:
    """Whether the environment's Python starts and has pip: a moved folder or an upgraded system breaks it."""
    try:
        return not subprocess.run([_PYTHON, "-c", "import pip"], capture_output=True).returncode
    except OSError:
        return False


def _pip_environment() -> dict[str, str]:
    """The caller's, so that pip's settings there count, less what would lead pip out of the environment."""
    return {name: value for name, value in os.environ.items() if name not in _LEADING_ASTRAY}


def _create() -> None:
    whole = importlib.util.find_spec("ensurepip") is not None
    steps.say(f"making {paths.VENV}")
    try:
        venv.create(paths.VENV, clear=True, symlinks=True, with_pip=whole)
    except subprocess.CalledProcessError as error:
        raise steps.BuildError(f"python3 -m venv failed: {error.output or error}") from error
    if not whole:
        with tempfile.TemporaryDirectory(prefix="understudy-pip-") as folder:
            _pip_from_debian(Path(folder))


def _pip_from_debian(folder: Path) -> None:
    """Put pip into the environment from Debian's package of it: one that is installed, or fetched now."""
    wheels = sorted(_SYSTEM_WHEELS.glob("pip-*.whl")) or _fetched_wheels(folder)
    if not wheels:
        raise steps.BuildError("python3 has no pip of its own. Run:\n    sudo apt-get install python3-venv")
    # A wheel is a zip file, and pip runs from within it.
    command: list[str | Path] = [
        _PYTHON,
        wheels[-1] / "pip",
        "install",
        "--no-index",
        "--no-deps",
        wheels[-1],
    ]
    steps.run("pip-from-debian", command, env=_pip_environment())


def _fetched_wheels(folder: Path) -> list[Path]:
    if not shutil.which("apt-get"):
        return []
    with apt.private(apt.own_suite()[0]) as archive:
        archive.packages(["python3-pip-whl"], folder)
    for deb in folder.glob("*.deb"):
        steps.run("unpack-pip", ["dpkg", "-x", deb, folder])
    return sorted((folder / _SYSTEM_WHEELS.relative_to("/")).glob("pip-*.whl"))


if __name__ == "__main__":
    steps.main(_main)
