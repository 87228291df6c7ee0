# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The way from a plugged-in device to a login that asks for codes: setup, and back: setup --undo."""

import os
import syslog
import time
from pathlib import Path
from typing import Annotated

import typer

from understudy.broker_client import status as broker_status
from understudy.cli import prompts
from understudy.cli.options import Options, Yes, command
from understudy.cli.output import Answer, note
from understudy.configuration import load, usual_path
from understudy.doctor.findings import Host
from understudy.setup import pending
from understudy.setup.answers import read_answers
from understudy.setup.changes import FOLDER, Changes
from understudy.setup.system import ROLLBACK_UNIT, System
from understudy.setup.undo import take_back
from understudy.statuses import explain
from understudy.usage import RolledBack
from understudy_device.errors import Denied, NotFound, UnderstudyError

_PAUSE = 0.5  # seconds
_TRIES = 60  # to take back what can't be, a few seconds apart


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    command(
        app,
        "setup",
        examples=(
            "sudo understudy setup",
            "sudo understudy setup --answers answers.toml",
            "sudo understudy setup --confirm     (in the login that was tried)",
            "sudo understudy setup --undo",
        ),
    )(setup)


def setup(
    options: Options,
    answers: Annotated[
        Path | None, typer.Option("--answers", metavar="FILE", help="Ask nobody: all is in FILE (TOML).")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", metavar="", help="Keep it: say so in a new login, by a code.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", metavar="", help="Take all of it out of this machine's logins again.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", metavar="", hidden=True)] = False,
    boot: Annotated[bool, typer.Option("--boot", metavar="", hidden=True)] = False,
    yes: Yes = False,
) -> Answer:
    """Walk from a plugged-in device to logins that ask for codes.

    Finds and claims the device, sets its clock, enrols the first user, writes the configuration, starts the
    broker, rehearses the logins, and switches them on. If nobody confirms that within five minutes from a new
    login, everything on this machine is put back as it was.
    """
    if os.geteuid() != 0:
        raise Denied("Only root may do that: sudo understudy setup")
    if confirm + undo + watch + boot + (answers is not None) > 1:
        raise typer.BadParameter("give one of --answers FILE, --confirm and --undo")
    if confirm:
        return _confirm()
    if undo:
        return _undo(yes)
    if watch or boot:
        return _watch(boot)
    given = read_answers(answers) if answers is not None else None
    _make_way()
    # Imported here: of all commands only this one, and the doctor, load the broker.
    from understudy.cli.setup_steps import set_up  # noqa: PLC0415

    waits = set_up(options, given)
    if not waits:
        return Answer(
            {"state": "pending"}, "It is on. Confirm it from a new login: sudo understudy setup --confirm"
        )
    return _wait()


def _make_way() -> None:
    """Let nothing of an earlier set-up be in the way. Denied when that one counts."""
    changes, waiting = Changes(), pending.read(FOLDER)
    if waiting is not None and waiting.left:
        raise Denied("A set-up waits to be confirmed: sudo understudy setup --confirm, or --undo.")
    if changes.is_confirmed:
        raise Denied("This machine is set up. To begin anew: sudo understudy setup --undo")
    if not changes.is_empty or waiting is not None:
        note("An earlier set-up did not come to its end; it is taken back first.")
        for said in _back() or ():
            note(said)


def _back() -> list[str] | None:
    """Take back one that nobody has confirmed; None when somebody has."""
    host = Host()
    return take_back(FOLDER, System(host), host, lambda: not Changes().is_confirmed)


def _wait() -> Answer:
    """Until somebody has confirmed, or the time is up."""
    try:
        while True:
            waiting = pending.read(FOLDER)
            if waiting is None:
                break
            if waiting.left == 0:
                _back()
                break
            time.sleep(_PAUSE)
    except KeyboardInterrupt:
        if _back() is not None:
            raise RolledBack("Stopped: everything on this machine is as it was.") from None
    if Changes().is_confirmed:
        return Answer({"state": "on"}, "Confirmed: this machine asks for codes.")
    raise RolledBack("It was not confirmed: everything on this machine is as it was.")


def _confirm() -> Answer:
    with pending.alone(FOLDER):
        waiting = pending.read(FOLDER)
        if waiting is None or waiting.left == 0:
            raise NotFound("No set-up waits to be confirmed.")
        _check_login(waiting)
        changes = Changes()
        changes.confirm()
        pending.end(FOLDER)
    system = System(Host())
    for unit in changes.units.values():
        if unit.name == ROLLBACK_UNIT:
            system.restore(unit)
    return Answer({"state": "on"}, "Confirmed: this machine asks for codes from now on.")


def _check_login(waiting: pending.Pending) -> None:
    """Denied when this is no login that shows that codes get people in."""
    if not pending.login_since(Host().proc, os.getpid(), waiting.since):
        raise Denied(
            "This terminal was open before. Log in anew, with a code, and confirm it there: that shows that "
            "you can get in."
        )
    seen = broker_status(load(usual_path()).broker.socket).get("accepted", {})
    since = pending.now() - waiting.since
    if not any(service in waiting.services and ago <= since for service, ago in seen.items()):
        raise Denied("Nobody has got in by a code yet; log in as one who is asked for it.")


def _undo(yes: bool) -> Answer:
    prompts.make_sure("Take codes out of this machine's logins?", yes)
    host = Host()
    was_empty = Changes().is_empty
    said = take_back(FOLDER, System(host), host) or []
    text = "There was no set-up to take back." if was_empty else "Logins here ask for no code any more."
    status = "findings" if any("pam_understudy" in one for one in said) else "ok"
    return Answer({"undone": not was_empty, "left": said}, "\n".join([text, *said]), status)


def _watch(is_boot: bool) -> Answer:
    """Take it back when the time is up, whatever has become of the login that it was begun in.

    `is_boot`: the machine has started since, and time is up, even where it is a container whose host has not.
    """
    lock = pending.watch_lock(FOLDER) if FOLDER.exists() else None
    for _ in range(_TRIES if lock is not None else 0):
        while (waiting := pending.read(FOLDER)) is not None and waiting.left and not is_boot:
            time.sleep(min(waiting.left, _PAUSE))
        if waiting is None:
            break
        try:
            if _back() is not None:
                _log("nobody has confirmed the set-up; everything on this machine is as it was")
            break
        except UnderstudyError as error:
            _log(f"the set-up can't be taken back: {explain(error)}")
            time.sleep(_PAUSE)
    return Answer(printed=True)


def _log(text: str) -> None:
    syslog.openlog("understudy", syslog.LOG_PID, syslog.LOG_AUTH)
    syslog.syslog(syslog.LOG_ALERT, text)
