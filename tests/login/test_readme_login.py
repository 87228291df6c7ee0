# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the README says about putting the module behind logins, done as it stands there."""

import re
import sys
from pathlib import Path

from tests.login.machine import ENVIRONMENT, MODULE, Machine
from tools.buildlib.paths import ROOT

from understudy.paths import etc_dir

SECTION = (ROOT / "README.md").read_text().split("\n## Behind SSH\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
ELSEWHERE = ("venv", "pip", "ln -sf")  # tests/cli/test_wheel.py installs the wheel


def test_the_module_the_user_and_the_units_are_installed_as_it_says(machine: Machine) -> None:
    (block,) = [one for one in BLOCKS if "pam_understudy.so" in one]
    lines = [line for line in block.splitlines() if not any(word in line for word in ELSEWHERE)]
    path = f"{Path(sys.executable).parent}:{ENVIRONMENT['PATH']}"
    machine.ok("sh", "-euxc", "\n".join([f"cd {ROOT}", *lines]), env={"PATH": path})
    (module,) = machine.path("/usr/lib").glob("*/security/pam_understudy.so")
    assert module.read_bytes() == MODULE.read_bytes() and module.stat().st_mode & 0o777 == 0o644
    assert module.with_name("pam_unix.so").exists()
    assert machine.ok("getent", "passwd", "understudy").out.startswith("understudy:x:")
    for name in ("understudyd.service", "understudyd.socket"):
        assert machine.path(f"/etc/systemd/system/{name}").read_text() == (etc_dir() / name).read_text()


def test_the_table_names_the_stacks_that_are_tested() -> None:
    named = set(re.findall(r"`((?:pam|ssh|pam-configs)/[a-z.-]+)`", SECTION))
    folders = [etc_dir() / name for name in ("pam", "ssh", "pam-configs")]
    shipped = {f"{folder.name}/{file.name}" for folder in folders for file in folder.iterdir()}
    assert named == shipped


def test_the_way_by_the_package_is_that_of_other_tests() -> None:
    """test_deb.py installs what `make deb` makes, test_setup.py sets up."""
    assert [line.partition(" #")[0].strip() for line in BLOCKS[0].splitlines()] == [
        "sudo apt-get install ./build/dist/understudy_*.deb",
        "sudo understudy setup",
    ]
