# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The key that a 2FA server knows this host by, from a file that nobody but its owner may read."""

import os
import stat
from pathlib import Path

from understudy_device.errors import ConfigError

_MAX_SIZE = 4096  # bytes


def read_key(path: Path) -> bytes:
    """The file's bytes without the line end behind them. ConfigError, which never quotes them.

    The file is to be root's or the caller's, and closed to everybody else, as an identity file is.
    """
    try:
        # Without waiting for whoever opens the other end of a FIFO.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read: {_reason(error)}") from error
    try:
        _check_owner(path, os.fstat(handle))
        data = os.read(handle, _MAX_SIZE + 1)
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {_reason(error)}") from error
    finally:
        os.close(handle)
    key = data.rstrip(b"\r\n")
    if not key:
        raise ConfigError(f"{path} is empty; it is to hold the key.")
    if len(data) > _MAX_SIZE:
        raise ConfigError(f"{path} is longer than {_MAX_SIZE} bytes; that is no key.")
    return key


def read_line(path: Path) -> bytes:
    """The same for a key that goes into a header: one line of visible ASCII. ConfigError."""
    key = read_key(path)
    if not all(0x21 <= byte <= 0x7E for byte in key):
        raise ConfigError(f"{path} is to hold one line, without spaces.")
    return key


def _check_owner(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path} is not a regular file.")
    if status.st_uid not in (0, os.geteuid()):
        raise ConfigError(f"{path} belongs to another user (uid {status.st_uid}).")
    if status.st_mode & 0o077:
        raise ConfigError(f"{path} can be read by others; put that right with: chmod 600 {path}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
