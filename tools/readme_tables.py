# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`make tables`: writes README.md's tables, each between its markers, from what they are about.

With --check it changes nothing, and fails when one is not the present one.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial

import pam_statuses
import wiring
from buildlib import paths, steps
from understudy.broker.policy import markdown as decisions
from understudy.configuration_text import markdown as configuration
from understudy.setup.answers import Answers

_README = paths.ROOT / "README.md"
_TABLES: Mapping[str, Callable[[], str]] = {
    "wiring": wiring.table,
    "pam-codes": pam_statuses.table,
    "configuration": configuration,
    "who-decides": decisions,
    "setup-answers": partial(configuration, Answers),
}


def written(text: str) -> str:
    """README's `text` with the present tables. BuildError when a table has no place in it, or two."""
    for name, table in _TABLES.items():
        begin, end = f"<!-- {name}: made by `make tables` -->", f"<!-- {name}: end -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise steps.BuildError(f"{_README.name} has not got the markers of the table {name} just once")
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table().strip()}\n{end}{rest.split(end)[1]}"
    return text


def main() -> None:
    """Write the tables, or check them."""
    text = _README.read_text()
    wanted = written(text)
    if wanted == text:
        return
    if sys.argv[1:] == ["--check"]:
        raise steps.BuildError("README.md has an old table: run `make tables`")
    _README.write_text(wanted)
    steps.say("README.md has new tables")


if __name__ == "__main__":
    steps.main(main)
