# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The one place where commands open the device."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from understudy.cli.options import Options
from understudy.cli.output import warn
from understudy.client import Client
from understudy.configuration import Device, Unreadable, load, usual_path
from understudy.deadline import Deadline
from understudy.discovery import choose
from understudy.identity import Identity, load_identity
from understudy.link import HELLO_SECONDS, Connection, Hello, Link
from understudy.transport import Port
from understudy_device.errors import ConfigError, IdentityError, NotYours

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
    url = named or choose(device, wanted, absent)
    with Port(url) as port:
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
    configured = _configured()
    if options.device and configured.id not in (None, options.device):
        return None, options.device
    return configured.port, options.device or configured.id


@functools.cache  # so that a person is warned once
def _configured() -> Device:
    try:
        return load(usual_path()).device
    except Unreadable:
        pass  # most machines have none, and it need not be for everybody
    except ConfigError as error:
        warn(f"{error.message}\nIts device does not count here.")
    return Device()


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
