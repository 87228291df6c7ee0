# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Back to new: factory-reset."""

import sys
from dataclasses import replace
from typing import Any, NoReturn

import typer

from understudy.arrival import wait_for_device
from understudy.cli import prompts
from understudy.cli.connect import client, known_identity
from understudy.cli.options import Options, Yes, command
from understudy.cli.output import Answer, note
from understudy.client import Client
from understudy.deadline import Deadline
from understudy.link import Hello
from understudy.usage import Declined, WrongUsage
from understudy_device.errors import LinkTimeout, NoDevice, NotYours, Unclaimed
from understudy_device.protocol import UNCLAIMED

_SECONDS = 180.0  # a large flash takes its time to be erased
_BACK_SECONDS = 30.0
# What one hears when the device has done it, and its answer got lost.
_GONE = (LinkTimeout, NoDevice, NotYours, Unclaimed)


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(
        app,
        "factory-reset",
        examples=(
            "understudy factory-reset",
            "understudy factory-reset --device 0123456789abcdef --yes",
        ),
    )(factory_reset)


def factory_reset(options: Options, yes: Yes = False) -> Answer:
    """Erase the device: users, secrets, paired hosts, settings and the audit log. Admins only.

    It then is a new one, to be claimed, under a new id. There is no way back. Without an admin's key: hold
    the device's button while it gets power.
    """
    identity = known_identity(options)
    with client(replace(options, timeout=options.timeout or _SECONDS)) as device:
        hello = device.connection.hello
        device.open()
        _make_sure(hello.device, yes)
        erased = _erase(device, hello.device)
        port = device.connection.url
    if not erased:
        _doubt(port, hello)
    identity.forget(hello.device)
    fields: dict[str, Any] = {"device": hello.device}
    return Answer(
        fields, f"Erased {hello.device}. It starts as a new device; claim it with `understudy claim`."
    )


def _make_sure(device: str, yes: bool) -> None:
    """The id has to be typed: a y comes too easily where nothing can be taken back."""
    if yes:
        return
    if not prompts.at_terminal():
        raise WrongUsage("Nobody is at the terminal to confirm that; give --yes.")
    note(
        f"This erases all that {device} holds: users, secrets, hosts, the audit log. Nothing brings it back."
    )
    sys.stderr.write("Type the device's id to erase it: ")
    sys.stderr.flush()
    if sys.stdin.readline(64).strip().lower() != device:
        raise Declined()


def _erase(device: Client, name: str) -> bool:
    """Whether the device said that it is done; False when it went away before it could."""
    try:
        device.request("factory_reset", device=name)
    except _GONE:
        return False
    return True


def _doubt(port: str, before: Hello) -> NoReturn:
    """The answer got lost. LinkTimeout, which says whether there is a new device in its place.

    That may be any device: the host keeps the key.
    """

    def is_new(hello: Hello) -> bool:
        return hello.device != before.device and hello.state == UNCLAIMED

    found = wait_for_device(lambda: [port], is_new, Deadline(_BACK_SECONDS))
    name = found.hello.device if found.hello is not None else "?"
    raise LinkTimeout(
        f"The answer of {before.device} got lost. At {port} there now is the new device {name}, so it is "
        "probably erased; but it did not say so, and its key stays in this host's identity file."
    )
