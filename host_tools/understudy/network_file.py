# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Names of time servers, and the file network.json that tells a board with Wi-Fi about them."""

import json
from collections.abc import Sequence
from pathlib import Path

from understudy.usage import WrongUsage

NAME = "network.json"  # on the board; firmware/ports/micropython.py reads it
_MAX_SERVERS = 8
_MAX_PORT = 65535
_MAX_SSID = 32  # bytes (IEEE 802.11)
_PASSPHRASE = range(8, 64)  # characters (WPA)


def are_servers(names: Sequence[object]) -> bool:
    """Whether they are one to eight of name or name:port."""
    return 0 < len(names) <= _MAX_SERVERS and all(
        isinstance(name, str) and _is_server(name) for name in names
    )


def _is_server(text: str) -> bool:
    name, colon, port = text.partition(":")
    if not name or not name.isascii() or not name.isprintable() or " " in name or "," in name:
        return False
    return not colon or (port.isascii() and port.isdigit() and 0 < int(port) <= _MAX_PORT)


def read_network_file(file: Path) -> bytes:
    """What goes on the board. WrongUsage, which never quotes the file, when it is not as it should be."""
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no JSON"
        raise WrongUsage(f"--network {file}: {reason}") from None
    wrong = _wrong(data)
    if wrong:
        raise WrongUsage(f"--network {file}: {wrong}")
    return json.dumps(data).encode()


def _wrong(data: object) -> str | None:
    if not isinstance(data, dict) or set(data) != {"ssid", "password", "servers"}:
        return "it has to be a JSON object with ssid, password and servers"
    ssid, password, servers = data["ssid"], data["password"], data["servers"]
    if not isinstance(ssid, str) or not 0 < len(ssid.encode()) <= _MAX_SSID:
        return f"ssid: text of 1 to {_MAX_SSID} bytes"
    if not isinstance(password, str) or (password and len(password) not in _PASSPHRASE):
        return 'password: 8 to 63 characters, or "" for an open network'
    if not isinstance(servers, list) or not are_servers(servers):
        return f"servers: a list of 1 to {_MAX_SERVERS} names, each with :PORT or without"
    return None
