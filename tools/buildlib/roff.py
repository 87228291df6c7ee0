# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A man page as man(7) has it, from plain text: `code` becomes bold, an empty line ends a paragraph."""

import re
from collections.abc import Iterable

_SPECIAL = {"\\": "\\e", "-": "\\-", "~": "\\(ti", "^": "\\(ha", "`": "\\(ga", "'": "\\(aq"}
_CODE = re.compile(r"`([^`\n]+)`")


def plain(text: str) -> str:
    """`text` so that roff prints just that; one line."""
    shown = "".join(_SPECIAL.get(char, char) for char in " ".join(text.split()))
    return f"\\&{shown}" if shown.startswith(".") else shown


def bold(text: str) -> str:
    """`text` in bold."""
    return f"\\fB{plain(text)}\\fR"


def marked(text: str) -> str:
    """`text` with what stands in backticks in bold."""
    parts = _CODE.split(" ".join(text.split()))
    shown = "".join(bold(part) if number % 2 else _inner(part) for number, part in enumerate(parts))
    return f"\\&{shown}" if shown.startswith((".", "'")) else shown


def _inner(text: str) -> str:
    return "".join(_SPECIAL.get(char, char) for char in text)


class Page:
    """Gathers a page; `text()` is its source."""

    def __init__(self, name: str, section: int, brief: str, *, date: str, version: str) -> None:
        """`date`: YYYY-MM-DD; `brief`: what stands behind the name, a line."""
        self._lines = [
            '.\\" SPDX-License-Identifier: MIT',
            '.\\" Copyright (c) 2026 The Understudy authors',
            f'.TH {name.upper()} {section} {date} "Understudy {version}" "Understudy"',
            ".SH NAME",
            f"{plain(name)} \\- {plain(brief)}",
        ]

    def section(self, title: str) -> None:
        """Begin a section."""
        self._lines.append(f".SH {title.upper()}")

    def subsection(self, title: str) -> None:
        """Begin a part of a section; `title` is roff."""
        self._lines.append(f".SS {title}")

    def roff(self, line: str) -> None:
        """A line of roff, as it is."""
        self._lines.append(line)

    def say(self, text: str) -> None:
        """Paragraphs."""
        for number, paragraph in enumerate(text.strip().split("\n\n")):
            if number or not self._lines[-1].startswith((".SH", ".SS")):
                self._lines.append(".PP")
            self._lines.append(marked(paragraph))

    def item(self, head: str, text: str) -> None:
        """An entry of a list; `head` is roff."""
        self._lines += [".TP", head, marked(text)]

    def example(self, lines: Iterable[str]) -> None:
        """Lines as they are typed."""
        self._lines += [".PP", ".RS 4", ".nf", *(plain(line) for line in lines), ".fi", ".RE"]

    def see_also(self, *pages: str) -> None:
        """References such as "understudy(1)"."""
        self.section("see also")
        shown = [re.sub(r"^(.*)(\(\d\))$", lambda found: bold(found[1]) + found[2], one) for one in pages]
        self._lines.append(",\n".join(shown))

    def text(self) -> str:
        """The page's source."""
        return "\n".join(self._lines) + "\n"
