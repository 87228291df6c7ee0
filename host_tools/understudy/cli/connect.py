# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The one place where commands open the device."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from understudy.cli.options import Options
from understudy.client import Client
from understudy.deadline import Deadline
from understudy.discovery import choose
from understudy.identity import Identity, load_identity
from understudy.link import HELLO_SECONDS, Connection, Hello, Link
from understudy.transport import Port
from understudy_device.errors import IdentityError, NotYours

UNLOCKED = (
    "this device runs an unlocked development image: whoever gets at its port gets at its memory. "
    "Do not use it for real logins."
)


@contextmanager
def connected(options: Options, wanted: Callable[[Hello], bool], absent: str) -> Iterator[Connection]:
    """Open the port that the options name, or find the one whose hello is `wanted`.

    NotYours with the text `absent` when none is.
    """
    url = options.port_url or choose(options.device, wanted, absent)
    with Port(url) as port:
        link = Link(port)
        hello = link.hello(Deadline(min(HELLO_SECONDS, options.seconds)))
        if options.device not in (None, hello.device):
            raise NotYours(f"The device at {url} is {hello.device}, not {options.device}.")
        yield Connection(link, hello, url)


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
