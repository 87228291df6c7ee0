# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A machine of files for the doctor to look at."""

import os
from collections.abc import Sequence
from pathlib import Path

from understudy.doctor.checks_host import check_port
from understudy.doctor.findings import OK, Finding, Host, Ran

PORT = "/dev/ttyACM0"
BROKER, OTHER, SELF = 100, 200, 300


def nothing(_words: Sequence[str]) -> Ran | None:
    """No command is there."""
    return None


class Made:
    """A machine of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = Host(folder / "root", folder / "proc", nothing)
        self.host.root.mkdir()
        self.host.proc.mkdir()

    def write(self, name: str, text: str = "", mode: int = 0o644) -> None:
        path = self.host.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def process(self, pid: int, name: str, *opened: str) -> None:
        fds = self.host.proc / str(pid) / "fd"
        fds.mkdir(parents=True)
        (fds.parent / "comm").write_text(name + "\n")
        for number, target in enumerate(opened):
            (fds / str(number)).symlink_to(target)

    def plugged(self, mode: int = 0o660, group: str = "understudy") -> None:
        """A device at PORT."""
        self.write(PORT, mode=mode)
        self.write("/etc/group", f"{group}:x:{os.getegid()}:\n")
        self.write("/sys/bus/usb/drivers/cdc_acm/bind")
        self.write("/sys/class/tty/ttyACM0/dev", "166:0\n")
        driver = self.host.path("/sys/class/tty/ttyACM0/device/driver")
        driver.parent.mkdir()
        driver.symlink_to(self.host.path("/sys/bus/usb/drivers/cdc_acm"))

    def usb(self, product: str) -> None:
        self.write("/sys/bus/usb/devices/1-1/idVendor", "2e8a\n")
        self.write("/sys/bus/usb/devices/1-1/idProduct", f"{product}\n")

    def port(self, port: str | None = PORT) -> dict[str, Finding]:
        return by_id(check_port(self.host, port, BROKER, SELF, True))


def by_id(found: Sequence[Finding]) -> dict[str, Finding]:
    """The findings by their ids, which come once; each that is not ok says why."""
    assert len({one.id for one in found}) == len(found), found
    assert all(one.why for one in found if one.severity != OK), found
    return {one.id: one for one in found}


def severities(found: Sequence[Finding]) -> dict[str, str]:
    return {name: one.severity for name, one in by_id(found).items()}
