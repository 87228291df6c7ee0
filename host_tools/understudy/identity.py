# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""This host's identity file: its private key and the devices it is paired with.

A JSON object `{"version": 1, "private_key": "<hex>", "devices": {"<id>": {"public_key", "role", "board"}}}`.
It never holds a one-time-password secret. Whoever reads it can open sessions, so nobody but its owner may.
"""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from understudy.files import locked_dir, make_private_dir, write_private
from understudy_device.errors import IdentityError
from understudy_device.pairing import key_id, wrap_secret
from understudy_device.protocol import KEY, ROLES

_VERSION = 1
_MAX_SIZE = 1 << 20  # bytes


@dataclass(frozen=True)
class PairedDevice:
    """What a host keeps of a device: its static key, the role it gave us, its board (for listings only)."""

    public_key: bytes
    role: str
    board: str


@dataclass
class Identity:
    """A host's key and the devices it knows, by device id (16 hex digits)."""

    path: Path
    private_key: bytes = field(repr=False)
    devices: dict[str, PairedDevice] = field(default_factory=dict)

    @property
    def key_id(self) -> bytes:
        """This host's name on the devices."""
        private = X25519PrivateKey.from_private_bytes(self.private_key)
        return bytes(key_id(private.public_key().public_bytes_raw()))

    def wrap_key(self, device: str) -> bytes:
        """The 32-byte key under which `device` keeps its data key for this host.

        Nobody else can derive it.
        """
        return bytes(wrap_secret(self.private_key, bytes.fromhex(device)))

    def remember(self, device: str, paired: PairedDevice) -> None:
        """Add or replace a device, in the file too."""
        self._update(lambda devices: devices.__setitem__(device, paired))

    def forget(self, device: str) -> None:
        """Drop a device, in the file too; one that isn't there is no error."""
        self._update(lambda devices: devices.pop(device, None))

    def _update(self, change: Callable[[dict[str, PairedDevice]], object]) -> None:
        with locked_dir(self.path.parent):
            if self.path.exists():
                self.devices = load_identity(self.path).devices  # another process may have paired meanwhile
            change(self.devices)
            self._save()

    def _save(self) -> None:
        devices = {
            name: {"public_key": one.public_key.hex(), "role": one.role, "board": one.board}
            for name, one in self.devices.items()
        }
        document = {"version": _VERSION, "private_key": self.private_key.hex(), "devices": devices}
        try:
            write_private(self.path, json.dumps(document, indent=2).encode() + b"\n")
        except OSError as error:
            raise IdentityError(f"{self.path} can't be written: {error.strerror}") from error


def load_identity(path: Path) -> Identity:
    """Read an identity file. IdentityError when it is missing, not ours alone, or not one."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # it might be a FIFO
    except FileNotFoundError as error:
        raise IdentityError(f"There is no identity file {path}; `understudy claim` makes one.") from error
    except OSError as error:
        raise IdentityError(f"{path} can't be read: {error.strerror}") from error
    try:
        _check_owner(path, os.fstat(handle))
        data = os.read(handle, _MAX_SIZE)
    finally:
        os.close(handle)
    try:
        return _parse(path, json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError):
        # Not chained: a decoder's message quotes what it read.
        raise IdentityError(f"{path} is not an identity file of this version.") from None


def ensure_identity(path: Path) -> Identity:
    """Read the identity file, or make one with a fresh key."""
    try:
        make_private_dir(path.parent)
        with locked_dir(path.parent):
            if path.exists():
                return load_identity(path)
            fresh = Identity(path, X25519PrivateKey.generate().private_bytes_raw())
            fresh._save()
            return fresh
    except OSError as error:
        raise IdentityError(f"{path} can't be made: {error.strerror}") from error


def _check_owner(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise IdentityError(f"{path} is not a regular file.")
    # Root may read it anyway, and puts it back under its owner.
    if os.geteuid() not in (status.st_uid, 0):
        raise IdentityError(f"{path} belongs to another user (uid {status.st_uid}); use a file of your own.")
    if status.st_mode & 0o077:
        raise IdentityError(f"{path} can be read by others; put that right with: chmod 600 {path}")


def _parse(path: Path, document: Any) -> Identity:
    if document["version"] != _VERSION:
        raise ValueError("version")
    devices = {}
    for name, one in document["devices"].items():
        public_key = _key(one["public_key"])
        if key_id(public_key).hex() != name or one["role"] not in ROLES:
            raise ValueError("device")
        devices[name] = PairedDevice(public_key, one["role"], str(one["board"]))
    return Identity(path, _key(document["private_key"]), devices)


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != KEY:
        raise ValueError("key")
    return key
