# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What of requirements.lock an installed `understudy` needs: pyproject's dependencies, and theirs.

The lock says of each package, behind `# via`, which others want it.
"""

import re
import tomllib
from collections.abc import Iterable

from . import paths, steps

_LOCK = paths.ROOT / "requirements.lock"
_PROJECT = paths.ROOT / "pyproject.toml"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==")
_WANTED_BY = re.compile(r"^ +#(?: via)? +([A-Za-z0-9._-]+)$", re.MULTILINE)


def requirements() -> str:
    """Lines for `pip install --require-hashes`. BuildError for a dependency that is not pinned."""
    blocks = list(_blocks(_LOCK.read_text().splitlines()))
    wanted = {_normal(name) for name in tomllib.loads(_PROJECT.read_text())["project"]["dependencies"]}
    missing = wanted - {name for name, _ in blocks}
    if missing:
        raise steps.BuildError(f"{_LOCK.name} does not pin {', '.join(sorted(missing))}: run `make lock`")
    while True:
        further = {name for name, text in blocks if wanted & set(_WANTED_BY.findall(text))} - wanted
        if not further:
            return "".join(text for name, text in blocks if name in wanted)
        wanted |= further


def _normal(requirement: str) -> str:
    """The package's name, as the lock spells it (PEP 503)."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _blocks(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Each package's name, and its lines: the version, the hashes, who wants it."""
    name, block = "", ""
    for line in lines:
        found = _PINNED.match(line)
        if found:
            if block:
                yield name, block
            name, block = found[1], ""
        if name:
            block += f"{line}\n"
    if block:
        yield name, block
