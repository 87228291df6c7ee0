# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Install the Debian packages of groups of debian-packages.txt:  debian_packages.py build test

Those of the group "unpacked" are only unpacked, into build/debian.
"""

import sys

from buildlib import apt, paths, steps


def _main() -> None:
    groups = sys.argv[1:]
    apt.install(apt.listed(group for group in groups if group != "unpacked"))
    if "unpacked" in groups:
        apt.unpack(apt.listed(["unpacked"]), paths.UNPACKED)


if __name__ == "__main__":
    steps.main(_main)
