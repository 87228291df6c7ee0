# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What this host remembers of each device's audit log: the newest event that it has verified.

A JSON object `{"version": 1, "number": <event>, "hash": "<hex>"}` in the state directory, readable by its
owner only. It holds no secret; without it a log that was rolled back can't be told from one that was not.
"""

import json
from contextlib import suppress
from pathlib import Path

from understudy.audit import Point, hash_of
from understudy.files import make_private_dir, write_target
from understudy.paths import state_dir
from understudy.usage import WrongUsage
from understudy_device.errors import AuditBroken

_VERSION = 1


def point_file(device: str) -> Path:
    """The file for a device (its id, 16 hex digits)."""
    return state_dir() / "audit" / f"{device}.json"


def load_point(device: str) -> Point | None:
    """What is remembered, None if nothing is. AuditBroken when the file is there and can't be used."""
    path = point_file(device)
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION:
            raise ValueError("version")
        return Point(int(document["number"]), hash_of(document["hash"]))
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError):
        raise AuditBroken(f"{path} does not tell what was verified before; --forget starts anew.") from None


def save_point(device: str, point: Point) -> None:
    """Remember `point` instead."""
    path = point_file(device)
    document = {"version": _VERSION, "number": point.number, "hash": point.hash.hex()}
    try:
        make_private_dir(path.parent)
    except OSError as error:
        raise WrongUsage(f"{path.parent} can't be made: {error.strerror}") from error
    write_target(path, json.dumps(document).encode() + b"\n")


def forget_point(device: str) -> None:
    """Remember nothing."""
    with suppress(FileNotFoundError):
        point_file(device).unlink()
