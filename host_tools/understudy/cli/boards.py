# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Boards and their firmware: boards, install."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy import bootsel, network_file, stock_board
from understudy.arrival import wait_for_device
from understudy.boards import all_boards, find_board
from understudy.cli import text
from understudy.cli.connect import UNLOCKED
from understudy.cli.options import Options, command
from understudy.cli.output import Answer, note, progress, warn
from understudy.deadline import Deadline
from understudy.discovery import Found, candidates
from understudy.link import Hello
from understudy.paths import build_dir, etc_dir
from understudy.usage import WrongUsage

_CAN = ("display", "rtc", "button", "led", "wifi")
_INSTALLED_BY = {"uf2": "UF2 image", "mpremote": "files (mpremote)", "process": "a process"}
_UP_SECONDS = 60.0  # until a board is there again, with other firmware


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    command(app, "boards", examples=("understudy boards", "understudy boards --json"))(boards)
    command(
        app,
        "install",
        examples=(
            "understudy install --board rpi_pico",
            "understudy install --board rpi_pico2 --image firmware.uf2 --drive /media/me/RP2350",
            "understudy install --board esp32_generic --port /dev/ttyUSB0",
        ),
    )(install)


def boards(
    options: Options,
    etc: Annotated[
        bool, typer.Option("--etc", metavar="", help="Print where the systemd unit and udev rule are.")
    ] = False,
) -> Answer:
    """List the boards: what each can do, and how far it was tested.

    "emulated": the tests run its real image on an emulator, nobody has tried a real board; "built only": the
    image builds; "not tried": neither.
    """
    if etc:
        return Answer({"etc": str(etc_dir())}, str(etc_dir()))
    every = all_boards()
    rows = [
        (
            board["id"],
            board["name"],
            board["link"],
            ", ".join(name for name in _CAN if board[name]) or "-",
            text.yes_no(board["lockable"]),
            _INSTALLED_BY[board["install"]],
            board["tested"],
        )
        for board in every
    ]
    header = ("BOARD", "NAME", "LINK", "CAN", "LOCKABLE", "INSTALL", "TESTED")
    return Answer({"boards": every}, text.table(header, rows))


def install(
    options: Options,
    board: Annotated[str, typer.Option("--board", metavar="ID", help="As `understudy boards` lists it.")],
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The UF2 image, if not the one built here.")
    ] = None,
    drive: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the board's BOOTSEL drive is mounted.")
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='For time over Wi-Fi: JSON, {"ssid": .., "password": .., "servers": [..]}.',
        ),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", metavar="", help="Whether to wait until the board is up.")
    ] = True,
) -> Answer:
    """Put the firmware on a board, or a newer one over it.

    What the device holds stays: users, paired hosts and the audit log lie in a part of the flash that this
    does not touch. A board with a stock MicroPython opens its prompt to Ctrl-C for two seconds after each
    power-up, so that newer files can come: it is for development. Once it runs, unplug it when asked.
    What --network names is on the board in the clear, with the password; it stays when it is not given again.
    """
    data = find_board(board)
    if data["install"] == "process":
        raise WrongUsage(f"{board} runs as a process, nothing is put on it; see `understudy boards --etc`.")
    if network is not None and not (data["wifi"] and data["install"] == "mpremote"):
        raise WrongUsage(f"--network is for boards with Wi-Fi and a file system; {board} has not got both.")
    if data["install"] == "uf2":
        return _install_uf2(options, data, image, drive, wait)
    if image is not None or drive is not None:
        raise WrongUsage(f"--image and --drive are for boards that take a UF2 image; {board} takes files.")
    more = {} if network is None else {network_file.NAME: network_file.read_network_file(network)}
    return _install_files(options, data, more, wait)


def _install_uf2(
    options: Options, data: dict[str, Any], image: Path | None, drive: Path | None, wait: bool
) -> Answer:
    file = image or build_dir() / "images" / data["id"] / "firmware.uf2"
    if image is None and not file.is_file():
        raise WrongUsage(
            f"There is no image {file}; build it with `make image BOARD={data['id']}`, "
            "or name one with --image."
        )
    content = bootsel.read_image(file, int(data["uf2_family"], 16), data["name"])
    found = bootsel.find_drive(data["uf2_family"], data["name"], drive)
    ports = _new_ports(options)
    with _bar(f"Copying to {found}") as told:
        bootsel.copy(content, found, told)
    note("Copied. Users, paired hosts and the audit log of the device stay as they are.")
    fields: dict[str, Any] = {"board": data["id"], "image": str(file), "drive": str(found)}
    return _came_up(options, data, fields, wait, ports)


def _install_files(options: Options, data: dict[str, Any], more: dict[str, bytes], wait: bool) -> Answer:
    port = options.port or stock_board.find_port()  # UNDERSTUDY_PORT is the device in use, not this board
    with _bar(f"Copying to {port}") as told:
        count = stock_board.put_files(port, data, told, note, more)
    note(f"Copied {count} files. The store of the device, if it has one, stays as it is.")
    warn(UNLOCKED)
    fields: dict[str, Any] = {"board": data["id"], "files": count, "port": port}
    return _came_up(options, data, fields, wait, lambda: [port])


def _came_up(
    options: Options, data: dict[str, Any], fields: dict[str, Any], wait: bool, ports: Callable[[], list[str]]
) -> Answer:
    if not wait:
        listed = "devices" if data["link"] == "usb" else f"devices --port {fields['port']}"
        return Answer(fields, f"The board starts by itself; `understudy {listed}` will list it.")
    deadline = Deadline(options.timeout or _UP_SECONDS)
    found = wait_for_device(ports, lambda hello: bool(hello.board == data["id"]), deadline)
    return Answer({**fields, **_said(found)}, _sentence(found))


def _said(found: Found) -> dict[str, Any]:
    hello = _hello(found)
    return {
        "port": found.port,
        "device": hello.device,
        "firmware": hello.firmware,
        "state": hello.state,
        "locked": hello.locked,
    }


def _sentence(found: Found) -> str:
    hello = _hello(found)
    lock = "locked" if hello.locked else "not locked"
    following = "; claim it with `understudy claim`" if hello.state == "unclaimed" else ""
    return (
        f"The device {hello.device} is up at {found.port}: {hello.board}, firmware {hello.firmware}, "
        f"{lock}, {hello.state}{following}."
    )


def _hello(found: Found) -> Hello:
    if found.hello is None:
        raise TypeError("a device that said nothing")
    return found.hello


def _new_ports(options: Options) -> Callable[[], list[str]]:
    """What tells where it may turn up: at the port that was named, else at one that was not there before.

    A board in BOOTSEL mode has no port, so whatever has one now is another device.
    """
    port = options.port
    if port:
        return lambda: [port]
    before = set(candidates())

    def new() -> list[str]:
        now = set(candidates())
        before.intersection_update(now)  # one that goes and comes back is new
        return sorted(now - before)

    return new


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that does not hide the command's other lines on a narrow terminal."""
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else 80
    with progress(what if len(what) < width // 2 else "Copying") as told:
        yield told
