# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A PAM service's file with our lines in it, and without them. pam.d(5).

They are those of the stacks in host_tools/etc/pam, marked, so that they can be found again.
"""

import re

from understudy_device.errors import ConfigError

PASSWORD = "password"  # noqa: S105 - a way to log in
KEY = "key"

_BEGIN = "# begin: understudy setup (`understudy setup --undo` takes it out)\n"
_END = "# end: understudy setup\n"
_OFF = "#understudy setup# "
_AUTH = (
    "auth       [success=1 ignore=1 default=ignore] pam_understudy.so enrol\n"
    "auth       requisite    pam_deny.so\n"
)
# Nobody gets on without a key that sshd has accepted in this connection.
_KEY_FIRST = (
    "auth       requisite    pam_exec.so quiet /bin/sh -c "
    '[case "$SSH_AUTH_INFO_0" in publickey*) exit 0;; esac; exit 1]\n'
)
_PERMIT = "auth       required     pam_permit.so\n"
_ACCOUNT = "account    [success=ok ignore=ignore authinfo_unavail=ignore default=bad] pam_understudy.so\n"
_COMMON_AUTH = re.compile(r"^@include[ \t]+common-auth[ \t]*\n", re.MULTILINE)
_COMMON_ACCOUNT = re.compile(r"^@include[ \t]+common-account[ \t]*\n", re.MULTILINE)
_OURS = frozenset((_AUTH + _KEY_FIRST + _PERMIT + _ACCOUNT).splitlines(keepends=True))


def with_lines(text: str, way: str, path: str) -> str:
    """The service's file `text` with our lines: after the password, or (KEY) in its place.

    ConfigError when it is not laid out as Debian's are, or asks pam_understudy already.
    """
    if not text.endswith("\n"):
        text += "\n"
    if "pam_understudy" in re.sub(r"#.*", "", text):
        raise ConfigError(f"{path} asks pam_understudy already; take those lines out first.")
    for pattern, name in ((_COMMON_AUTH, "common-auth"), (_COMMON_ACCOUNT, "common-account")):
        if len(pattern.findall(text)) != 1:
            near = [line for line in text.splitlines() if name in line and not line.startswith("#")]
            raise ConfigError(
                f"{path} has not just one line `@include {name}` with nothing else on it (it has {near}), so "
                "where a code is asked for is yours to say; `understudy boards --etc` has stacks to copy."
            )
    include = _COMMON_AUTH.search(text)
    first_auth = re.search(r"^-?auth[ \t]", text, re.MULTILINE)
    if way == KEY and first_auth and include and first_auth.start() < include.start():
        raise ConfigError(
            f"{path} has lines of its own before `@include common-auth`; see the stacks to copy."
        )
    if way == KEY:
        auth = f"{_BEGIN}{_OFF}\\g<0>{_KEY_FIRST}{_AUTH}{_PERMIT}{_END}"
    else:
        auth = f"\\g<0>{_BEGIN}{_AUTH}{_END}"
    text = _COMMON_AUTH.sub(auth, text)
    return _COMMON_ACCOUNT.sub(f"\\g<0>{_BEGIN}{_ACCOUNT}{_END}", text)


def without_lines(text: str) -> str:
    """The same without them, and with what they had switched off.

    Of lines between the marks only ours go, so that nothing else does when a mark has got lost.
    """
    kept, is_inside = [], False
    for line in text.splitlines(keepends=True):
        if line in (_BEGIN, _END):
            is_inside = line == _BEGIN
        elif line.startswith(_OFF):
            kept.append(line.removeprefix(_OFF))
        elif not (is_inside and line in _OURS):
            kept.append(line)
            is_inside = False
    return "".join(kept)
