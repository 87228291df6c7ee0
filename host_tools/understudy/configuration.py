# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The configuration: one typed TOML file, for the broker, and for the command line's port.

The dataclasses below are THE table: a key is one line of its table's class, and everything else (parsing,
checks, the documented default file, the README's table) comes from there.
"""

import errno
import os
import stat
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from understudy.configuration_kinds import (
    DEVICE_ID,
    LABEL,
    MAX_SOCKET,
    NAMES,
    PORT,
    SERVERS,
    SWITCH,
    URL,
    choice,
    count,
    key,
    path,
    seconds,
    table,
    text,
)
from understudy.configuration_parser import Finding, read_document
from understudy_device.errors import ConfigError

USUAL = Path("/etc/understudy/understudy.toml")
MAX_SIZE = 65536  # bytes

_PROMPT = 128  # characters
_NOTHING: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


class Unreadable(ConfigError):
    """There is no such file, or the caller may not open it."""


@dataclass(frozen=True)
class Device:
    """[device]; with neither a port nor an id the device is found by its USB id."""

    port: str | None = key(None, PORT, "The device's port.", example="/dev/ttyACM0")
    id: str | None = key(None, DEVICE_ID, "The device's id.", example="0123456789abcdef")
    identity: Path = key(Path("/var/lib/understudy/identity.json"), path(), "The broker's host key.")
    tell_time: str = key(
        "synced", choice("synced", "always", "never"), "When the device is told this host's time."
    )


@dataclass(frozen=True)
class Login:
    """[login]; what `per_service` marks may stand in [service.NAME] as well."""

    text: str = key("Code: ", text(_PROMPT), "What the prompt for the code says.", per_service=True)
    echo: bool = key(False, SWITCH, "Whether the code is shown while it is typed.", per_service=True)
    nullok: bool = key(
        False, SWITCH, "Whether who has no credential yet gets in without a code.", per_service=True
    )
    enrol: bool = key(True, SWITCH, "Whether who is pending enrols at the login.", per_service=True)
    deadline: float = key(
        3.0, seconds(0.5, 60), "How long a login waits for its verdict, in seconds.", per_service=True
    )
    issuer: str = key("Understudy", LABEL, "The name that authenticator apps show.")


@dataclass(frozen=True)
class Upstream:
    """[upstream]; without a kind there is none, and the device decides alone."""

    kind: str | None = key(
        None, choice("privacyidea", "radius"), "What the 2FA server speaks.", example="privacyidea"
    )
    url: str | None = key(None, URL, "privacyIDEA's address.", example="https://otp.example.net")
    servers: tuple[str, ...] = key((), SERVERS, "RADIUS servers, HOST or HOST:PORT, in turn.")
    key_file: Path | None = key(
        None,
        path(),
        "A file with RADIUS's shared secret, or the API key.",
        example="/etc/understudy/upstream.key",
    )
    service_id: str | None = key(None, LABEL, "How the server knows this host.", example="nas")
    realm: str | None = key(None, LABEL, "privacyIDEA's realm.", example="home")
    verify: bool = key(True, SWITCH, "Whether the server's certificate has to be good.")
    ca_file: Path | None = key(
        None, path(), "Certificates to trust instead of the system's.", example="/etc/understudy/ca.pem"
    )
    patience: float = key(1.5, seconds(0.1, 30), "How long a login waits for the servers, in seconds.")
    retry: float = key(30.0, seconds(0, 3600), "How long one that was away is not asked, in seconds.")
    max_silence: float = key(
        0.0,
        seconds(0, 31536000),
        "Seconds after the servers' last answer from which the device may not decide alone; 0: for ever.",
    )


@dataclass(frozen=True)
class Emergency:
    """[emergency]."""

    users: tuple[str, ...] = key((), NAMES, "Who gets in when neither servers nor device can say anything.")


@dataclass(frozen=True)
class Grace:
    """[grace]; never at sshd."""

    unlocks: int = key(0, count(0, 100), "Unlocks without a code after one, at the same terminal.")
    seconds: float = key(28800.0, seconds(1, 86400), "How long they are good for, in seconds.")


@dataclass(frozen=True)
class Cover:
    """[cover]; names are compared exactly as they stand. Users and groups both empty: everybody."""

    users: tuple[str, ...] = key((), NAMES, "Users who are asked for a code.")
    groups: tuple[str, ...] = key((), NAMES, "Groups whose members are asked for a code.")
    except_users: tuple[str, ...] = key((), NAMES, "Users who are never asked, whatever else names them.")
    except_groups: tuple[str, ...] = key((), NAMES, "Groups whose members are never asked.")


@dataclass(frozen=True)
class Broker:
    """[broker]."""

    socket: Path = key(Path("/run/understudy/broker.sock"), path(MAX_SOCKET), "The broker's Unix socket.")
    clients: int = key(1024, count(1, 65535), "Connections that are served at once.")


@dataclass(frozen=True)
class Service(Login):
    """What holds at one PAM service: [login] and the top-level keys, under its own overrides."""

    mfa: bool = True
    mode: str = "upstream-first"


@dataclass(frozen=True)
class Configuration:
    """A whole file; `services` are the overrides of [service.NAME], by NAME."""

    mfa: bool = key(True, SWITCH, "Whether a code is asked for at all.", per_service=True)
    mode: str = key(
        "upstream-first",
        choice("upstream-first", "device-first", "device-only"),
        "Who is asked first; without [upstream] the device decides alone.",
        per_service=True,
    )
    device: Device = table(Device, "The device, and this host's key for it.")
    login: Login = table(Login, "The conversation at a login.")
    cover: Cover = table(Cover, "Who is asked for a code: everybody, when no users and no groups are named.")
    upstream: Upstream = table(Upstream, "The network 2FA servers.")
    emergency: Emergency = table(Emergency, "When nobody can decide.")
    grace: Grace = table(Grace, "Unlocks that need no code.")
    broker: Broker = table(Broker, "The broker, understudyd.")
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)

    def for_service(self, name: str) -> Service:
        """What holds at the PAM service `name`; one that the file does not name has no overrides."""
        return Service(
            **{**vars(self.login), "mfa": self.mfa, "mode": self.mode, **self.services.get(name, {})}
        )

    def is_covered(self, user: str, groups_of: Callable[[str], Collection[str]]) -> bool:
        """Whether `user` is asked for a code.

        `groups_of` gives the names of a user's groups, and is only called when a group decides. When it
        raises OSError, LookupError or ValueError, as the name service can't tell, the user is covered: a
        directory that is away opens no door.
        """
        cover = self.cover
        if user in cover.except_users:
            return False
        named = user in cover.users or not (cover.users or cover.groups)
        if not cover.except_groups and (named or not cover.groups):
            return named
        if not named and not cover.groups:
            return False
        try:
            groups = frozenset(groups_of(user))
        except (OSError, LookupError, ValueError):
            return True
        if not groups.isdisjoint(cover.except_groups):
            return False
        return named or not groups.isdisjoint(cover.groups)


def usual_path() -> Path:
    """The configuration's path: UNDERSTUDY_CONFIG, else the usual place."""
    return Path(os.environ.get("UNDERSTUDY_CONFIG") or USUAL)


