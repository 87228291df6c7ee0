# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What has to stand in a board's board.json: one check for the build, the command line and the tests.

Needs nothing but the standard library, as the build of images uses it too.
"""

from collections.abc import Callable, Mapping
from typing import Any

PORTS = ("linux", "micropython")
INSTALLS = ("uf2", "mpremote", "process")
ARCHES = ("armv6m", "armv7emsp", "xtensawin")  # as mpy-cross names them
LINKS = ("usb", "uart", "stdio")
# How far it was tested, from little to much; `tested` alone means: by every run of the tests, as it is.
TESTED = ("not tried", "built only", "emulated", "tested")
# What the board wants confirmed by its button before there is any setting.
PRESENCE = ("claim",)
FLAGS = ("display", "rtc", "button", "led", "wifi", "lockable")
PINS = ("i2c", "sda", "scl", "button", "led", "tx", "rx")
_MAX_PIN = 48
_I2C = {"i2c", "sda", "scl"}


class BoardError(ValueError):
    """A board.json that is not as it should be; its text names the file and what is wrong."""


def check_board(data: Any, name: str, where: str) -> dict[str, Any]:
    """Return the `data` of the board `name`. BoardError for an unknown, missing or wrong key; `where` names
    the file."""
    if not isinstance(data, dict):
        raise BoardError(f"{where}: not a JSON object")
    missing = sorted(set(_REQUIRED) - set(data))
    unknown = sorted(set(data) - set(_REQUIRED) - set(_OPTIONAL))
    if missing or unknown:
        named = [f"missing: {', '.join(missing)}"] * bool(missing)
        raise BoardError(f"{where}: " + "; ".join(named + [f"unknown: {', '.join(unknown)}"] * bool(unknown)))
    for key, value in data.items():
        if not {**_REQUIRED, **_OPTIONAL}[key](value):
            raise BoardError(f"{where}: {key}: {value!r} is not what may stand there")
    for wrong in _contradictions(data, name):
        raise BoardError(f"{where}: {wrong}")
    return data


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable()


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_family(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith("0x"):
        return False
    return len(value) == 10 and all(digit in "0123456789abcdef" for digit in value[2:])


def _are_pins(value: Any) -> bool:
    """A number of a GPIO or a bus; a name where the platform has one, such as "LED"."""
    return isinstance(value, dict) and all(
        name in PINS
        and (_is_text(pin) or (isinstance(pin, int) and not isinstance(pin, bool) and 0 <= pin <= _MAX_PIN))
        for name, pin in value.items()
    )


def _is_presence(value: Any) -> bool:
    return isinstance(value, list) and all(act in PRESENCE for act in value)


_REQUIRED: Mapping[str, Callable[[Any], bool]] = {
    "id": _is_text,
    "name": _is_text,
    "port": _one_of(*PORTS),
    "install": _one_of(*INSTALLS),
    "link": _one_of(*LINKS),
    **dict.fromkeys(FLAGS, _is_flag),
    "tested": _one_of(*TESTED),
    "pins": _are_pins,
}
_OPTIONAL: Mapping[str, Callable[[Any], bool]] = {
    "arch": _one_of(*ARCHES),
    "uf2_family": _is_family,
    "presence": _is_presence,
}


def _contradictions(data: dict[str, Any], name: str) -> list[str]:
    pins = data["pins"]
    found = []
    if data["id"] != name:
        found.append(f"id: {data['id']!r} stands in the folder of {name!r}")
    if (data["install"] == "uf2") != ("uf2_family" in data):
        found.append("uf2_family: for boards that take a UF2 image, and for those only")
    if (data["install"] == "process") != (data["port"] == "linux"):
        found.append("install: a process is what the linux port is")
    if (data["port"] == "micropython") != ("arch" in data):
        found.append("arch: for boards that run MicroPython, and for those only")
    if data["lockable"] and data["install"] != "uf2":
        found.append("lockable: only an image of ours has no prompt")
    for what in ("button", "led"):
        if data[what] != (what in pins):
            found.append(f"pins: {what} has a pin just when the board has one")
    if data["port"] == "micropython" and (data["display"] or data["rtc"]) and not _I2C <= set(pins):
        found.append("pins: a display and a clock chip need i2c, sda and scl")
    if data.get("presence") and not data["button"]:
        found.append("presence: needs a button")
    return found
