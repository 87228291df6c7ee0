# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The broker's files for systemd: taken by systemd, hardened, and of one mind with the code."""

import configparser
import re
import subprocess
from pathlib import Path

from understudy.configuration import USUAL, Configuration
from understudy.paths import etc_dir

NAMES = ("understudyd.service", "understudyd.socket", "understudy-rollback.service")
PROGRAM = "/usr/local/bin/understudyd"
SETUP = "/usr/local/bin/understudy setup --boot"


def unit(name: str) -> configparser.ConfigParser:
    """A unit's sections; of a key that comes more than once, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((etc_dir() / name).read_text())
    return parser


def test_systemd_takes_them(tmp_path: Path) -> None:
    for name in NAMES:
        text = (etc_dir() / name).read_text()
        assert name.endswith(".socket") or PROGRAM in text or SETUP in text
        (tmp_path / name).write_text(text.replace(PROGRAM, "/bin/true").replace(SETUP, "/bin/true"))
    paths = [str(tmp_path / name) for name in NAMES]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, timeout=60
    )
    said = [line for line in done.stderr.splitlines() if "understudy" in line]
    assert done.returncode == 0 and said == [], done.stderr


def test_they_fit_the_configurations_defaults() -> None:
    service, listening = unit(NAMES[0])["Service"], unit(NAMES[1])["Socket"]
    default = Configuration()
    assert listening["ListenStream"] == str(default.broker.socket)
    assert service["ExecStart"] == f"{PROGRAM} --config {USUAL}"
    assert f"/var/lib/{service['StateDirectory']}" == str(default.device.identity.parent)
    # The kernel says who asks; the module wants the folder to be root's alone.
    assert (listening["SocketMode"], listening["DirectoryMode"]) == ("0666", "0755")


def test_the_broker_runs_as_nobody_in_particular_and_comes_back() -> None:
    service = unit(NAMES[0])["Service"]
    assert (service["User"], service["Type"], service["Restart"]) == ("understudy", "notify", "always")
    assert re.search(r"^u understudy ", (etc_dir() / "understudy.sysusers").read_text(), re.MULTILINE)
    assert service["NoNewPrivileges"] == "yes" and service["CapabilityBoundingSet"] == ""
    assert service["ProtectSystem"] == "strict" and service["DevicePolicy"] == "closed"
    assert (service["LimitCORE"], service["MemorySwapMax"]) == ("0", "0")
    assert float(service["WatchdogSec"]) > 2
