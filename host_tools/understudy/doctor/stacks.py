# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""PAM's service files read, and a stack worked through as libpam does.

Source: pam.conf(5), and _pam_dispatch_aux in Linux-PAM's libpam/pam_dispatch.c.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from understudy.doctor.findings import Host

MODULE = "pam_understudy"
_FOLDERS = ("/etc/pam.d", "/usr/lib/pam.d")
_DEEPEST = 16  # files that include each other
_WORD = re.compile(r"\[(?:\\.|[^\]\\])*\]|\S+")
_SHARED = re.compile(r"common-|system-|password-auth|postlogin|fingerprint-auth|smartcard-auth")
_KEYWORDS: Mapping[str, Mapping[str, str]] = {
    "required": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "bad"},
    "requisite": {"success": "ok", "new_authtok_reqd": "ok", "ignore": "ignore", "default": "die"},
    "sufficient": {"success": "done", "new_authtok_reqd": "done", "default": "ignore"},
    "optional": {"success": "ok", "new_authtok_reqd": "ok", "default": "ignore"},
}
SUCCESS = "success"
IGNORE = "ignore"
_FAILED = "perm_denied"  # when nothing in the stack has said anything


@dataclass(frozen=True)
class Entry:
    """One line of a stack; `below`: the lines of a substack, which counts as one module."""

    actions: Mapping[str, str]
    module: str = ""
    arguments: tuple[str, ...] = ()
    below: "tuple[Entry, ...]" = ()
    control: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is pam_understudy."""
        return self.module == MODULE


Stack = tuple[Entry, ...]


def services(host: Host) -> list[str]:
    """The names of the services that have a file; files that are there to be included are none."""
    found = {one.name for folder in _FOLDERS for one in host.path(folder).glob("*") if one.is_file()}
    return sorted(name for name in found if not _SHARED.match(name) and "." not in name and name[-1] != "~")


def read_stack(host: Host, service: str, kind: str) -> Stack:
    """The lines of `kind` (auth, account) that hold for `service`, with all that is included."""
    return _file(host, service, kind, 0)


def flat(stack: Stack) -> list[Entry]:
    """All the modules, those of substacks in their places."""
    return [one for entry in stack for one in (flat(entry.below) if entry.below else [entry])]


def says_enrol(host: Host, service: str) -> bool:
    """Whether pam_understudy is told there that a first factor was right before."""
    return any(one.is_ours and "enrol" in one.arguments for one in flat(read_stack(host, service, "auth")))


def _file(host: Host, name: str, kind: str, depth: int) -> Stack:
    if depth > _DEEPEST:
        return ()
    places = [name] if name.startswith("/") else [f"{folder}/{name}" for folder in _FOLDERS]
    text = next((text for place in places if (text := host.text(place)) is not None), "")
    entries: list[Entry] = []
    for line in text.replace("\\\n", " ").split("\n"):
        words = _WORD.findall(line.partition("#")[0])
        if words[:1] == ["@include"] and len(words) > 1:
            entries += _file(host, words[1], kind, depth + 1)
        elif len(words) > 2 and words[0].lstrip("-").lower() == kind:  # noqa: PLR2004
            entries += _line(host, words, kind, depth)
    return tuple(entries)


def _line(host: Host, words: list[str], kind: str, depth: int) -> Stack:
    control, target, arguments = words[1], words[2], tuple(words[3:])
    if control.lower() == "include":
        return _file(host, target, kind, depth + 1)
    if control.lower() == "substack":
        below = _file(host, target, kind, depth + 1)
        return (Entry({}, target, arguments, below, control),) if below else ()
    module = target.rpartition("/")[2].removesuffix(".so")
    return (Entry(_actions(control), module, arguments, control=control),)


def _actions(control: str) -> Mapping[str, str]:
    if not control.startswith("["):
        return _KEYWORDS.get(control.lower(), _KEYWORDS["required"])
    pairs = (word.partition("=") for word in control.strip("[]").split())
    return {name: action for name, _, action in pairs}


@dataclass
class _State:
    """`good`: None until a module has said something that counts."""

    good: bool | None = None
    status: str = _FAILED


@dataclass
class Worked:
    """How a stack ended: `status`, a PAM code in lower case without PAM_; what each module that was reached
    said, in order."""

    status: str = _FAILED
    said: list[tuple[Entry, str]] = field(default_factory=list)


def work(stack: Stack, say: Callable[[Entry], str]) -> Worked:
    """Work through `stack`; `say` gives what a module returns."""
    worked, state = Worked(), _State()
    _run(stack, say, state, worked)
    worked.status = state.status if state.good is not None else _FAILED
    return worked


def _run(stack: Stack, say: Callable[[Entry], str], state: _State, worked: Worked) -> None:
    at, start = 0, _State(state.good, state.status)
    while at < len(stack):
        entry = stack[at]
        at += 1
        if entry.below:
            _run(entry.below, say, state, worked)
            continue
        code = say(entry)
        worked.said.append((entry, code))
        action = entry.actions.get(code, entry.actions.get("default", "bad"))
        if action.isdecimal():
            at += int(action)
            if at > len(stack):
                state.good, state.status = False, _FAILED
        elif action == "reset":
            state.good, state.status = start.good, start.status
        elif _ends(action, code, state):
            return


def _ends(action: str, code: str, state: _State) -> bool:
    """Have what a module said count; whether that is the end of the stack, or of the substack."""
    if action in ("ok", "done"):
        if (state.good is None or (state.good and state.status == SUCCESS)) and code != IGNORE:
            state.good, state.status = True, code
        return action == "done" and state.good is True
    if action in ("bad", "die"):
        if state.good is not False:
            state.good, state.status = False, code if code not in (SUCCESS, IGNORE) else _FAILED
        return action == "die"
    return False
