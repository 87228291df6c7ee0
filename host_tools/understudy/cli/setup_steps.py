# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The steps of `understudy setup`, from the device to logins that ask for codes. It loads all the broker."""

import getpass
import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from understudy.broker.daemon import groups_of
from understudy.broker_client import reload_broker
from understudy.broker_client import status as broker_status
from understudy.cli import clock, devices, enrol, prompts, text
from understudy.cli.connect import client, connected, forget_configuration
from understudy.cli.options import Options
from understudy.cli.output import note, warn
from understudy.configuration import Configuration, load, parse, read, usual_path
from understudy.configuration_text import spelled
from understudy.deadline import Deadline
from understudy.doctor.checks_login import check_stacks, login_services
from understudy.doctor.checks_sshd import check_sshd, read_settings
from understudy.doctor.checks_users import covered, people
from understudy.doctor.findings import PROBLEM, Host
from understudy.doctor.rehearse import RehearsalDesk, Scene, rehearse
from understudy.doctor.rehearse_pam import through_pam
from understudy.doctor.situations import SERVER_DOWN
from understudy.files import make_private_dir
from understudy.host_clock import is_synchronised
from understudy.identity import load_identity
from understudy.link import Hello
from understudy.setup import pending
from understudy.setup.answers import AT_LOGIN, IMPORT, NOW, Answers
from understudy.setup.changes import FOLDER, Changes
from understudy.setup.pam_lines import KEY, PASSWORD
from understudy.setup.plan import DROP_IN, SSHD, Staged, Written, plan, staged
from understudy.setup.system import BROKER_UNITS, ROLLBACK_UNIT, System
from understudy.setup.undo import take_back
from understudy.statuses import explain
from understudy.usage import Declined, WrongUsage
from understudy_device.errors import ConfigError, LinkTimeout, NotYours, UnderstudyError
from understudy_device.protocol import ADMIN, CLOCK_UNSET, UNCLAIMED, VERIFIER

_BROKER_USER = "understudy"
_BROKER_SECONDS = 120.0  # for it to start, or be started, and to have the device
_WATCH_SECONDS = 30.0
_PAUSE = 0.1
_STEPS = 8


@dataclass(frozen=True)
class _Job:
    """What the steps go by. `options` name the device and an admin's identity."""

    options: Options
    answers: Answers
    user: str
    is_asking: bool  # a person answers
    is_port_named: bool

    @property
    def services(self) -> list[str]:
        """Where codes are asked for, as far as the answers name it."""
        return [SSHD] if self.answers.everywhere else list(self.answers.ask_at)


def set_up(options: Options, given: Answers | None) -> bool:
    """Do all of it; whether the caller is to wait for the confirmation.

    Without answers a person is asked. Whatever goes wrong, this machine is left as it was; what the device
    has learnt (its admin, the broker's key, a user) stays. UnderstudyError.
    """
    host = Host()
    system = System(host)
    answers = given if given is not None else _asked()
    user = _user(answers)
    _check_machine(host, system)
    _step(1, "what will be changed")
    for one in plan(host, answers):
        note(f"    {one.path}")
    with _put_back_unless_done(host, system) as changes:
        _step(2, "the device")
        hello, named = _device(options, answers)
        job = _Job(named, answers, user, given is None, options.port_url is not None)
        _broker_key(job, hello)
        _step(3, "its clock")
        _clock(job)
        _step(4, f"the first user, {user}")
        _enrol(job)
        _step(5, "the configuration")
        configuration = _configure(job, changes, hello)
        _step(6, "the broker")
        _start_broker(system, changes, configuration, hello)
        _step(7, "a rehearsal")
        files = plan(host, answers)
        after = staged(host, files)
        _rehearse(job, after, configuration)
        _step(8, "switching it on")
        _switch_on(job, system, changes, files, login_services(after))
    _tell(job)
    return answers.wait


def _step(number: int, what: str) -> None:
    note(f"{number}/{_STEPS} {what}", "bold")


def _asked() -> Answers:
    """What a person answers."""
    if not prompts.at_terminal():
        raise WrongUsage("Nobody is at the terminal to be asked; give --answers FILE.")
    usual = os.environ.get("SUDO_USER") or getpass.getuser()
    user = prompts.line("The first user, who gets a code on the phone", usual)
    by_key = prompts.yes("Do logins by ssh begin with a key (y), or with a password (N)?")
    return Answers(user=user, login=KEY if by_key else PASSWORD)


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


def _broker_key(job: _Job, hello: Hello) -> None:
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


def _clock(job: _Job) -> None:
    with client(job.options) as device:
        state = device.request("clock_show")["state"]
    if state != CLOCK_UNSET:
        note(f"    {state}")
        return
    if not is_synchronised():
        warn("nobody keeps this host's clock right; codes fail if it is more than half a minute off.")
    note("    " + clock.change(job.options, from_host=True).text.splitlines()[0])


def _enrol(job: _Job) -> None:
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


