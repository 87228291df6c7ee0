# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`make pam-statuses`: writes host_tools/pam/statuses.h, what the PAM module returns for each status, from
protocol.STATUSES; `make tables` has the table for people from here.

With --check it changes nothing, and fails when the file is not the present one.
"""

import sys

from buildlib import paths, steps
from understudy_device import protocol

_HEADER = paths.ROOT / "host_tools/pam/statuses.h"
COMMON = "AUTHINFO_UNAVAIL"  # of every status that says why there is no verdict
# Who may have the codes that don't refuse a login, and the one that some stacks take for success.
_ONLY = {"SUCCESS": "accepted", "IGNORE": "not-required", "NEW_AUTHTOK_REQD": None}
_CODES = frozenset(
    (
        *("SUCCESS", "SERVICE_ERR", "SYSTEM_ERR", "PERM_DENIED", "AUTH_ERR", "CRED_INSUFFICIENT", "IGNORE"),
        *("AUTHINFO_UNAVAIL", "USER_UNKNOWN", "MAXTRIES", "ACCT_EXPIRED", "CRED_UNAVAIL", "CRED_EXPIRED"),
        "CRED_ERR",
    )
)
_TEXTS = ("malformed", "no-broker")  # what the module has to say by itself
_TOP = """\
/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The Understudy authors
 *
 * Made by `make pam-statuses` from protocol.STATUSES: what each final status means to PAM. */
#ifndef UNDERSTUDY_STATUSES_H
#define UNDERSTUDY_STATUSES_H

#include <security/_pam_types.h>
"""


def code_of(status: str) -> str:
    """The PAM code of a status, without PAM_. BuildError for one that a status may not have."""
    code = protocol.STATUSES[status][2]
    if code not in _CODES or _ONLY.get(code, status) != status:
        raise steps.BuildError(f"protocol.STATUSES: {status} may not have the PAM code {code}")
    return str(code)


def header() -> str:
    """The file's text."""
    lines = [_TOP]
    for name in _TEXTS:
        lines.append(f"#define TEXT_{name.upper().replace('-', '_')} {_quoted(protocol.STATUSES[name][1])}")
    size = max(map(len, protocol.STATUSES)) + 1
    lines += ["", "static const struct {", f"\tchar word[{size}];", "\tint code;", "} STATUSES[] = {"]
    lines += [f"\t{{{_quoted(name)}, PAM_{code_of(name)}}}," for name in protocol.STATUSES]
    return "\n".join([*lines, "};", "", "#endif", ""])


def _quoted(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or '"' in text or "\\" in text:
        raise steps.BuildError(f"protocol.STATUSES: not plain enough for C: {text}")
    return f'"{text}"'


def table() -> str:
    """The table for people, as Markdown."""
    rows = ["| the broker says | PAM code | which means |", "| --- | --- | --- |"]
    rows += [
        f"| `{name}` | `PAM_{code_of(name)}` | {protocol.STATUSES[name][1]} |"
        for name in protocol.STATUSES
        if code_of(name) != COMMON
    ]
    rows.append(f"| any other, or nothing | `PAM_{COMMON}` | There is no verdict; why is shown. |")
    return "\n".join(rows)


def main() -> None:
    """Write the file, or check it."""
    text = header()
    if _HEADER.is_file() and _HEADER.read_text() == text:
        return
    if sys.argv[1:] == ["--check"]:
        raise steps.BuildError(f"{_HEADER.name} has old PAM codes: run `make pam-statuses`")
    _HEADER.write_text(text)
    steps.say(f"{_HEADER.name} has new PAM codes")


if __name__ == "__main__":
    steps.main(main)
