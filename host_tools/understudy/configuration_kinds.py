# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a key of the configuration may hold: the kinds, and `key`, by which a table declares one in a line."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from understudy_device.protocol import MAX_NAME as MAX_LABEL

_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # control characters, half pairs, line separators
_SHOWN = 40  # characters of a wrong value or key that a message quotes
MAX_NAME = 256  # characters of a user's or a group's name
MAX_SOCKET = 107  # bytes; sun_path holds 108 with its end (unix(7))
MAX_PATH = 4095  # bytes; PATH_MAX without its end
_URL = re.compile(r"[a-z][a-z0-9+.-]*://.*")
_WEB = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_SERVER = re.compile(r"([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_DEVICE_ID = re.compile(r"[0-9a-f]{16}")


class Unfit(Exception):
    """A value that its key does not take; the text says what it takes: "true or false"."""


@dataclass(frozen=True)
class Kind:
    """What values a key takes, in words, and the check that returns the value to keep or raises Unfit."""

    words: str
    check: Callable[[Any], Any]


@dataclass(frozen=True)
class Key:
    """A key as its table declares it; `default` None means: not given."""

    name: str
    kind: Kind
    default: Any
    meaning: str
    per_service: bool
    example: Any


def key(default: Any, kind: Kind, meaning: str, *, per_service: bool = False, example: Any = None) -> Any:
    """A dataclass field that is a key of the file; `per_service`: [service.NAME] may have it as well.

    `example` stands in the documented file when there is no default.
    """
    notes = {"kind": kind, "meaning": meaning, "per_service": per_service, "example": example}
    return field(default=default, metadata=notes)


def table(of: type, meaning: str) -> Any:
    """A dataclass field that is a table of the file, declared by the dataclass `of`."""
    return field(default_factory=of, metadata={"table": of, "meaning": meaning})


def keys(of: type) -> dict[str, Key]:
    """The keys that the dataclass `of` declares, by name, in order."""
    return {
        one.name: Key(one.name, default=one.default, **one.metadata)
        for one in fields(of)
        if "kind" in one.metadata
    }


def tables(of: type) -> dict[str, tuple[type, str]]:
    """The tables that the dataclass `of` declares: name to dataclass and meaning, in order."""
    return {
        one.name: (one.metadata["table"], one.metadata["meaning"])
        for one in fields(of)
        if "table" in one.metadata
    }


def quoted(value: Any) -> str:
    """A wrong value for a message: short, and on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    if not isinstance(value, (str, int, float)):
        return "a date or time"  # the only other things that TOML has
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return "a huge number"  # which refuses to be printed, perhaps (sys.set_int_max_str_digits)
    shown = ascii(value)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


def unseen(text: str) -> bool:
    """Whether `text` holds what can't be seen, or ends a line."""
    return any(unicodedata.category(char) in _UNSEEN for char in text)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit
    return value


SWITCH = Kind("true or false", _switch)


def text(most: int) -> Kind:
    """One line of 1 to `most` characters."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= most or unseen(value):
            raise Unfit
        return value

    return Kind(f"a text in quotes, 1 to {most} characters, without control characters", check)


def _label(value: Any) -> str:
    if not isinstance(value, str) or unseen(value) or value != value.strip():
        raise Unfit
    if not 1 <= len(value.encode()) <= MAX_LABEL:
        raise Unfit
    return value


LABEL = Kind(f"a name in quotes, 1 to {MAX_LABEL} bytes, without space around it", _label)


def seconds(least: float, most: float) -> Kind:
    """Seconds, whole or not."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            raise Unfit  # what is no number compares as false, so it is refused as well
        return float(value)

    return Kind(f"a number of seconds, {least:.10g} to {most:.10g}", check)


def count(least: int, most: int) -> Kind:
    """A whole number."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Unfit
        return value

    return Kind(f"a whole number, {least} to {most}", check)


def choice(*words: str) -> Kind:
    """One of `words`."""

    def check(value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise Unfit
        return value

    return Kind("one of " + ", ".join(f'"{word}"' for word in words), check)


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Unfit
    for name in value:
        if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME or unseen(name):
            raise Unfit
    return tuple(value)


NAMES = Kind("a list of names in quotes", _names)


def path(most: int = MAX_PATH) -> Kind:
    """An absolute path of at most `most` bytes."""

    def check(value: Any) -> Path:
        if not isinstance(value, str) or not value.startswith("/") or unseen(value):
            raise Unfit
        if len(value.encode()) > most:
            raise Unfit
        return Path(value)

    bound = "" if most == MAX_PATH else f", at most {most} bytes"
    return Kind(f"an absolute path in quotes{bound}", check)


def _port(value: Any) -> str:
    if not isinstance(value, str) or unseen(value) or len(value) > MAX_PATH:
        raise Unfit
    if not value.startswith("/") and not _URL.fullmatch(value):
        raise Unfit
    return value


PORT = Kind('a path or URL in quotes, such as "/dev/ttyACM0" or "socket://host:port"', _port)


def _device_id(value: Any) -> str:
    if not isinstance(value, str) or not _DEVICE_ID.fullmatch(value):
        raise Unfit
    return value


DEVICE_ID = Kind("a device's id in quotes: 16 digits of 0 to 9 and a to f", _device_id)


def _url(value: Any) -> str:
    if not isinstance(value, str) or unseen(value) or not _WEB.fullmatch(value):
        raise Unfit
    return value


URL = Kind('an address in quotes, such as "https://otp.example.net"', _url)


def _servers(value: Any) -> tuple[str, ...]:
    names = _names(value)
    if not all(_SERVER.fullmatch(name) for name in names):
        raise Unfit
    return names


SERVERS = Kind('a list of servers in quotes, such as ["10.0.0.2", "radius.example.net:1812"]', _servers)
