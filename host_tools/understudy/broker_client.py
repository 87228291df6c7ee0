# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Asking a running broker, from the command line."""

import json
import os
import select
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy.broker.messages import ATTACH, END, MAX_REPLY, STATUS, pack, unpack
from understudy.statuses import error_for
from understudy.transport import Closing
from understudy_device.errors import BadRequest, LinkTimeout, NoBroker, NoDevice

_CHUNK = 4096  # bytes
_GONE = "The device, or the broker that has its port, has gone."
_SECONDS = 5.0  # the broker answers this without asking the device


class BrokerPort(Closing):
    """The device's port, while a broker has it: frames go through the broker, in turn with the logins.

    With the face of `transport.Port`. It can carry no secret that the port itself would not.
    """

    def __init__(self, path: Path, url: str) -> None:
        """`url`: the port's own. NoBroker, or Denied to who may not."""
        self.url = url
        self._socket = connected(path, _SECONDS)
        try:
            self._socket.sendall(pack(ATTACH, ()))
            word, fields = unpack(_read(self._socket), MAX_REPLY)
            if word != "ok":
                raise error_for(word, dict(fields).get("error", ""))
        except OSError as error:
            self.close()
            raise NoBroker(f"The broker at {path} has gone.") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let it go; closing twice is fine."""
        self._socket.close()

    def read(self, seconds: float) -> bytes:
        """What has arrived, waiting up to `seconds` for the first byte; nothing when none came. NoDevice."""
        try:
            if not select.select([self._socket], [], [], seconds)[0]:
                return b""
            data = self._socket.recv(_CHUNK)
        except (OSError, ValueError) as error:
            raise NoDevice(_GONE) from error
        if not data:
            raise NoDevice(_GONE)
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`. NoDevice when the broker, or its device, has gone."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise NoDevice(_GONE) from error


def exchange(path: Path, word: str, fields: Sequence[tuple[str, str]] = (), seconds: float = _SECONDS) -> Any:
    """One request to the broker at the socket `path`: (word, fields) of its reply.

    NoBroker when none answers there, LinkTimeout when it does not in time.
    """
    with connected(path, seconds) as connection:
        try:
            connection.sendall(pack(word, fields))
            return unpack(_read(connection), MAX_REPLY)
        except TimeoutError as error:
            raise LinkTimeout("The broker does not answer in time.") from error
        except OSError as error:
            raise NoBroker(f"The broker at {path} has gone.") from error


def connected(path: Path, seconds: float) -> socket.socket:
    """A connection to the broker. NoBroker."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise NoBroker(f"No broker answers at {path}: {error.strerror or error}.") from error
    return connection


def _read(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(END):
        more = connection.recv(MAX_REPLY)
        if not more:
            raise NoBroker("The broker has closed the connection.")
        data += more
        if len(data) > MAX_REPLY:
            raise BadRequest(f"a message of over {MAX_REPLY} bytes")
    return data


def status(path: Path) -> dict[str, Any]:
    """How the broker is. NoBroker, or what it answers."""
    word, fields = exchange(path, STATUS)
    text = "".join(value for name, value in fields if name == "json")
    if word != "ok":
        raise error_for(word, next((value for name, value in fields if name == "error"), ""))
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadRequest("The broker's answer is not one.")
    return found


def reload_broker(path: Path) -> bool:
    """Have a running broker read its configuration again; False when none runs, or it is not ours to tell."""
    try:
        os.kill(int(status(path)["pid"]), signal.SIGHUP)
    except (NoBroker, LinkTimeout, KeyError, ValueError, OSError):
        return False
    return True
