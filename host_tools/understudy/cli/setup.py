# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The way from a plugged-in device to a login that asks for codes: setup, and back: setup --undo."""

import os
import pwd
import syslog
import time
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from understudy.broker_client import status as broker_status
from understudy.cli import prompts
from understudy.cli.options import Options, Yes, command
from understudy.cli.output import Answer, note
from understudy.configuration import load, usual_path
from understudy.doctor.checks_login import covered_services
from understudy.doctor.findings import Host
from understudy.setup import pending
from understudy.setup.answers import read_answers
from understudy.setup.changes import FOLDER, Changes
from understudy.setup.system import ROLLBACK_UNIT, System
from understudy.setup.undo import outcome, take_back, traces
from understudy.statuses import explain
from understudy.usage import RolledBack, WrongUsage
from understudy_device.errors import ConfigError, Denied, NotFound, UnderstudyError

_PAUSE = 0.5  # seconds
_LONG_PAUSE = 5.0
_BOOT_TRIES = 5


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
    if answers is None and not prompts.at_terminal():
        raise WrongUsage("Nobody is at the terminal to be asked; give --answers FILE.")
    given = read_answers(answers) if answers is not None else None
    if given is not None and given.needs_a_person and not prompts.at_terminal():
        raise WrongUsage(
            "Nobody is at the terminal; the answers have to say compare = false, and enrol other than now."
        )
    # Imported here: of all commands only this one, and the doctor, load the broker.
    from understudy.cli.setup_steps import set_up  # noqa: PLC0415

    with pending.only_one():
        _make_way()
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
        note(outcome(_back() or []))


def _back(*, tells_sshd: bool = True) -> list[str] | None:
    """Take back one that nobody has confirmed; None when somebody has."""
    host = Host()
    return take_back(
        FOLDER, System(host), host, only_if=lambda changes: not changes.is_confirmed, tells_sshd=tells_sshd
    )


def _wait() -> Answer:
    """Until somebody has confirmed, or the time is up."""
    said: list[str] = []
    try:
        while (waiting := pending.read(FOLDER)) is not None:
            if waiting.left == 0:
                back = _back()
                if back is None:  # confirmed, but for the end of it
                    pending.end(FOLDER)
                said = back or []
            time.sleep(_PAUSE)
    except KeyboardInterrupt:
        note("Stopped.")
        said = _back() or []
    if Changes().is_confirmed:
        return Answer({"state": "on"}, "Confirmed: this machine asks for codes.")
    raise RolledBack(f"It was not confirmed. {outcome(said)}")


def _confirm() -> Answer:
    with pending.alone(FOLDER):
        waiting = pending.read(FOLDER)
        if waiting is None or waiting.left == 0:
            raise NotFound("No set-up waits to be confirmed.")
        _check_login(waiting)
        changes = Changes()
        try:
            changes.confirm()
            pending.end(FOLDER)
        except OSError as error:
            raise ConfigError(f"{FOLDER} can't be written: {error.strerror}.") from error
    units = [unit for unit in changes.units.values() if unit.name == ROLLBACK_UNIT]
    for said in System(Host()).restore(units):
        note(said)
    return Answer({"state": "on"}, "Confirmed: this machine asks for codes from now on.")


def _check_login(waiting: pending.Pending) -> None:
    """Denied when this is no new login, or one that was asked for no code: it would show nothing."""
    session = pending.session_of(Host().proc, os.getpid(), waiting.since)
    if session is None:
        raise Denied(
            "This terminal was open before (one of tmux, or over a shared ssh connection, counts as that). "
            "Log in anew, with a code, and confirm it there: that shows that you can get in."
        )
    seen = broker_status(load(usual_path()).broker.socket).get("accepted", [])
    asking = covered_services(Host())
    counts, since, whose = [session.service], session.since, [session.uid]
    if session.service not in asking:  # then what does ask is what counts; su asks who one becomes
        counts, since, whose = asking, waiting.since, [session.uid, os.geteuid()]
    if not any(service in counts and at >= since and _is(name, whose) for service, name, at in seen):
        raise Denied(
            "This login was asked for no code; log in as one who is, and confirm it there, by sudo or su."
        )


def _is(name: str, whose: Collection[int]) -> bool:
    """Whether `name`, in whatever spelling, is one of these users."""
    try:
        return pwd.getpwnam(name).pw_uid in whose
    except KeyError:
        return False


def _undo(yes: bool) -> Answer:
    prompts.make_sure("Take codes out of this machine's logins?", yes)
    host = Host()
    with pending.only_one():
        was_empty = Changes().is_empty
        said = take_back(FOLDER, System(host), host) or []
    text = "There was no set-up to take back." if was_empty else "Logins here ask for no code any more."
    status = "findings" if traces(host) else "ok"
    return Answer({"undone": not was_empty, "left": said}, "\n".join([text, *said]), status)


def _watch(is_boot: bool) -> Answer:
    """Take it back when the time is up, whatever has become of the login that it was begun in.

    `is_boot`: the machine has started since, and time is up, even where it is a container whose host has not;
    logins wait for this, so it does not try for ever.
    """
    lock = pending.watch_lock(FOLDER) if FOLDER.exists() else None
    tries = 0
    while lock is not None and (waiting := _waiting()) is not None:
        if waiting.left and not is_boot:
            time.sleep(min(waiting.left, _PAUSE))
            continue
        tries += 1
        try:
            said = _back(tells_sshd=not is_boot)
            if said is not None:
                _log(f"nobody has confirmed the set-up. {outcome(said)}")
            break
        except (UnderstudyError, OSError) as error:
            if tries == 1:
                why = explain(error) if isinstance(error, UnderstudyError) else str(error)
                _log(f"the set-up can't be taken back; this is tried again: {why}")
            if is_boot and tries == _BOOT_TRIES:
                raise
            time.sleep(_LONG_PAUSE)
    return Answer(printed=True)


def _waiting() -> pending.Pending | None:
    """What is waited for; a note that can't be read is one whose time is up."""
    try:
        return pending.read(FOLDER)
    except (UnderstudyError, OSError):
        return pending.Pending(0.0, 0.0, "")


def _log(text: str) -> None:
    syslog.openlog("understudy", syslog.LOG_PID, syslog.LOG_AUTH)
    for line in text.splitlines():
        syslog.syslog(syslog.LOG_ALERT, line)
