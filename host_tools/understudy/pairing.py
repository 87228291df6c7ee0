# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Claiming and pairing: the handshake, a person's word on the six digits, what this host keeps."""

from collections.abc import Callable

from understudy.client import Client, Fields, ask, entropy, new_id
from understudy.deadline import Deadline
from understudy.identity import Identity, PairedDevice
from understudy.link import HELLO_SECONDS, Connection, Hello
from understudy.session import Pairing, begin_pairing
from understudy_device.errors import (
    AlreadyClaimed,
    AlreadyExists,
    BadRequest,
    Denied,
    LinkTimeout,
    NoSession,
    NotPaired,
    PairingClosed,
    StoreFull,
    Unclaimed,
    UnderstudyError,
)
from understudy_device.protocol import ADMIN, VERIFIER

# What only the device can say, inside the session: the pairing did not happen. Whatever else goes wrong, a
# pulled cable or something said in the clear, it may have.
_REFUSALS = (AlreadyClaimed, AlreadyExists, BadRequest, Denied, PairingClosed, StoreFull)


def join(
    connection: Connection,
    identity: Identity,
    command: str,
    name: str,
    agree: Callable[[str], None],
    seconds: float,
) -> Fields:
    """Pair `identity` with the device: as its admin ("claim"), or as what the open window says ("pair").

    `agree` gets the six digits and raises when a person does not find them the same on both ends.
    Returns the reply's fields.
    """
    hello = connection.hello
    pairing = begin_pairing(connection, identity.private_key, Deadline(seconds))
    agree(pairing.code)
    known_before = hello.device in identity.devices
    # On disk before the device is asked: if the answer is lost, it must not have an admin that nobody is.
    identity.remember(hello.device, _paired(pairing, hello, ADMIN if command == "claim" else VERIFIER))
    try:
        reply = _ask_or_find_out(connection, identity, pairing, command, name, seconds)
    except _REFUSALS:
        if not known_before:
            identity.forget(hello.device)
        raise
    identity.remember(hello.device, _paired(pairing, hello, reply["role"]))
    return reply


def _paired(pairing: Pairing, hello: Hello, role: str) -> PairedDevice:
    return PairedDevice(pairing.device_key, role, hello.board)


def _ask_or_find_out(
    connection: Connection, identity: Identity, pairing: Pairing, command: str, name: str, seconds: float
) -> Fields:
    device, link = connection.hello.device, connection.link
    fields = {"wrap": identity.wrap_key(device).hex(), "entropy": entropy()}
    if name:
        fields["name"] = name
    try:
        return ask(pairing.session, command, fields, new_id(), Deadline(seconds))
    except (LinkTimeout, NoSession) as lost:
        # A pairing session can't be taken up again; whether it went through shows when we come as paired.
        try:
            client = Client(Connection(link, link.hello(Deadline(HELLO_SECONDS))), identity, seconds)
            role = client.request("status")["role"]
        except (
            NotPaired,
            Unclaimed,
        ) as refusal:  # said in the clear: a hint, and no reason to forget anything
            raise LinkTimeout("The device seems not to have taken the pairing; try again.") from refusal
        except UnderstudyError:
            raise LinkTimeout(
                "The device's answer was lost; see with `understudy status` whether it is paired."
            ) from lost
        return {"status": "ok", "role": role, "device": device}
