# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""MicroPython's littlefs region, made and read on the host without booting anything (about 10 ms)."""

from collections.abc import Mapping

from littlefs import LittleFS, LittleFSError, UserContext

from .flash_layout import FS_BLOCKS, FS_SIZE, FS_START, PAGE, SECTOR

# Every MicroPython since 1.12 mounts on-disk version 2.0; newer ones, 1.25 among them, turn it into 2.1 when
# they write.
_MADE_VERSION = 0x0002_0000
_NEWEST_VERSION = 0x0002_0001


def make_littlefs(files: Mapping[str, bytes]) -> bytes:
    """A file-system region with `files` in it (path -> content; folders are made as needed).

    :return: `FS_SIZE` bytes for flash offset `FS_START`
    :raises LittleFSError: the files do not fit
    """
    context = UserContext(FS_SIZE)
    fs = _littlefs(context, _MADE_VERSION)
    fs.format()
    fs.mount()
    _write_files(fs, files)
    return bytes(context.buffer)


def has_littlefs(flash: bytes) -> bool:
    """True if the file-system region of this flash image (all of it) can be mounted."""
    try:
        _mounted(_context_of(flash))
    except LittleFSError:
        return False
    return True


def read_littlefs(flash: bytes) -> dict[str, bytes]:
    """Every file of the file system in a flash image, by absolute path.

    :raises LittleFSError: there is none, or it is damaged
    """
    fs = _mounted(_context_of(flash))
    files = {}
    for folder, _, names in fs.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with fs.open(path, "rb") as stream:
                files[path] = stream.read()
    return files


def install_files(flash: bytes, files: Mapping[str, bytes], *, overwrite: bool = False) -> bytes:
    """A flash image with `files` on its file system.

    :param flash: `FLASH_SIZE` bytes
    :param overwrite: with a file system there already, False leaves the flash as it is (it has been
        set up before), True writes the files into it, as copying to a board does
    """
    if not has_littlefs(flash):
        region = make_littlefs(files)
    elif overwrite:
        context = _context_of(flash)
        _write_files(_mounted(context, _mounted(context).fs_stat().disk_version), files)
        region = bytes(context.buffer)
    else:
        return bytes(flash)
    return flash[:FS_START] + region + flash[FS_START + FS_SIZE :]


def _context_of(flash: bytes) -> UserContext:
    return UserContext(buffer=bytearray(flash[FS_START : FS_START + FS_SIZE]))


def _littlefs(context: UserContext, version: int) -> LittleFS:
    return LittleFS(
        context,
        mount=False,
        block_size=SECTOR,
        block_count=FS_BLOCKS,
        prog_size=PAGE,
        disk_version=version,
    )


def _mounted(context: UserContext, version: int = _NEWEST_VERSION) -> LittleFS:
    """What is there. Writing raises its version to `version`, which an older MicroPython may not mount."""
    fs = _littlefs(context, version)
    fs.mount()
    return fs


def _write_files(fs: LittleFS, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        folder = path.rpartition("/")[0]
        if folder:
            fs.makedirs(folder, exist_ok=True)
        with fs.open(path, "wb") as stream:
            stream.write(content)
    fs.unmount()
