# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The configuration's keys as text: the documented file to begin with, and the README's table."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from understudy.configuration import Configuration
from understudy.configuration_kinds import Key, keys, tables
from understudy.configuration_parser import SERVICE, per_service

_WIDTH = 110  # characters of a comment's line
_HEAD = """\
# The configuration of Understudy, with the default of every key. A key that is left out keeps its default.
# Change a copy, look at it with `understudy config check FILE`, save it with `understudy config apply FILE`.
"""
_SERVICES = f"""\
# What holds at one PAM service only, under its name in /etc/pam.d; it goes before what stands above.
{{names}}
# [{SERVICE}.sudo]
# text = "Code for sudo: "
"""


def default_text() -> str:
    """A TOML file with every key, its meaning and its default; what it holds is what holds without it."""
    parts = [_HEAD, *(_documented(one) for one in keys(Configuration).values())]
    for name, (of, meaning) in tables(Configuration).items():
        parts.append(
            f"{_comment(meaning)}\n[{name}]\n" + "".join(_documented(one) for one in keys(of).values())
        )
    names = _comment(f"Takes any of: {', '.join(per_service(Configuration))}.")
    parts.append(_SERVICES.format(names=names))
    return "\n".join(parts)


def markdown(root: type = Configuration) -> str:
    """The keys of a file, the configuration or another that is declared so, as a table in Markdown."""
    head = "| key | holds | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(row)} |\n" for row in _rows(root))


def spelled(value: Any) -> str:
    """A value as TOML spells it; "-" for one that is not given."""
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return f"[{', '.join(spelled(one) for one in value)}]"
    if isinstance(value, Path):
        value = str(value)
    # JSON's texts, numbers and truth values are TOML's too, as no value here holds a control character.
    return json.dumps(value, ensure_ascii=False)


def _documented(one: Key) -> str:
    line = f"{one.name} = {spelled(one.example if one.default is None else one.default)}"
    given = f"# {line}" if one.default is None else line
    return f"{_comment(f'{one.meaning} Takes {one.kind.words}.')}\n{given}\n"


def _comment(words: str) -> str:
    return textwrap.fill(
        words,
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _rows(root: type) -> Iterator[tuple[str, ...]]:
    for one in keys(root).values():
        yield _row("", one)
    for name, (of, _) in tables(root).items():
        for one in keys(of).values():
            yield _row(f"[{name}] ", one)


def _row(table: str, one: Key) -> tuple[str, ...]:
    default = "none" if one.default is None else f"`{spelled(one.default)}`"
    service = " (also per service)" if one.per_service else ""
    return f"`{table}{one.name}`{service}", one.kind.words, default, one.meaning