def parse(text: str, source: str) -> Configuration:
    """The configuration that `text` (TOML) holds. ConfigError, with all that is wrong, when it holds none.

    `source` is its name in the message. The error's field `findings` has a line for each thing wrong.
    """
    values, findings = read_document(text, Configuration)
    if not findings:
        configuration = Configuration(**values)
        findings = [Finding(0, sentence) for sentence in _missing(configuration.upstream)]
    if findings:
        raise refusal(source, findings)
    return configuration


def _missing(upstream: Upstream) -> list[str]:
    """What an upstream of its kind can't do without."""
    needed = {"privacyidea": ("url",), "radius": ("servers", "key_file"), None: ()}[upstream.kind]
    return [
        f"[upstream] of kind {upstream.kind} needs {name}." for name in needed if not getattr(upstream, name)
    ]


def refusal(source: str, findings: list[Finding]) -> ConfigError:
    """The error that tells all that is wrong with the file `source`."""
    lines = [one.text for one in sorted(findings, key=lambda one: one.line)]
    if len(lines) == 1:
        return ConfigError(f"{source}: {lines[0]}", findings=lines)
    return ConfigError("\n  ".join([f"{source} has {len(lines)} errors:", *lines]), findings=lines)


def load(path: Path) -> Configuration:
    """Read and parse a configuration that is to hold.

    ConfigError when it is none or can't be trusted; of these, Unreadable when it can't be opened.
    """
    return parse(read(path, trusted=True), str(path))


def read(path: Path, *, trusted: bool) -> str:
    """The text of a file that may be a configuration; `trusted`: nobody but root or the caller can write it.

    ConfigError when that is not so or it is no text; Unreadable when it can't be opened.
    """
    try:
        # Without waiting for whoever opens the other end of a FIFO.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError) as error:
        raise Unreadable(_explain(path, error)) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"{path} is not a regular file.")
        if trusted:
            _check_owner(path, status)
        with open(handle, "rb", closefd=False) as file:
            data = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise ConfigError(_explain(path, error)) from error
    finally:
        os.close(handle)
    if len(data) > MAX_SIZE:
        raise ConfigError(f"{path} is longer than {MAX_SIZE // 1024} KiB; it is no configuration.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line}: this is not UTF-8.") from None


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (0, os.geteuid()):
        raise ConfigError(
            f"{path} belongs to another user (uid {status.st_uid}); put that right with: chown root {path}"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(f"{path} can be changed by others; put that right with: chmod go-w {path}")


def _explain(path: Path, error: OSError | ValueError) -> str:
    number = error.errno if isinstance(error, OSError) else errno.EINVAL
    if number == errno.ENOENT:
        return f"There is no configuration {path}; `understudy config default` prints one to begin with."
    if number in (errno.EACCES, errno.EPERM):
        return f"You may not read {path}; run this as root, or let its group read it."
    return f"{path} can't be read: {os.strerror(number or errno.EIO)}."
