# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The steps of `understudy setup` that change this machine, from the configuration to switching it on."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.accounts import groups_of
from understudy.broker_client import reload_broker
from understudy.broker_client import status as broker_status
from understudy.cli import prompts, text
from understudy.cli.connect import client, forget_configuration
from understudy.cli.options import Options
from understudy.cli.output import note, warn
from understudy.configuration import Configuration, load, parse, read, usual_path
from understudy.configuration_file import load_marked
from understudy.configuration_text import spelled
from understudy.deadline import Deadline
from understudy.doctor.checks_login import check_stacks, login_services
from understudy.doctor.checks_sshd import check_sshd, read_settings
from understudy.doctor.checks_users import covered, everybody
from understudy.doctor.findings import PROBLEM, WARNING, Host, names
from understudy.doctor.rehearse import RehearsalDesk, Scene, rehearse
from understudy.doctor.rehearse_pam import through_pam
from understudy.doctor.situations import SERVER_DOWN
from understudy.doctor.sshd_match import settings_of
from understudy.link import Hello
from understudy.setup import pending
from understudy.setup.answers import Answers
from understudy.setup.changes import FOLDER, Changes
from understudy.setup.others import DROP_IN, Others, others, takes_passwords
from understudy.setup.pam_lines import KEY, PASSWORD
from understudy.setup.plan import SSHD, Staged, Written
from understudy.setup.system import BROKER_UNITS, ROLLBACK_UNIT, System
from understudy.statuses import explain
from understudy.usage import Declined
from understudy_device.errors import ConfigError, LinkTimeout, UnderstudyError

_BROKER_SECONDS = 120.0  # for it to start, or be started, and to have the device
_WATCH_SECONDS = 60.0
_PAUSE = 0.1


@dataclass(frozen=True)
class Job:
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


def configure(job: Job, changes: Changes, hello: Hello) -> Configuration:
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
        raise ConfigError(
            f"By {path} {job.user} is not asked for a code, and could not confirm: add {job.user} to users "
            "in [cover], and `understudy config apply` it."
        )
    for name in job.services:
        if not configuration.for_service(name).mfa:
            raise ConfigError(f"By {path} nobody is asked for a code at {name}: mfa is off.")
    return configuration


def start_broker(system: System, changes: Changes, configuration: Configuration, hello: Hello) -> None:
    """Have the broker run, with the configuration in force, and with the device."""
    socket = configuration.broker.socket
    if system.has_systemd:
        for name in BROKER_UNITS:
            system.enable(name, changes, start=True)
    if not reload_broker(socket) and not system.has_systemd:
        note("    This machine has no systemd: start the broker now, by `understudyd`.", "bold")
    end, objection = Deadline(_BROKER_SECONDS), ""
    mark = load_marked(usual_path())[1]
    while not end.passed:
        try:
            found = broker_status(socket)
            objection = _objection(found, hello, mark)
            if not objection:
                note(f"    has the device, at {found['port']}")
                return
        except UnderstudyError as error:
            objection = explain(error)
        time.sleep(_PAUSE)
    raise LinkTimeout(f"The broker is not ready: {objection}")


def _objection(found: Mapping[str, Any], hello: Hello, mark: str) -> str:
    """What a running broker lacks, if anything."""
    if not found["connected"] or found["device"] != hello.device:
        return str(found.get("message") or "it has another device")
    return "" if found.get("mark") == mark else "it goes by another configuration"


def sshd_settings(host: Host) -> Mapping[str, str]:
    """sshd's settings in force. ConfigError when they can't be told."""
    settings = read_settings(host)
    if isinstance(settings, Mapping):
        return settings
    raise ConfigError(f"sshd does not tell its settings: {settings or 'it is not installed'}")


def check_ways(host: Host, answers: Answers) -> None:
    """ConfigError when ssh would take what it does not take now."""
    settings = sshd_settings(host)
    if answers.login == PASSWORD and not takes_passwords(settings):
        instead = 'name the services in ask_at, with login = "key"' if answers.everywhere else 'login = "key"'
        raise ConfigError(
            'sshd takes no passwords now, and by login = "password" it would, of all who are asked for no '
            f"code. What can be had is {instead}."
        )
    ways = settings.get("authenticationmethods", "any")
    if ways != "any":
        raise ConfigError(
            f"sshd has AuthenticationMethods {ways} already; how a code goes with that is yours to say: "
            "`understudy boards --etc` has drop-ins to copy."
        )


