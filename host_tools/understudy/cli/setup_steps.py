# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The steps of `understudy setup`, from the device to logins that ask for codes. It loads all the broker."""

import getpass
import os
import pwd
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from understudy.cli import clock, devices, enrol, prompts
from understudy.cli.connect import client, connected
from understudy.cli.options import Options
from understudy.cli.output import note, warn
from understudy.cli.setup_logins import (
    Job,
    check_ways,
    configure,
    others_kept,
    rehearse_logins,
    sshd_settings,
    start_broker,
    switch_on,
    tell,
)
from understudy.configuration import USUAL, Configuration, usual_path
from understudy.doctor.findings import Host
from understudy.files import make_private_dir
from understudy.host_clock import is_synchronised
from understudy.identity import load_identity
from understudy.link import Hello
from understudy.setup.answers import AT_LOGIN, IMPORT, NOW, Answers
from understudy.setup.changes import FOLDER, Changes
from understudy.setup.others import takes_passwords
from understudy.setup.pam_lines import KEY, PASSWORD
from understudy.setup.plan import SSHD, plan, staged
from understudy.setup.system import BROKER_UNITS, ROLLBACK_UNIT, System
from understudy.setup.undo import outcome, take_back
from understudy.usage import Declined
from understudy_device.errors import ConfigError, NotYours
from understudy_device.protocol import ADMIN, CLOCK_UNSET, UNCLAIMED, VERIFIER

_BROKER_USER = "understudy"
_STEPS = 8
_STOPPING = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)


def set_up(options: Options, given: Answers | None) -> bool:
    """Do all of it; whether the caller is to wait for the confirmation.

    Without answers a person is asked. Whatever goes wrong, this machine is left as it was; what the device
    has learnt (its admin, the broker's key, a user) stays. UnderstudyError.
    """
    host = Host()
    system = System(host)
    if usual_path() != USUAL:
        raise ConfigError(f"UNDERSTUDY_CONFIG is set, and the broker's unit reads {USUAL}: unset it.")
    system.prepare_sshd()
    answers = given if given is not None else _asked(host)
    user = _user(answers)
    _check_machine(host, system)
    _step(1, "what will be changed")
    note("    " + "\n    ".join(str(one.path) for one in plan(host, answers)))
    if answers.everywhere or SSHD in answers.ask_at:
        check_ways(host, answers)
    with _put_back_unless_done(host, system) as changes:
        _step(2, "the device")
        hello, named = _device(options, answers)
        job = Job(named, answers, user, given is None, options.port_url is not None)
        _broker_key(job, hello)
        _step(3, "its clock")
        _clock(job)
        _step(4, f"the first user, {user}")
        _enrol(job)
        _step(5, "the configuration")
        configuration = configure(job, changes, hello)
        _step(6, "the broker")
        start_broker(system, changes, configuration, hello)
        _step(7, "a rehearsal")
        files = plan(host, answers, others_kept(job, host, configuration))
        rehearse_logins(job, staged(host, files), configuration)
        if job.is_asking and not prompts.yes("Switch it on?"):
            raise Declined()
        _step(8, "switching it on")
        switch_on(job, system, changes, files)
    tell(job, system)
    return answers.wait


def _step(number: int, what: str) -> None:
    note(f"{number}/{_STEPS} {what}", "bold")


def _asked(host: Host) -> Answers:
    """What a person answers."""
    usual = os.environ.get("SUDO_USER") or getpass.getuser()
    user = prompts.line("The first user, who gets a code on the phone", usual)
    if takes_passwords(sshd_settings(host)):
        by_key = prompts.yes("Do logins by ssh begin with a key (y), or with a password (N)?")
    else:
        note("sshd takes keys only: logins by ssh begin with a key.")
        by_key = True
    ask_at = [SSHD]
    if host.path("/etc/pam.d/sudo").exists() and prompts.yes("Shall sudo ask for a code, too?"):
        ask_at.append("sudo")
    return Answers(user=user, login=KEY if by_key else PASSWORD, ask_at=tuple(ask_at))


def _user(answers: Answers) -> str:
    user = answers.user
    if user is None:
        raise ConfigError("The answers name no user: the first one, who logs in to confirm.")
    try:
        pwd.getpwnam(user)
    except KeyError:
        raise ConfigError(f"This machine has no user {user}.") from None
    return user


