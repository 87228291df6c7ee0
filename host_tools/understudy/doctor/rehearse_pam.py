# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Rehearsals by the real libpam and the real module: whole logins through a private copy of the services.

In the copy, first factors are taken for right, by pam_debug; pam_understudy asks a broker of its own, at a
socket that nobody else knows. Neither the machine's services nor its broker hear of it. pam_start_confdir(3).
"""

import asyncio
import ctypes
import io
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from understudy.broker.journal import Journal
from understudy.broker.owner import Owner
from understudy.broker.server import Server
from understudy.deadline import Deadline
from understudy.doctor.checks_login import kind_of
from understudy.doctor.findings import Host
from understudy.doctor.rehearse import (
    ENROLS,
    LET_IN,
    NO_CODE,
    REFUSED,
    Met,
    RehearsalDesk,
    Try,
    outcome_of,
)
from understudy.doctor.stacks import Entry, Stack, read_stack
from understudy_device.errors import NoDevice, UnderstudyError

_SUCCESS = 0
_CONV_ERR = 19
_PROMPTS = (1, 2)  # PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON
_ERROR = 3  # PAM_ERROR_MSG
_SILENT = 0x8000  # PAM_SILENT
_BACKLOG = 16
_FOLDER = "/run"  # in memory, and root's
_SOCKET = "sock"
# Conditions that depend on the user alone, and change nothing: they are asked for real.
_REAL = ("pam_succeed_if", "pam_listfile", "pam_localuser", "pam_usertype", "pam_permit", "pam_deny")


class _Message(ctypes.Structure):
    _fields_ = (("style", ctypes.c_int), ("text", ctypes.c_char_p))


class _Response(ctypes.Structure):
    _fields_ = (("text", ctypes.c_void_p), ("unused", ctypes.c_int))


Converse = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(_Message)),
    ctypes.POINTER(ctypes.POINTER(_Response)),
    ctypes.c_void_p,
)


class Conversation(ctypes.Structure):
    """struct pam_conv."""

    _fields_ = (("converse", Converse), ("data", ctypes.c_void_p))


def library() -> ctypes.CDLL | None:
    """libpam, if it is there and can be given a folder of services (Linux-PAM 1.4)."""
    try:
        found = ctypes.CDLL("libpam.so.0")
        found.pam_start_confdir.argtypes = (
            ctypes.c_char_p,
            ctypes.c_char_p,
            ctypes.POINTER(Conversation),
            ctypes.c_char_p,
            ctypes.POINTER(ctypes.c_void_p),
        )
    except (OSError, AttributeError):
        return None
    for name in ("pam_authenticate", "pam_acct_mgmt", "pam_end"):
        getattr(found, name).argtypes = (ctypes.c_void_p, ctypes.c_int)
    return found


class _Typist:
    """Who sits at the login: types `code` when asked for one, and breaks off where somebody would enrol."""

    def __init__(self, desk: RehearsalDesk, code: str) -> None:
        self._desk = desk
        self._code = code.encode()
        self._libc = ctypes.CDLL(None)
        for name, arguments in (("calloc", (ctypes.c_size_t,) * 2), ("strdup", (ctypes.c_char_p,))):
            getattr(self._libc, name).argtypes = arguments
            getattr(self._libc, name).restype = ctypes.c_void_p
        self.shown: list[str] = []
        self.converse = Converse(self._converse)

    def _converse(self, count: int, messages: object, responses: object, _data: object) -> int:
        """As pam_conv(3): libpam frees what is given back."""
        answers = self._libc.calloc(count, ctypes.sizeof(_Response))
        table = ctypes.cast(answers, ctypes.POINTER(_Response))
        for number in range(count):
            message = messages[number].contents  # type: ignore[index]
            if message.style == _ERROR:
                self.shown.append((message.text or b"").decode(errors="replace"))
            if message.style in _PROMPTS:
                if self._is_enrolment():
                    return _CONV_ERR
                table[number].text = self._libc.strdup(self._code)
        responses[0] = table  # type: ignore[index]
        return _SUCCESS

    def _is_enrolment(self) -> bool:
        return bool(self._desk.seen) and outcome_of(self._desk.seen, "", "").outcome == ENROLS


@contextmanager
def through_pam(host: Host, desk: RehearsalDesk, services: Sequence[str]) -> Iterator[Try]:
    """Logins by libpam while inside, to be given to `rehearse`. UnderstudyError when it can't be."""
    libpam = library()
    if libpam is None:
        raise UnderstudyError("This machine's libpam knows no private services.")
    with tempfile.TemporaryDirectory(prefix="understudy-", dir=_FOLDER) as name:
        folder = Path(name)
        for service in services:
            for kind in ("auth", "account"):
                _write(folder, service, kind, read_stack(host, service, kind))

        def attempt(user: str, service: str, recovery: bool) -> Met:
            desk.seen.clear()
            typist = _Typist(desk, desk.new_code(recovery))
            return _met(desk, _login(libpam, folder, user, service, typist), user, service, typist)

        with _serving(desk, folder / _SOCKET):
            yield attempt


