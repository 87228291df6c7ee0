# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Debian packages: installed when this user may, or fetched into a private folder, which anybody may.

The private way gives apt its own list, cache and source folders. It changes nothing on the system, needs
no root, and checks signatures as apt always does.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import paths, steps

_LIST = paths.TOOLS / "debian-packages.txt"
_KEYRINGS = [Path(f"/usr/share/keyrings/debian-archive-keyring.{kind}") for kind in ("pgp", "gpg")]


def listed(groups: Iterable[str]) -> list[str]:
    """The packages of these groups of debian-packages.txt."""
    found: dict[str, list[str]] = {}
    group: list[str] = []
    for line in _LIST.read_text().splitlines():
        if line.startswith("["):
            group = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            group.append(line)
    return [package for name in groups for package in found[name]]


def missing(packages: Iterable[str]) -> list[str]:
    """Those of the packages that are not installed. Raises BuildError on a system without dpkg."""
    if not shutil.which("dpkg-query"):
        raise steps.BuildError("this needs Debian or a system made from it (there is no dpkg here)")
    shown = steps.output("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n")
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def install(packages: Iterable[str]) -> None:
    """Install what is missing, as root or through a sudo that asks nothing; otherwise say what to run."""
    asked = list(packages)
    if missing(asked):
        with steps.locked("packages"):
            _install(missing(asked))


def unpack(packages: Iterable[str], into: Path) -> None:
    """Fetch and unpack packages into a folder, unless they lie there. No scripts of theirs run, and what they
    depend on is left to the system. Of "one | other" the first is taken that this Debian has."""
    asked = list(packages)
    mark = into / "packages.txt"
    text = "\n".join(asked) + "\n"
    with steps.locked(into.name):
        if mark.is_file() and mark.read_text() == text:
            return
        partial = into.with_name(into.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        steps.say(f"unpacking Debian packages: {' '.join(asked)}")
        with private(own_suite()[0]) as archive:
            archive.packages([archive.choice(line) for line in asked], partial)
        for deb in sorted(partial.glob("*.deb")):
            steps.run(f"unpack-{deb.name.split('_')[0]}", ["dpkg", "-x", deb, partial])
            deb.unlink()
        (partial / mark.name).write_text(text)
        shutil.rmtree(into, ignore_errors=True)
        partial.rename(into)


def _install(wanted: list[str]) -> None:
    if not wanted:  # another `make` had them installed in the meantime
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *wanted]
    prefix = _root_prefix()
    if prefix is None:
        raise steps.BuildError(f"Debian packages are missing. Run:\n    sudo {' '.join(command)}")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    steps.say(f"installing Debian packages: {' '.join(wanted)}")
    steps.run("apt-update", [*prefix, *environment, "apt-get", *wait, "update"])
    steps.run("apt-install", [*prefix, *environment, command[0], *wait, *command[1:]])


def _root_prefix() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and not subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode:
        return ["sudo", "-n"]
    return None


def own_suite() -> tuple[str, int]:
    """The system's Debian code name and major version (0 where it is not Debian, large for unstable)."""
    with open("/etc/os-release") as file:
        fields = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    name = fields.get("VERSION_CODENAME", "").strip('"')
    version = fields.get("VERSION_ID", "").strip('"')
    if fields.get("ID", "").strip('"') not in ("debian", "raspbian"):
        return name, 0
    return name, int(version) if version.isdigit() else 999


class Private:
    """An apt with folders of its own, for one suite of the archive this system uses."""

    def __init__(self, folder: Path, suite: str) -> None:
        self._options = [
            "-o", "Dir::Etc::sourcelist=/dev/null",
            "-o", f"Dir::Etc::sourceparts={folder}/sources",
            "-o", f"Dir::State::lists={folder}/lists",
            "-o", f"Dir::Cache={folder}/cache",
        ]  # fmt: skip
        if os.geteuid() == 0:  # the _apt user cannot write to a folder of ours
            self._options += ["-o", "APT::Sandbox::User=root"]
        for part in ("sources", "lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        (folder / "sources" / "suite.sources").write_text(source(suite))
        steps.run(f"apt-lists-{suite}", ["apt-get", *self._options, "update", "--error-on=any"])

    def choice(self, alternatives: str) -> str:
        """The first of "one | other" that there is; the last, if there is none, so that apt complains."""
        names = alternatives.split(" | ")
        known = (name for name in names if steps.output("apt-cache", *self._options, "madison", name))
        return next(known, names[-1])

    def packages(self, names: Iterable[str], into: Path) -> None:
        """Download binary packages."""
        steps.run("apt-packages", ["apt-get", *self._options, "download", *names], cwd=into)

    def sources(self, names: Iterable[str], into: Path) -> None:
        """Download source packages, without unpacking them."""
        steps.run("apt-sources", ["apt-get", *self._options, "source", "--download-only", *names], cwd=into)


@contextmanager
def private(suite: str) -> Iterator[Private]:
    """A Private apt in a temporary folder. Raises BuildError where there is no apt."""
    if not shutil.which("apt-get"):
        raise steps.BuildError("this needs apt-get: Debian, or a system made from it")
    with tempfile.TemporaryDirectory(prefix="understudy-apt-") as folder:
        yield Private(Path(folder), suite)


def source(suite: str) -> str:
    """What one of apt's .sources files holds for a suite. BuildError where the machine knows no archive.

    The archive's address is the machine's own, so that a mirror it is set to is honoured.
    """
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    shown = steps.output("apt-get", "indextargets", "--format", form, "Created-By: Packages")
    archives = [line.split("|")[0] for line in shown.splitlines() if line.endswith(f"|{own_suite()[0]}|main")]
    if not archives:
        raise steps.BuildError("apt's sources name no Debian archive (component main of this system's suite)")
    lines = ["Types: deb deb-src", f"URIs: {archives[0]}", f"Suites: {suite}", "Components: main"]
    lines += [f"Signed-By: {keyring}" for keyring in _KEYRINGS if keyring.exists()][:1]
    return "\n".join(lines) + "\n"
