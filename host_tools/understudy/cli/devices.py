# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Finding and joining devices: devices, claim, pair, exit-codes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.cli import prompts, text
from understudy.cli.connect import UNLOCKED, client, connected, known_identity
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, note, warn
from understudy.discovery import Found, candidates, probe
from understudy.identity import Identity, ensure_identity
from understudy.link import Connection, Hello
from understudy.pairing import join
from understudy.statuses import OTHER_EXITS, exit_code, explain, text_for
from understudy_device.errors import AlreadyClaimed, AuthenticationFailed, Unclaimed
from understudy_device.protocol import MAX_PAIRING_SECONDS, STATUSES, UNCLAIMED, VERIFIER

_PAIRING_SECONDS = 120

Name = Annotated[str, typer.Option("--name", metavar="LABEL", help="What the device shall call this host.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", metavar="", help="Do not ask whether the digits are the same.")
]
Role = Annotated[
    str, typer.Option("--role", metavar="ROLE", help="What the new host may do: verifier or admin.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    command(app, "devices", examples=("understudy devices", "understudy devices --port /dev/ttyACM0 --json"))(
        devices
    )
    command(
        app, "claim", examples=("understudy claim --name nas", "understudy claim --port /dev/ttyACM0 --yes")
    )(claim)
    command(
        app,
        "pair",
        examples=(
            "understudy pair --new-identity /etc/understudy/verifier.json --role verifier",
            "understudy pair --open --role admin     (on the admin's host)",
            "understudy pair --join --name laptop    (then on the new host)",
        ),
    )(pair)
    command(app, "exit-codes", examples=("understudy exit-codes --json",))(exit_codes)


def devices(options: Options) -> Answer:
    """List the devices that answer."""
    identity = known_identity(options)
    ports = [options.port_url] if options.port_url else candidates()
    found = [probe(port) for port in ports]
    if options.port_url and found[0].error is not None:
        raise found[0].error
    if options.device is not None:
        found = [one for one in found if one.hello is not None and one.hello.device == options.device]
    rows = [_row(one, identity) for one in found]
    if not rows:
        note("No device found; plug it in, or name its port with --port.")
        return Answer({"devices": []})
    header = ("DEVICE", "PORT", "BOARD", "FIRMWARE", "STATE", "LOCKED", "ROLE")
    return Answer({"devices": rows}, text.table(header, [_cells(row) for row in rows]))


def _row(found: Found, identity: Identity) -> dict[str, Any]:
    if found.hello is None:
        error = found.error or Unclaimed()
        return {"port": found.port, "status": error.status, "message": explain(error)}
    hello = found.hello
    paired = identity.devices.get(hello.device)
    return {
        "port": found.port,
        "status": "ok",
        "device": hello.device,
        "board": hello.board,
        "firmware": hello.firmware,
        "state": hello.state,
        "locked": hello.locked,
        "role": paired.role if paired else None,
    }


def _cells(row: dict[str, Any]) -> list[str]:
    if row["status"] != "ok":
        return ["?", row["port"], "-", "-", row["status"], "-", "-"]
    words = [row[name] for name in ("device", "port", "board", "firmware", "state")]
    return [*words, text.yes_no(row["locked"]), row["role"] or "not paired"]


def claim(options: Options, name: Name = "", yes: Yes = False) -> Answer:
    """Become the admin of a new device.

    Compare the six digits with the ones on its screen, if it has one."""
    absent = "None of the devices found is unclaimed; see `understudy devices`."
    with connected(options, lambda hello: hello.state == UNCLAIMED, absent) as connection:
        if connection.hello.state != UNCLAIMED:
            raise AlreadyClaimed(
                f"The device {connection.hello.device} has an admin, who can run: understudy pair --open"
            )
        return _join(options, connection, ensure_identity(options.identity_path), "claim", name, yes)


def pair(
    options: Options,
    new_identity: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Pair a further key of this machine, kept in FILE; needs an admin's identity.",
        ),
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open", metavar="", help="Let one other host pair; needs an admin's identity.")
    ] = False,
    join_: Annotated[
        bool, typer.Option("--join", metavar="", help="Pair this host, while an admin lets you.")
    ] = False,
    role: Role = VERIFIER,
    seconds: Annotated[
        int, typer.Option(min=1, max=MAX_PAIRING_SECONDS, help="How long --open lets others in.")
    ] = _PAIRING_SECONDS,
    name: Name = "",
    yes: Yes = False,
) -> Answer:
    """Pair a further host key.

    Give one of --new-identity (all on this machine), --open and --join (two machines).
    """
    if (new_identity is not None) + open_ + join_ != 1:
        raise typer.BadParameter("give one of --new-identity FILE, --open and --join")
    if join_:
        with connected(
            options, lambda hello: hello.state != UNCLAIMED, "No claimed device found."
        ) as connection:
            if connection.hello.state == UNCLAIMED:
                raise Unclaimed()
            return _join(options, connection, ensure_identity(options.identity_path), "pair", name, yes)
    with client(options) as admin:
        reply = admin.request("pair_open", role=role, seconds=seconds)
        if new_identity is None:
            until = f"Open for one {role} during {reply['seconds']} s; there: understudy pair --join"
            return Answer({"role": role, "seconds": reply["seconds"]}, until)
        try:
            return _join(options, admin.connection, ensure_identity(new_identity), "pair", name, yes)
        except AuthenticationFailed:
            # Somebody else may be on the line: do not leave the door open to him.
            admin.request("pair_open", role=VERIFIER, seconds=1)
            raise


def _join(
    options: Options, connection: Connection, identity: Identity, verb: str, name: str, yes: bool
) -> Answer:
    hello = connection.hello
    if not hello.locked:
        warn(UNLOCKED)

    def agree(digits: str) -> None:
        _agree(hello, digits, yes)

    reply = join(connection, identity, verb, name, agree, options.seconds)
    fields = {"device": hello.device, "role": reply["role"], "identity": str(identity.path)}
    return Answer(fields, f"Paired with {hello.device} as {reply['role']}; the key is in {identity.path}.")


def _agree(hello: Hello, digits: str, yes: bool) -> None:
    note(f"Pairing code: {digits[:3]} {digits[3:]}", "bold")
    if not hello.display:
        warn("this device has no display to compare with; the pairing trusts the cable.")
    elif not yes and not prompts.yes("Does the device show the same six digits?"):
        raise AuthenticationFailed(
            "Nothing was paired. If the digits differ, somebody sits between you and the device."
        )


def exit_codes(_options: Options) -> Answer:
    """List the exit codes and what they mean."""
    every = sorted((exit_code(status), status, text_for(status)) for status in (*STATUSES, *OTHER_EXITS))
    rows = [(str(code), status, meaning) for code, status, meaning in every]
    codes = [{"code": code, "name": status, "text": meaning} for code, status, meaning in every]
    return Answer({"exit_codes": codes}, text.table(("CODE", "STATUS", "MEANING"), rows))
