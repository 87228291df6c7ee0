# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""MicroPython's source tree, put together from Debian's source packages, once.

Debian's MicroPython tarball comes without the submodules that other packages carry; they are put back into
its lib/. On a Debian older than 13 (trixie) the sources are trixie's, on newer ones the system's own.
"""

import json
import re
import shutil
import tarfile
from pathlib import Path

from . import apt, paths, steps

_FIRST_SUITE = ("trixie", 13)  # the first Debian with MicroPython 1.25
_SOURCES = ("micropython", "mbedtls")
_BINARIES = ("pico-sdk-source", "tinyusb-source")  # binary packages with sources in them
_FACTS = paths.MICROPYTHON / "sources.json"


def facts() -> dict[str, str]:
    """What was unpacked: "version" (1.25.0), "epoch" (seconds, of its newest file), and each file's name."""
    return dict(json.loads(_FACTS.read_text()))


def ready() -> None:
    """Fetch and unpack the tree at build/micropython/src unless it is there."""
    if _FACTS.is_file():
        return
    if not list(paths.DOWNLOAD.glob("*")):
        _fetch()
    shutil.rmtree(paths.SOURCE, ignore_errors=True)
    found = _unpack(paths.SOURCE)
    _FACTS.write_text(json.dumps(found, indent=2) + "\n")
    steps.say(f"MicroPython {found['version']} from {found['micropython']}")


def _fetch() -> None:
    codename, version = apt.own_suite()
    suite = codename if version >= _FIRST_SUITE[1] and codename else _FIRST_SUITE[0]
    partial = paths.DOWNLOAD.with_name("download.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with apt.private(suite) as archive:
        archive.packages(_BINARIES, partial)
        archive.sources(_SOURCES, partial)
    shutil.rmtree(paths.DOWNLOAD, ignore_errors=True)
    partial.rename(paths.DOWNLOAD)


def _unpack(tree: Path) -> dict[str, str]:
    main = _one("micropython_*.orig.tar.*")
    epoch = _untar(main, tree)
    found = {"version": _version(tree), "epoch": str(epoch), "micropython": main.name}
    mbedtls = _one("mbedtls_*.orig.tar.*")
    _untar(mbedtls, _emptied(tree / "lib" / "mbedtls"))
    found["mbedtls"] = mbedtls.name
    for package in _BINARIES:
        deb = _one(f"{package}_*.deb")
        unpacked = tree.with_name("deb.partial")
        steps.run(f"unpack-{package}", ["dpkg", "-x", deb, unpacked])
        name = package.removesuffix("-source")
        shutil.copytree(unpacked / "usr" / "src" / name, _emptied(tree / "lib" / name), symlinks=True)
        shutil.rmtree(unpacked)
        found[name] = deb.name
    # MicroPython's build wants to see this file; the manifests here take nothing from micropython-lib.
    (_emptied(tree / "lib" / "micropython-lib")).mkdir()
    (tree / "lib" / "micropython-lib" / "README.md").touch()
    return found


def _one(pattern: str) -> Path:
    files = sorted(paths.DOWNLOAD.glob(pattern))
    if len(files) != 1:
        raise steps.BuildError(f"{len(files)} files match {paths.DOWNLOAD}/{pattern}; remove that folder")
    return files[0]


def _untar(archive: Path, into: Path) -> int:
    """Unpack without the tarball's own top folder; the time of its newest file."""
    newest = 0
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):  # Debian 12's Python lacks it
            tar.extraction_filter = tarfile.data_filter
        for member in tar:
            newest = max(newest, int(member.mtime))
            _, _, inside = member.name.partition("/")
            if inside and member.islnk():
                member.linkname = member.linkname.partition("/")[2]
            if inside:
                member.name = inside
                tar.extract(member, into)
    return newest


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _version(tree: Path) -> str:
    text = (tree / "py" / "mpconfig.h").read_text()
    numbers = dict(re.findall(r"#define MICROPY_VERSION_(\w+) (\d+)", text))
    return ".".join(numbers[part] for part in ("MAJOR", "MINOR", "MICRO"))