def _configure(job: _Job, changes: Changes, hello: Hello) -> Configuration:
    """The configuration in force, which is written unless there is one."""
    path, answers = usual_path(), job.answers
    if answers.configuration is not None:
        content = read(answers.configuration, trusted=False)
        parse(content, str(answers.configuration))
        changes.write(path, content)
    elif not path.exists():
        port = [f"port = {spelled(job.options.port)}"] if job.is_port_named else []
        lines = ["# Every key there is: understudy config default", "[device]", *port]
        lines += [f"id = {spelled(hello.device)}", "", "[cover]", f"users = [{spelled(job.user)}]"]
        changes.write(path, "\n".join(lines) + "\n")
    forget_configuration()
    note(f"    {path}")
    configuration = load(path)
    if configuration.device.identity != Configuration().device.identity:
        raise ConfigError(f"{path}: [device].identity has to be {Configuration().device.identity} here.")
    if not configuration.is_covered(job.user, groups_of):
        raise ConfigError(f"By {path} {job.user} is not asked for a code, and could not confirm.")
    for name in job.services:
        if not configuration.for_service(name).mfa:
            raise ConfigError(f"By {path} nobody is asked for a code at {name}: mfa is off.")
    return configuration


def _start_broker(system: System, changes: Changes, configuration: Configuration, hello: Hello) -> None:
    """Have the broker run, with the configuration in force, and with the device."""
    socket = configuration.broker.socket
    if system.has_systemd:
        for name in BROKER_UNITS:
            system.enable(name, changes, start=True)
    elif not reload_broker(socket):
        note("    This machine has no systemd: start the broker now, by `understudyd`.", "bold")
    end, why = Deadline(_BROKER_SECONDS), ""
    while not end.passed:
        try:
            found = broker_status(socket)
            if found["connected"] and found["device"] == hello.device:
                note(f"    has the device, at {found['port']}")
                return
            why = str(found.get("message") or "it has another device")
        except UnderstudyError as error:
            why = explain(error)
        time.sleep(_PAUSE)
    raise LinkTimeout(f"The broker does not have the device: {why}")


def _rehearse(job: _Job, after: Staged, configuration: Configuration) -> None:
    """Logins through the stacks as they will be, with the broker's decisions. Declined when somebody would be
    locked out and nobody wants that."""
    wrong = [one.what for one in check_stacks(after, job.answers.login == KEY) if one.severity == PROBLEM]
    if wrong:
        raise ConfigError("The stacks would not do:\n  " + "\n  ".join(wrong))
    services = [name for name in login_services(after) if f"/etc/pam.d/{name}" in after.written] or [SSHD]
    users = covered(people(after), configuration, groups_of)
    with client(job.options) as device:
        known = {user: device.request("user_state", user=user) for user in users}
    desk = RehearsalDesk(Scene(SERVER_DOWN, configuration, known.__getitem__, groups_of))
    with through_pam(after, desk, services) as attempt:
        met = rehearse(SERVER_DOWN, users, services, attempt)
    rows = [(one.user, one.service, one.outcome, one.message) for one in met]
    note(text.table(("    USER", "SERVICE", "MEETS", "TOLD"), [("    " + a, b, c, d) for a, b, c, d in rows]))
    if any(one.user == job.user and not one.is_well for one in met):
        raise ConfigError(f"{job.user} would not get in.")
    if all(one.is_well for one in met):
        return
    if not job.is_asking:
        raise ConfigError("Somebody who is covered would not get in; enrol them first, or cover fewer.")
    if not prompts.yes("Some would not get in. Go on?"):
        raise Declined()


def _switch_on(
    job: _Job, system: System, changes: Changes, files: list[Written], services: list[str]
) -> None:
    """Have codes asked for, with somebody who takes it back in time. UnderstudyError."""
    pending.begin(FOLDER, job.answers.confirm_within, tuple(services))
    if system.has_systemd:
        system.enable(ROLLBACK_UNIT, changes, start=False)
    system.start_watch(["setup", "--watch"])
    end = Deadline(_WATCH_SECONDS)
    while not pending.is_watched(FOLDER):
        if end.passed:
            raise LinkTimeout("The process that would take it back does not start.")
        time.sleep(_PAUSE)
    for one in files:
        changes.write(one.path, one.text, if_edited=one.if_edited)
    _check_sshd(system)
    if not system.reload_sshd():
        warn("no running sshd was found; restart it yourself, or this counts from its next start.")


def _check_sshd(system: System) -> None:
    objection = system.objection_of_sshd()
    if objection:
        raise ConfigError(f"sshd does not like its configuration: {objection}")
    wrong = [one for one in check_sshd(read_settings(Host()), True) if one.severity == PROBLEM]
    if wrong:
        raise ConfigError(f"{wrong[0].what} Something in /etc/ssh goes before {DROP_IN}.")


@contextmanager
def _put_back_unless_done(host: Host, system: System) -> Iterator[Changes]:
    """Changes, which are taken back if what is done with them goes wrong: by Ctrl-C, too."""
    try:
        yield Changes()
    except BaseException:
        for said in take_back(FOLDER, system, host) or ():
            note(said)
        note("Everything on this machine is as it was.")
        raise


def _tell(job: _Job) -> None:
    minutes = text.duration(int(job.answers.confirm_within))
    note(
        f"It is on, and will be taken back in {minutes} unless you confirm it. Leave this terminal as it is."
    )
    note(f"Log in anew, from another terminal, as {job.user}, and type there:", "bold")
    note("    sudo understudy setup --confirm", "bold")