def _write(folder: Path, service: str, kind: str, stack: Stack) -> None:
    """Add the lines of `kind` to the private copy of `service`."""
    lines = []
    for number, entry in enumerate(stack):
        if entry.below:
            name = f"{service}.{kind}.{number}"
            _write(folder, name, kind, entry.below)
            # With its folder: Linux-PAM 1.5 looks for what is included in /etc/pam.d only.
            lines.append(f"{kind} substack {folder / name}")
        else:
            lines.append(f"{kind} {entry.control} {_instead(folder, kind, entry)}")
    with (folder / service).open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def _instead(folder: Path, kind: str, entry: Entry) -> str:
    """Module and arguments that stand for `entry`."""
    if entry.is_ours:
        own = [one for one in entry.arguments if not one.startswith("socket=")]
        return " ".join(["pam_understudy.so", f"socket={folder / _SOCKET}", *own])
    if entry.module in _REAL:
        return " ".join([f"{entry.module}.so", *entry.arguments])
    if kind == "account":
        return "pam_debug.so acct=success"
    word = {"factor": "success", "condition": _on(entry)}.get(kind_of(entry), "ignore")
    return f"pam_debug.so auth={word}"


def _on(entry: Entry) -> str:
    """What a condition says so that the login goes on to where a code is asked for."""
    action = entry.actions.get("success", "")
    return "auth_err" if action == "done" or action.isdecimal() else "success"


@contextmanager
def _serving(desk: RehearsalDesk, path: Path) -> Iterator[None]:
    """A private broker at the socket `path` while inside."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    listening.bind(str(path))
    listening.listen(_BACKLOG)
    server = asyncio.run_coroutine_threadsafe(_server(desk).serve(listening), loop).result()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_closed(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _closed(server: asyncio.Server) -> None:
    server.close()
    await asyncio.sleep(0)


def _server(desk: RehearsalDesk) -> Server:
    def connect(_deadline: Deadline) -> Any:
        raise NoDevice()

    journal = Journal(io.StringIO(), levels=False)
    owner = Owner(connect, journal)  # never started: nobody attaches here
    return Server(desk.configuration, desk, desk.groups_of, owner, dict, journal)


def _login(libpam: ctypes.CDLL, folder: Path, user: str, service: str, typist: _Typist) -> int:
    """PAM's code of authenticate and, if that succeeds, acct_mgmt."""
    handle = ctypes.c_void_p()
    conversation = Conversation(typist.converse, None)
    code = libpam.pam_start_confdir(
        service.encode(),
        user.encode(),
        ctypes.byref(conversation),
        str(folder).encode(),
        ctypes.byref(handle),
    )
    if code != _SUCCESS:
        raise UnderstudyError(f"libpam does not begin a login at {service} (code {code}).")
    try:
        code = libpam.pam_authenticate(handle, _SILENT)
        if code == _SUCCESS:
            code = libpam.pam_acct_mgmt(handle, _SILENT)
        return int(code)
    finally:
        libpam.pam_end(handle, code)


def _met(desk: RehearsalDesk, code: int, user: str, service: str, typist: _Typist) -> Met:
    """The broker's word, and what the stack made of it."""
    met = replace(outcome_of(desk.seen, user, service), through="pam")
    told = " ".join(" ".join(typist.shown).split())
    if met.outcome == ENROLS:
        return met
    if code == _SUCCESS:
        return replace(met, outcome=LET_IN) if met.outcome == REFUSED else met
    if met.outcome == REFUSED:
        return replace(met, message=told or met.message)
    reason = "PAM refuses it" if met.outcome == NO_CODE else "PAM refuses it after a right code"
    return replace(met, outcome=REFUSED, by="pam", message=told or f"{reason} (code {code}).")
