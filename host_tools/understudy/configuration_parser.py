# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""TOML into checked values: every unknown key, wrong type and value out of range is found, with its line."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from understudy.configuration_kinds import Key, Unfit, keys, quoted, tables, unseen

SERVICE = "service"  # the table of tables with the overrides
MAX_SERVICE = 64  # characters
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ALIKE = 0.45  # of difflib's 1; lower than usual, as short keys have few letters to agree in
_DEPTH = 3  # of [service.NAME] and a key; what lies deeper is in nobody's table
_WORK = 1 << 20  # characters; a file that takes more to be cut into statements gets no line numbers

Path = tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the line (0: not known) and the sentence, which names the line as well."""

    line: int
    text: str


class _Reader:
    """Collects what one document holds and what is wrong with it."""

    def __init__(self, text: str, root: type) -> None:
        self.findings: list[Finding] = []
        self._root = root
        self._lines: Mapping[Path, int] | None = None
        self._text = text

    def complain(self, at: Path, sentence: str) -> None:
        """Note that something is wrong with the key or table `at`."""
        if self._lines is None:
            self._lines = _line_numbers(self._text)
        line = self._lines.get(at, 0)
        self.findings.append(Finding(line, f"line {line}: {sentence}" if line else sentence))

    def section(self, known: Mapping[str, Key], content: Mapping[str, Any], at: Path) -> dict[str, Any]:
        """The values of one table's keys."""
        values = {}
        for name, value in content.items():
            declared = known.get(name)
            if declared is None:
                self.complain((*at, name), self._unknown(name, known, at))
                continue
            try:
                values[name] = declared.kind.check(value)
            except Unfit:
                words = f"{_named((*at, name))} must be {declared.kind.words}, not {quoted(value)}."
                self.complain((*at, name), words)
        return values

    def services(self, content: Any, allowed: Mapping[str, Key]) -> Mapping[str, Mapping[str, Any]]:
        """The overrides by service."""
        services = {}
        for name, overrides in content.items():
            at = (SERVICE, name)
            if not isinstance(overrides, dict):
                self.complain(
                    at, f"[{SERVICE}] holds tables by service, such as [{SERVICE}.sshd], and no keys."
                )
            elif not _is_service(name):
                self.complain(at, f"[{_dotted(at)}]: no service has that name; PAM's are in lower case.")
            else:
                services[name] = MappingProxyType(self.section(allowed, overrides, at))
        return MappingProxyType(services)

    def _unknown(self, name: str, known: Mapping[str, Key], at: Path) -> str:
        where = f"[{_dotted(at)}]" if at else "The top level"
        sentence = f"{where} has no key {_spelt(name)}"
        elsewhere = [table for table, (of, _) in tables(self._root).items() if name in keys(of)]
        if name in keys(self._root):
            return f"{sentence}; {name} stands at the top, before the first table."
        if elsewhere and at[:1] != (elsewhere[0],):
            return f"{sentence}; {name} belongs into [{elsewhere[0]}]."
        return f"{sentence}; {_hint(name, known)}"


def read_document(text: str, root: type) -> tuple[dict[str, Any], list[Finding]]:
    """The checked values for the dataclass `root`, whose overrides are `services`; and what is wrong."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return {}, [_syntax(error)]
    reader = _Reader(text, root)
    known = tables(root)
    names = (*known, SERVICE) if per_service(root) else tuple(known)
    plain = {name: value for name, value in document.items() if not _is_table(name, value, names, root)}
    values = reader.section(keys(root), plain, ())
    for name, content in document.items():
        if name in plain:
            continue
        if name not in names:
            hint = _hint(name, names, "table", "[{}]").replace(f"[{SERVICE}]", f"[{SERVICE}.NAME]")
            reader.complain((name,), f"There is no table [{_spelt(name)}]; {hint}")
        elif not isinstance(content, dict):
            reader.complain((name,), f"{name} must be a table: [{name}], and its keys below.")
        elif name == SERVICE:
            values["services"] = reader.services(content, per_service(root))
        else:
            of = known[name][0]
            values[name] = of(**reader.section(keys(of), content, (name,)))
    return values, reader.findings


def per_service(root: type) -> dict[str, Key]:
    """The keys that [service.NAME] may have, of all tables of `root`."""
    of_tables = [keys(of) for of, _ in tables(root).values()]
    return {name: one for group in (keys(root), *of_tables) for name, one in group.items() if one.per_service}


def _is_table(name: str, value: Any, names: Iterable[str], root: type) -> bool:
    return name in names or (isinstance(value, dict) and name not in keys(root))


def _is_service(name: str) -> bool:
    # pam_start(3) takes a file's name below /etc/pam.d, and puts it into lower case.
    return 1 <= len(name) <= MAX_SERVICE and name == name.lower() and "/" not in name and not unseen(name)


def _hint(name: str, known: Iterable[str], what: str = "key", shape: str = "{}") -> str:
    by_folded = {one.replace("_", ""): one for one in known}
    folded = name.lower().replace("_", "").replace("-", "")
    nearest = difflib.get_close_matches(folded[:64], by_folded, n=1, cutoff=_ALIKE)
    if nearest:
        return f"the nearest is {shape.format(by_folded[nearest[0]])}."
    return f"its {what}s are {', '.join(shape.format(one) for one in known) or 'none'}."


def _syntax(error: ValueError | RecursionError) -> Finding:
    if isinstance(error, RecursionError):
        return Finding(0, "This is nested too deep to be a configuration.")
    if not isinstance(error, tomllib.TOMLDecodeError):
        return Finding(0, "A number or date in it is none.")
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
    if found is None:
        return Finding(0, f"This is not TOML: {error}.")
    what, line, column = found.groups()
    return Finding(int(line), f"line {line}: this is not TOML: {what} (column {column}).")


def _line_numbers(text: str) -> dict[Path, int]:
    """The line on which each key and table of a valid TOML text begins.

    A statement ends with the first line up to which it parses by itself; tomllib tells no more.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    found: dict[Path, int] = {}
    table: Path = ()
    first, work = 0, 0
    for number, _ in enumerate(lines):
        statement = "\n".join(lines[first : number + 1])
        work += len(statement)
        if work > _WORK:
            break
        try:
            content = tomllib.loads(statement)
        except (ValueError, RecursionError):
            continue  # it goes on on the next line
        is_header = statement.lstrip().startswith("[")
        paths = list(_paths(content))
        if is_header:
            table = max(paths, key=len)
        for path in paths:
            found.setdefault(path if is_header else (*table, *path), first + 1)
        first = number + 1
    return found


def _paths(content: Any, depth: int = _DEPTH) -> Iterable[Path]:
    if isinstance(content, list):  # of tables: [[name]]
        content = content[-1] if content else {}
    for name, value in content.items() if isinstance(content, dict) and depth else ():
        yield (name,)
        for path in _paths(value, depth - 1):
            yield (name, *path)


def _dotted(at: Path) -> str:
    return ".".join(_spelt(name) for name in at)


def _named(at: Path) -> str:
    """A key with its table, or a table."""
    table = at[:-1]
    return f"[{_dotted(table)}] {_spelt(at[-1])}" if table else _spelt(at[-1])


def _spelt(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quoted(name)
