# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The one place where commands open the device."""

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from understudy.broker_client import BrokerPort
from understudy.broker_client import status as broker_status
from understudy.cli.options import Options
from understudy.cli.output import warn
from understudy.client import Client
from understudy.configuration import Configuration, Device, Unreadable, load, usual_path
from understudy.deadline import Deadline
from understudy.discovery import choose
from understudy.identity import Identity, load_identity
from understudy.link import HELLO_SECONDS, Connection, Hello, Link
from understudy.transport import Port
from understudy_device.errors import ConfigError, IdentityError, NotYours, UnderstudyError

UNLOCKED = (
    "this device runs an unlocked development image: whoever gets at its port gets at its memory. "
    "Do not use it for real logins."
)


@contextmanager
def connected(options: Options, wanted: Callable[[Hello], bool], absent: str) -> Iterator[Connection]:
    """Open the port that the options or the configuration name, or find the one whose hello is `wanted`.

    NotYours with the text `absent` when none is.
    """
    named, device = _target(options)
    with _through_broker(named, device) or Port(named or choose(device, wanted, absent)) as port:
        url = port.url
        link = Link(port)
        hello = link.hello(Deadline(min(HELLO_SECONDS, options.seconds)))
        if device not in (None, hello.device):
            by = "" if options.device else f" ({usual_path()} names that one; --device goes before it)"
            raise NotYours(f"The device at {url} is {hello.device}, not {device}{by}.")
        yield Connection(link, hello, url)


def _target(options: Options) -> tuple[str | None, str | None]:
    """The port and the device's id that are named; None: not named.

    The configuration counts unless a port is named, or a device other than the configuration's.
    """
    if options.port_url:
        return options.port_url, options.device
    configuration = _configured()
    configured = configuration.device if configuration is not None else Device()
    if options.device and configured.id not in (None, options.device):
        return None, options.device
    return configured.port, options.device or configured.id


def _through_broker(port: str | None, device: str | None) -> BrokerPort | None:
    """The way to the device through a broker that runs and has it, or None."""
    configuration, found = _configured(), running_broker()
    if configuration is None or found is None:
        return None
    has = found.get("port") if found.get("connected") else None
    if has is None or device not in (None, found.get("device")):
        return None
    if port is not None and os.path.realpath(port) != os.path.realpath(has):
        return None
    return BrokerPort(configuration.broker.socket, has)


def running_broker() -> dict[str, Any] | None:
    """What the broker of this host's configuration says of itself, or None when none answers."""
    configuration = _configured()
    try:
        return None if configuration is None else broker_status(configuration.broker.socket)
    except UnderstudyError:
        return None


@functools.cache  # so that a person is warned once
def _configured() -> Configuration | None:
    try:
        return load(usual_path())
    except Unreadable:
        pass  # most machines have none, and it need not be for everybody
    except ConfigError as error:
        warn(f"{error.message}\nIts device does not count here.")
    return None


def forget_configuration() -> None:
    """It has changed: what was read of it counts no more."""
    _configured.cache_clear()


@contextmanager
def client(options: Options) -> Iterator[Client]:
    """The paired device, ready for requests."""
    identity = known_identity(options)
    absent = "None of the devices found is paired with this host; see `understudy devices`."
    with connected(options, lambda hello: hello.device in identity.devices, absent) as connection:
        yield Client(connection, identity, options.seconds)


def known_identity(options: Options) -> Identity:
    """This host's identity; one without devices, never saved, when there is no file yet."""
    path = options.identity_path
    if path.exists():
        return load_identity(path)
    if options.identity is not None:
        raise IdentityError(
            f"There is no identity file {path}; `understudy claim --identity {path}` makes one."
        )
    return Identity(path, bytes(32))