def _check_machine(host: Host, system: System) -> None:
    """ConfigError when something is missing that is installed before."""
    if not any(host.root.glob("usr/lib/*/security/pam_understudy.so")):
        raise ConfigError("pam_understudy.so is not installed: install the package first.")
    try:
        pwd.getpwnam(_BROKER_USER)
    except KeyError:
        raise ConfigError(f"There is no user {_BROKER_USER}: install the package first.") from None
    for name in (*BROKER_UNITS, ROLLBACK_UNIT) if system.has_systemd else ():
        if not system.has_unit(name):
            raise ConfigError(f"systemd has no {name}: install the package first.")


def _device(options: Options, answers: Answers) -> tuple[Hello, Options]:
    """The device, claimed if it was new, and options that name it and an admin's identity."""
    with connected(options, lambda hello: True, "No device was found; plug it in.") as connection:
        hello, url = connection.hello, connection.url
    note(f"    {hello.device} at {url}: {hello.board}, {hello.state}")
    named = replace(options, port=url, device=hello.device)
    if hello.state == UNCLAIMED:
        note("    " + devices.claim(named, answers.name, not answers.compare).text)
        return hello, named
    for path in _identities(options):
        paired = load_identity(path).devices.get(hello.device) if path.exists() else None
        if paired is not None and paired.role == ADMIN:
            return hello, replace(named, identity=path)
    raise NotYours(
        f"The device {hello.device} has an admin, whose key is not here. If you have it: --identity FILE"
    )


def _identities(options: Options) -> list[Path]:
    """Where an admin's key may be: root's, and that of who has called sudo."""
    found = [options.identity_path]
    caller = os.environ.get("SUDO_USER")
    if options.identity is None and caller:
        with suppress(KeyError):
            found.append(Path(pwd.getpwnam(caller).pw_dir) / ".config/understudy/identity.json")
    return found


def _broker_key(job: Job, hello: Hello) -> None:
    """See that the broker has a key of its own, which the device knows."""
    path = Configuration().device.identity
    if path.exists() and hello.device in load_identity(path).devices:
        return
    entry = pwd.getpwnam(_BROKER_USER)
    # Paired where nobody but root can write, then handed over.
    make_private_dir(FOLDER)
    fresh = FOLDER / "identity.json"
    fresh.unlink(missing_ok=True)
    devices.pair(job.options, new_identity=fresh, role=VERIFIER, name="broker", yes=not job.answers.compare)
    if not path.parent.exists():
        make_private_dir(path.parent)
        os.chown(path.parent, entry.pw_uid, entry.pw_gid)
    os.chown(fresh, entry.pw_uid, entry.pw_gid)
    os.replace(fresh, path)
    note(f"    the broker's key is {path}")


def _clock(job: Job) -> None:
    with client(job.options) as device:
        state = device.request("clock_show")["state"]
    if state != CLOCK_UNSET:
        note(f"    {state}")
        return
    if not is_synchronised():
        warn("nobody keeps this host's clock right; codes fail if it is more than half a minute off.")
    note("    " + clock.change(job.options, from_host=True).text.splitlines()[0])


def _enrol(job: Job) -> None:
    answers = job.answers
    with client(job.options) as device:
        state = device.request("user_state", user=job.user)
    if state["usable"] or state["state"] not in ("unknown", "pending"):
        note(f"    is on the device already: {state['state']}")
        return
    said = enrol.add(
        job.options,
        job.user,
        import_secret=str(answers.secret_file) if answers.enrol == IMPORT else None,
        no_confirm=answers.enrol == IMPORT,
        at_login=answers.enrol == AT_LOGIN,
        recovery=answers.enrol == NOW,
    )
    note("\n".join(f"    {line}" for line in said.text.splitlines()))


@contextmanager
def _put_back_unless_done(host: Host, system: System) -> Iterator[Changes]:
    """Changes, which are taken back if what is done with them goes wrong: by Ctrl-C, or as the line is lost,
    too."""

    def ignore() -> None:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)  # once more would break off the way back

    def stop(_number: int, _frame: object) -> None:
        ignore()
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in _STOPPING}
    for number in _STOPPING:
        signal.signal(number, stop)
    try:
        yield Changes()
    except BaseException:
        ignore()
        said = outcome(take_back(FOLDER, system, host) or [])
        with suppress(OSError):  # the terminal may have gone
            note(said)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
