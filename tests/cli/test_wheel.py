# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The wheel carries all that an installed `understudy` needs: the firmware and the boards too."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.cli.support import Cli

from understudy.board_files import DISPLAY_MODULES

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = "build/firmware-packages"
CARRIED = (
    "main.py",
    "pyotp/totp.py",
    "ports/linux.py",
    "ports/micropython.py",
    "understudy_device/policy.py",
)


def test_a_wheel_alone_runs_a_device(cli: Cli, tmp_path: Path) -> None:
    options = (
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-cache-dir",
        "--wheel-dir",
        str(tmp_path / "dist"),
    )
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True, timeout=120)
    shutil.copytree(ROOT / PACKAGES, source / PACKAGES)
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True, timeout=300)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    assert {f"understudy/_firmware/{name}" for name in CARRIED} <= names
    assert {f"understudy/_boards/{name}/board.json" for name in ("linux", "rpi_pico")} <= names
    assert {f"understudy/_packages/{name}" for name in DISPLAY_MODULES} <= names
    licences = [name for name in names if re.fullmatch(r"understudy/_packages/.*/licenses/LICENSE", name)]
    assert len(licences) == 4
    assert {
        f"understudy/_etc/{name}" for name in ("understudy-device.service", "60-understudy.rules")
    } <= names
    # Before the checkout on the path, so that what runs is what was unpacked.
    cli.env["PYTHONPATH"] = str(tmp_path / "site")
    where = subprocess.run(
        [sys.executable, "-c", "import understudy; print(understudy.__file__)"],
        env=cli.env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert str(tmp_path / "site") in where.stdout
    with cli.simulator() as port:
        cli.ok("claim", "--yes", "--port", port)
        assert cli.json("status", "--port", port)["board"] == "linux"
