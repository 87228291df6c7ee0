# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Where things are. Everything that is made lies under build/, which git ignores."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
FIRMWARE = ROOT / "firmware"
BOARDS = ROOT / "boards"

BUILD = ROOT / "build"
VENV = BUILD / "venv"
LOGS = BUILD / "log"
PACKAGES = BUILD / "firmware-packages"  # what the firmware takes from PyPI
IMAGES = BUILD / "images"
PRIVACYIDEA = BUILD / "privacyidea"  # a virtual environment with the 2FA server of the tests
UNPACKED = BUILD / "debian"  # Debian packages that are used without being installed
DEBIAN_BASE = BUILD / "debian-base.tar"  # a small Debian, into which the tests install the package

MICROPYTHON = BUILD / "micropython"
DOWNLOAD = MICROPYTHON / "download"
SOURCE = MICROPYTHON / "src"
UNIX = MICROPYTHON / "unix" / "micropython"
MPY_CROSS = MICROPYTHON / "mpy-cross" / "mpy-cross"
