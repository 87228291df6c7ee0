# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Install the Debian packages of groups of debian-packages.txt:  debian_packages.py build test"""

import sys

from buildlib import apt, steps

if __name__ == "__main__":
    steps.main(lambda: apt.install(apt.listed(sys.argv[1:])))
