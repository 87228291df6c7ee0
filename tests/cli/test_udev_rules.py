# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The udev rules, read as udev(7) has it: the ATTRS of a line have to fit one and the same device above.

Not by udevadm: what can judge a rules file (`udevadm verify`) is newer than the systems we test on, and
`udevadm test` takes its rules from /etc.
"""

import fnmatch
import re

import pytest

from understudy.paths import etc_dir

RULES = etc_dir() / "60-understudy.rules"
KEY = re.compile(r'([A-Z]+)(?:\{(\w+)\})?(==|!=|\+=|=)"([^"]*)"')
Parents = list[dict[str, str]]

HUB = {"idVendor": "05e3", "idProduct": "0608", "product": "USB2.0 Hub"}
ROOT = {"idVendor": "1d6b", "idProduct": "0002", "product": "xHCI Host Controller"}
PICO = {"idVendor": "2e8a", "idProduct": "0005", "product": "Board in FS mode"}
OURS = {"idVendor": "2e8a", "idProduct": "4242", "product": "Understudy"}
BELOW = {"bInterfaceNumber": "00"}


def lines() -> list[list[tuple[str, str, str, str]]]:
    """Each rule as its keys: (name, what is in braces, operator, value)."""
    found = []
    for line in RULES.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            keys = KEY.findall(line)
            assert ", ".join(f'{n}{"{" + b + "}" if b else ""}{o}"{v}"' for n, b, o, v in keys) == line
            found.append(keys)
    return found


def fits(pattern: str, value: str) -> bool:
    return any(fnmatch.fnmatchcase(value, one) for one in pattern.split("|"))


def applied(parents: Parents, subsystem: str = "tty", action: str = "add") -> dict[str, str]:
    """What the rules say about a device below `parents`, nearest first."""
    said: dict[str, str] = {}
    skip = ""
    for keys in lines():
        if skip:
            skip = "" if ("LABEL", "", "=", skip) in keys else skip
            continue
        now = {"SUBSYSTEM": subsystem, "ACTION": action}
        tests = [key for key in keys if key[2] in ("==", "!=")]
        attributes = [key for key in tests if key[0] == "ATTRS"]
        others = [(key, now.get(key[0], said.get(key[1], ""))) for key in tests if key[0] != "ATTRS"]
        if not all(fits(value, is_) == (operator == "==") for (_, _, operator, value), is_ in others):
            continue
        if attributes and not any(
            all(name in one and fits(value, one[name]) == (o == "==") for _, name, o, value in attributes)
            for one in parents
        ):
            continue
        for name, inner, operator, value in keys:
            if name == "GOTO":
                skip = value
            elif operator in ("=", "+=") and name != "LABEL":
                said[inner or name] = value
    assert not skip
    return said


@pytest.mark.parametrize("board", [PICO, OURS], ids=["MicroPython", "ours"])
@pytest.mark.parametrize("above", [[ROOT], [HUB, ROOT], [HUB, HUB, ROOT]], ids=["port", "hub", "two hubs"])
def test_the_group_gets_the_port_and_modems_are_not_looked_for(board: dict[str, str], above: Parents) -> None:
    said = applied([BELOW, board, *above])
    assert (said["GROUP"], said["MODE"], said["TAG"]) == ("understudy", "0660", "uaccess")
    assert said["ID_MM_PORT_IGNORE"] == said["ID_MM_DEVICE_IGNORE"] == "1"


def test_of_the_usb_device_only_modemmanager_is_told() -> None:
    said = applied([OURS, HUB, ROOT], "usb")
    assert said["ID_MM_DEVICE_IGNORE"] == "1" and "GROUP" not in said


@pytest.mark.parametrize(
    "parents,subsystem,action",
    [
        ([BELOW, {**PICO, "idVendor": "2341"}, ROOT], "tty", "add"),
        ([BELOW, {**OURS, "idVendor": "2341"}, ROOT], "tty", "add"),
        ([BELOW, {**PICO, "idProduct": "0003"}, ROOT], "usb", "add"),
        # Vendor and product of two different devices.
        ([BELOW, {**HUB, "idProduct": "0005"}, {**PICO, "idProduct": "000c"}, ROOT], "tty", "add"),
        ([BELOW, PICO, ROOT], "block", "add"),
        ([BELOW, PICO, ROOT], "tty", "remove"),
    ],
)
def test_nothing_is_said_of_others(parents: Parents, subsystem: str, action: str) -> None:
    assert applied(parents, subsystem, action) == {}


def test_every_match_names_the_vendor_and_none_is_negative() -> None:
    matching = [[key for key in keys if key[0] == "ATTRS"] for keys in lines()]
    for attributes in filter(None, matching):
        assert ("ATTRS", "idVendor", "==", "2e8a") in attributes
        assert all(operator == "==" for _, _, operator, _ in attributes)