def others_kept(job: Job, host: Host, configuration: Configuration) -> Others:
    """What becomes of those who are asked for no code. Declined when somebody would be shut out, and nobody
    wants that; ConfigError when somebody would be let in who is not now."""
    if SSHD not in job.services:
        return Others([], [], [], [])
    found = others(
        host,
        lambda user: bool(covered([user], configuration, groups_of)),
        sshd_settings(host),
        lambda users: settings_of(host, users),
        job.answers.login,
    )
    if found.opened:
        raise ConfigError(
            f"sshd takes no password of {names(found.opened)}, not from everywhere (a Match block), and by "
            'login = "password" it would: set login = "key".'
        )
    if found.by_key:
        note(f"    {names(found.by_key)}: asked for no code, in by a key as before")
    if found.shut_out:
        warn(f"{names(found.shut_out)}: asked for no code, but no longer let in by a password or key alone.")
        if job.is_asking and not prompts.yes("Shut them out of ssh?"):
            raise Declined()
        if not job.is_asking and not job.answers.shut_out:
            raise ConfigError(f"ssh would shut out {names(found.shut_out)}; shut_out = true has it so.")
    return found


def rehearse_logins(job: Job, after: Staged, configuration: Configuration) -> None:
    """Logins through the stacks as they will be, with the broker's decisions. Declined when somebody would be
    locked out and nobody wants that."""
    wrong = [one.what for one in check_stacks(after, job.answers.login == KEY) if one.severity == PROBLEM]
    if wrong:
        raise ConfigError("The stacks would not do:\n  " + "\n  ".join(wrong))
    services = [name for name in login_services(after) if f"/etc/pam.d/{name}" in after.written] or [SSHD]
    users = covered(everybody(after, configuration).users, configuration, groups_of)
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


def switch_on(job: Job, system: System, changes: Changes, files: list[Written]) -> None:
    """Have codes asked for, with somebody who takes it back in time. UnderstudyError."""
    try:
        pending.begin(FOLDER, job.answers.confirm_within)
    except OSError as error:
        raise ConfigError(f"{FOLDER} can't be written: {error.strerror}.") from error
    if system.has_systemd:
        system.enable(ROLLBACK_UNIT, changes, start=False)
        os.sync()  # it has to be there if the power fails from now on
    system.start_watch(["setup", "--watch"])
    end = Deadline(_WATCH_SECONDS)
    while not pending.is_watched(FOLDER):
        if end.passed:
            raise LinkTimeout("The process that would take it back does not start.")
        time.sleep(_PAUSE)
    for one in files:
        changes.write(one.path, one.text, if_edited=one.if_edited)
    if SSHD in job.services:
        _check_sshd(system, job.user)
        if not system.reload_sshd():
            warn("no running sshd was found; restart it yourself, or this counts from its next start.")


def _check_sshd(system: System, user: str) -> None:
    objection = system.objection_of_sshd()
    if objection:
        raise ConfigError(f"sshd does not like its configuration: {objection}")
    host = Host()
    found = check_sshd(read_settings(host), True, settings_of(host, [user])[0])
    wrong = [one.what for one in found if one.severity == PROBLEM]
    if wrong:
        raise ConfigError(f"{wrong[0]} Something in /etc/ssh goes before {DROP_IN}.")
    for one in found:
        if one.severity == WARNING:
            warn(one.what)


def tell(job: Job, system: System) -> None:
    """Say that it is on, and how to confirm it."""
    minutes = text.duration(int(job.answers.confirm_within))
    note(
        f"It is on, and will be taken back in {minutes} unless you confirm it. Leave this terminal as it is."
    )
    if not system.has_systemd:
        warn("without systemd, nothing takes it back once the machine was restarted; do not, before that.")
    note(
        f"The device's admin is the key {job.options.identity_path}: keep a copy where nobody else reads it."
    )
    note(f"Log in anew, from another terminal, as {job.user}, and type there:", "bold")
    note("    sudo understudy setup --confirm", "bold")
