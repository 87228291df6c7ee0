# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The drive that an RP2040 or RP2350 shows in BOOTSEL mode, and the UF2 image that is copied to it.

Sources: RP2040 data sheet, 2.8.4 (INFO_UF2.TXT with a Board-ID, the boot ROM reboots when the last block has
come); Microsoft's UF2 specification.
"""

import errno
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from understudy.usage import WrongUsage
from understudy_device.errors import NoDevice, UnderstudyError

_INFO = "INFO_UF2.TXT"
_INFO_MAX = 4096  # bytes of it that are read
# What the boot ROM calls itself, by the family id that it takes.
_BOARD_IDS = {"0xe48bff56": "RPI-RP2", "0xe48bff59": "RP2350"}
_BLOCK = 512
_MAGIC = (0x0A324655, 0x9E5D5157)
_MAGIC_END = 0x0AB16F30
_HAS_FAMILY = 0x2000
_CHUNK = 32 * 1024  # bytes between two turns of the progress bar; the drive takes some 100 KiB a second
_MOUNTS = Path("/proc/self/mountinfo")
_USUAL = ("/media", "/run/media", "/mnt", "/Volumes")
_NAME = "firmware.uf2"

HOW_TO = (
    "Unplug the board, hold its BOOTSEL button, plug it in, let go: a drive named {name} appears. "
    "If it is not mounted by itself, mount it and name the folder with --drive."
)


def read_image(file: Path, family: int, board: str) -> bytes:
    """The content of a UF2 file, all of whose blocks are good, there, and for the chip of `family`.

    WrongUsage when it can't be read, UnderstudyError when it is something else.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise WrongUsage(f"{file} can't be read: {error.strerror}") from error
    if len(content) < _BLOCK or struct.unpack_from("<2I", content) != _MAGIC:
        raise WrongUsage(f"{file} is not a UF2 image.")
    if len(content) % _BLOCK:
        raise WrongUsage(f"{file} is cut off: its length is no multiple of {_BLOCK} bytes.")
    for number in range(len(content) // _BLOCK):
        head = struct.unpack_from("<8I", content, number * _BLOCK)
        (end,) = struct.unpack_from("<I", content, (number + 1) * _BLOCK - 4)
        if head[:2] != _MAGIC or end != _MAGIC_END or head[5] != number or head[6] * _BLOCK != len(content):
            raise WrongUsage(f"{file} is damaged: block {number} is not what it should be.")
        if not head[2] & _HAS_FAMILY:
            raise WrongUsage(f"{file} does not say what chip it is for (no family in block {number}).")
        if head[7] != family:
            raise WrongUsage(f"{file} is for another chip (family 0x{head[7]:08x}), not for a {board}.")
    return content


def find_drive(family: str, board: str, named: Path | None = None) -> Path:
    """The mounted drive of a board that takes UF2 images of `family`; or the one that was `named`.

    NoDevice when there is none, or several, or it is another chip's.
    """
    wanted = _BOARD_IDS.get(family, "?")
    how_to = HOW_TO.format(name=wanted)
    if named is not None:
        found = board_id(named)
        if found is None:
            raise NoDevice(f"{named} is not a BOOTSEL drive: there is no {_INFO} in it. {how_to}")
        if not _fits(found, wanted):
            raise NoDevice(f"{named} is the drive of another chip ({found}); a {board} shows {wanted}.")
        return named
    drives = {folder: board_id(folder) for folder in folders()}
    fitting = sorted(folder for folder, name in drives.items() if name is not None and _fits(name, wanted))
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NoDevice(f"Several drives fit: {', '.join(map(str, fitting))}. Name one with --drive.")
    others = ", ".join(f"{folder} ({name})" for folder, name in sorted(drives.items()) if name is not None)
    seen = f"The only BOOTSEL drive here is another chip's: {others}. " if others else ""
    raise NoDevice(f"No BOOTSEL drive of a {board} is mounted. {seen}{how_to}")


def board_id(folder: Path) -> str | None:
    """The Board-ID in a drive's INFO_UF2.TXT; None when it has none."""
    try:
        with (folder / _INFO).open("rb") as file:
            content = file.read(_INFO_MAX)
    except OSError:
        return None
    for line in content.decode("ascii", "replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "board-id":
            return "".join(char for char in value.strip() if char.isprintable())
    return None


def _fits(found: str, wanted: str) -> bool:
    return found == wanted or found.startswith(f"{wanted}-")


def folders() -> Iterator[Path]:
    """Every folder that may be such a drive: what is mounted, and what lies where drives get mounted."""
    seen = set()
    for folder in (*_mounted(), *_below_usual()):
        if folder not in seen:
            seen.add(folder)
            yield folder


def _mounted() -> Iterator[Path]:
    try:
        lines = _MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:  # not on Linux
        return
    for line in lines:
        words = line.split(" ")
        # proc_pid_mountinfo(5): the mount point is the fifth field, the type follows a lone dash.
        if len(words) > 4 and "-" in words and words[words.index("-") + 1] in ("vfat", "msdos", "fuseblk"):
            yield Path(words[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))


def _below_usual() -> Iterator[Path]:
    for place in _USUAL:
        for pattern in ("*", "*/*"):
            yield from sorted(Path(place).glob(pattern))


def copy(content: bytes, drive: Path, told: Callable[[int, int], None]) -> None:
    """Write the image to the drive; it is on the board when this returns. `told(done, total)` as it goes.

    UnderstudyError says why not: no room, or a drive that went away before all was there.
    """
    target = drive / _NAME
    done = 0
    try:
        with target.open("wb", buffering=0) as file:
            while done < len(content):
                done += file.write(content[done : done + _CHUNK])
                told(done, len(content))
                os.fsync(file.fileno())
    except OSError as error:
        if done >= len(content) and error.errno in (errno.EIO, errno.ENODEV, errno.ENOENT):
            return  # the board restarts as soon as it has the last block, and takes its drive along
        raise _explained(error, drive, done, len(content)) from error


def _explained(error: OSError, drive: Path, done: int, total: int) -> UnderstudyError:
    if error.errno == errno.ENOSPC:
        return UnderstudyError(f"{drive} is full: {done} of {total} bytes fitted. Is it a BOOTSEL drive?")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UnderstudyError(f"{drive} can't be written: {error.strerror}; mount it for this user.")
    return UnderstudyError(
        f"The drive at {drive} went away after {done} of {total} bytes ({error.strerror}). The board is not "
        "broken: hold BOOTSEL while plugging it in, and install again."
    )
