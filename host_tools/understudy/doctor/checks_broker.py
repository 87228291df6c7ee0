# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The broker, its configuration file, and the 2FA server that it asks."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from understudy.configuration import Configuration, Unreadable
from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING, Finding
from understudy_device.errors import ConfigError, UnderstudyError

_START = "sudo systemctl enable --now understudyd.socket understudyd.service"
_RESTART = "sudo systemctl restart understudyd"
_RELOAD = "sudo systemctl reload understudyd"
_CHECK = "understudy config check"
_REHEARSE = "understudy doctor --rehearse server-down"
_DAYS_SOON = 21
_DAYS_NOW = 3


def check_configuration(path: Path, loaded: Configuration | ConfigError) -> list[Finding]:
    """`loaded`: what is in the file, or why it can't be used."""
    if isinstance(loaded, Unreadable):
        why = "The broker does not start without one."
        mend = f"understudy config default | sudo tee {shlex.quote(str(path))}"
        return [Finding("configuration", PROBLEM, loaded.message, why, mend)]
    if isinstance(loaded, ConfigError):
        why = "The broker goes on with what it has read before, and would not start again."
        return [Finding("configuration", PROBLEM, loaded.message, why, _CHECK)]
    found = [Finding("configuration", OK, f"{path} is a good configuration.")]
    if not loaded.mfa:
        why = "A password, or a key, is enough."
        mend = f"sudo ${{EDITOR:-vi}} {shlex.quote(str(path))}   # mfa = true"
        found.append(Finding("mfa", WARNING, "mfa is off: nobody is asked for a code.", why, mend))
    return found


def check_broker(status: Mapping[str, Any] | UnderstudyError, path: Path, mark: str) -> list[Finding]:
    """`status`: what the broker says of itself, or why it does not; `path`, `mark`: of the configuration that
    was looked at, as `load_marked` has it."""
    if isinstance(status, UnderstudyError):
        what = status.message or "The broker does not answer."
        return [Finding("broker", PROBLEM, what, "Who needs a code can't log in.", _START)]
    found = [_connected(status), _in_force(status, path, mark)]
    if status.get("bypass"):
        why = "Who logs in at the machine itself needs no code meanwhile."
        what = f"The local bypass is open for {status['bypass']} s more."
        found.append(Finding("bypass", WARNING, what, why, "understudy local-bypass --for 0s"))
    if status.get("unreported"):
        why = "They are told as soon as the device answers."
        what = f"{status['unreported']} reports wait for the device's audit log."
        found.append(Finding("unreported", HINT, what, why))
    return found


def _connected(status: Mapping[str, Any]) -> Finding:
    if status["connected"]:
        return Finding(
            "broker", OK, f"The broker runs, and has the device {status['device']} at {status['port']}."
        )
    what = f"The broker runs, and has no device ({status['status']}): {status['message']}"
    return Finding("broker", PROBLEM, what, "No code is checked by the device.", "understudy devices")


def _in_force(status: Mapping[str, Any], path: Path, mark: str) -> Finding:
    name = "configuration-in-force"
    if Path(status["configuration"]).resolve() != path.resolve():
        what = f"The broker runs on {status['configuration']}, not on {path}."
        return Finding(name, WARNING, what, "What was looked at here does not hold at a login.", _RESTART)
    if status.get("mark") != mark:
        age = status.get("loaded", status["uptime"])
        what = f"{path} was changed after the broker had read it, {age} s ago, and is not in force."
        return Finding(name, WARNING, what, "Only a reload, or a restart, takes it in.", _RELOAD)
    return Finding(name, OK, "The configuration is in force.")


def check_upstream(status: Mapping[str, Any] | None, configuration: Configuration) -> list[Finding]:
    """`status`: the broker's, None when none answers."""
    if configuration.upstream.kind is None:
        return [Finding("upstream", OK, "There is no 2FA server; the device decides alone.")]
    found = None if status is None else status.get("upstream")
    return [_server(found), *_silence(configuration)]


def _silence(configuration: Configuration) -> list[Finding]:
    most = configuration.upstream.max_silence
    if not most:
        return []
    what = f"After {most:g} s without the 2FA server the device may not decide alone (max_silence)."
    why = "From then on nobody gets in but emergency accounts, by recovery codes."
    return [Finding("max-silence", HINT, what, why, _REHEARSE)]


def _server(found: Mapping[str, Any] | None) -> Finding:
    if not found:
        why = "Only a broker that runs knows how the 2FA server is."
        return Finding("upstream", HINT, "How the 2FA server is, is not known.", why, _START)
    name = found["name"]
    if found["state"] == "down":
        what = f"The 2FA server {name} can't be reached ({found['reason']})."
        why = "Logins are decided by the device meanwhile."
        return Finding("upstream", WARNING, what, why, _REHEARSE)
    if found["state"] == "up":
        return Finding("upstream", OK, f"The 2FA server {name} answered {found['answered']} s ago.")
    why = "No login has asked it since the broker started."
    return Finding("upstream", HINT, f"The 2FA server {name} has not been asked yet.", why)


def check_certificate(host: str, days: float | str, verify: bool) -> Finding:
    """`days`: that the server's certificate is good for, or why that is not known."""
    name = "certificate"
    if isinstance(days, str):
        why = "The broker would not take its word: logins are decided by the device."
        severity = WARNING if verify else HINT
        return Finding(
            name, severity, f"The certificate of {host} can't be checked: {days}", why, _look(host)
        )
    what = f"The certificate of {host} is good for {days:.0f} days."
    if days < 0:
        what = f"The certificate of {host} ran out {-days:.0f} days ago."
    why = "From then on the server counts as unreachable."
    if days < _DAYS_NOW:
        return Finding(name, PROBLEM if verify else WARNING, what, why, _look(host))
    if days < _DAYS_SOON:
        return Finding(name, WARNING, what, why, _look(host))
    if not verify:
        why = "Whoever gets between it and this host can say yes to any code."
        mend = "sudo ${EDITOR:-vi} /etc/understudy/understudy.toml   # [upstream] verify = true"
        return Finding(name, WARNING, f"The certificate of {host} is not verified.", why, mend)
    return Finding(name, OK, what)


def _look(host: str) -> str:
    return f"openssl s_client -connect {host} </dev/null | openssl x509 -noout -dates -issuer"
