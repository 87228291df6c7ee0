# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a set-up is going to write, worked out before anything is written, and the machine as it will be."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from understudy.doctor.findings import Host
from understudy.doctor.stacks import flat, read_stack
from understudy.paths import etc_dir
from understudy.setup.answers import Answers
from understudy.setup.changes import ASIDE, OURS_OUT
from understudy.setup.others import DROP_IN, Others, exception
from understudy.setup.pam_lines import PASSWORD, with_lines
from understudy_device.errors import ConfigError, UnderstudyError

SSHD = "sshd"
_DROP_IN = Path(DROP_IN)
_NOBODY = Others([], [], [], [])
_INCLUDE = f"{_DROP_IN.parent}/*.conf"
_INCLUDES = frozenset((_INCLUDE, "sshd_config.d/*.conf"))
_TWINS = {"sudo": ("sudo-i",), "su": ("su-l",), "runuser": ("runuser-l",)}
_SSHD_CONFIG = Path("/etc/ssh/sshd_config")
_PROFILE = "usr/share/pam-configs/understudy"
_PAM_STATE = "var/lib/pam"
_UPDATE_SECONDS = 60.0
_DEBCONF = """\
Config: configdb
Templates: templatedb

Name: configdb
Driver: File
Filename: {folder}/config.dat

Name: templatedb
Driver: File
Filename: {folder}/templates.dat
"""


@dataclass(frozen=True)
class Written:
    """A file to be written: what becomes of it when it is taken back and somebody has changed it since."""

    path: Path
    text: str
    if_edited: str


@dataclass(frozen=True)
class Staged(Host):
    """The machine as it will be once `written` is."""

    written: Mapping[str, str] = field(default_factory=dict)

    def text(self, absolute: str | Path) -> str | None:
        """What will be in a file of the machine."""
        planned = self.written.get(str(absolute))
        return super().text(absolute) if planned is None else planned


def plan(host: Host, answers: Answers, kept: Others = _NOBODY) -> list[Written]:
    """All files to be written to have codes asked for, in their order. `kept`: whom sshd still lets in
    without a code. ConfigError when it can't be."""
    if answers.everywhere:
        if answers.login != PASSWORD:
            raise ConfigError("everywhere goes with the password: common-auth asks for that.")
        files = _profile(host)
    elif not answers.ask_at:
        raise ConfigError("ask_at names no service that is to ask for a code.")
    else:
        files = [_service(host, name, answers) for name in _with_twins(host, answers.ask_at)]
    if answers.everywhere or SSHD in answers.ask_at:
        files.append(_drop_in(host, answers, kept))
    return files


def staged(host: Host, files: list[Written]) -> Staged:
    """The machine as it will be."""
    return Staged(host.root, host.proc, host.run, {str(one.path): one.text for one in files})


def _service(host: Host, name: str, answers: Answers) -> Written:
    path = Path("/etc/pam.d") / name
    text = _text(host.path(path)) if "/" not in name else None
    if text is None:
        raise ConfigError(f"There is no PAM service {name}: no file {path}.")
    _check_unasked(host, name)
    way = answers.login if name == SSHD else PASSWORD
    return Written(path, with_lines(text, way, str(path)), OURS_OUT)


def _text(path: Path) -> str | None:
    """A file's text, whose bytes come out again as they were."""
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None


def _check_unasked(host: Host, name: str) -> None:
    """ConfigError when a stack asks already, by whatever it includes."""
    if any(entry.is_ours for kind in ("auth", "account") for entry in flat(read_stack(host, name, kind))):
        raise ConfigError(
            f"{name} asks pam_understudy already, not by `understudy setup`: take that out first, for "
            "common-auth by `pam-auth-update --disable understudy`."
        )


def _with_twins(host: Host, names: Iterable[str]) -> list[str]:
    """With `sudo -i` for sudo, and so on, where these have a stack of their own."""
    found = [[name, *(twin for twin in _TWINS.get(name, ()) if _is_own(host, twin))] for name in names]
    return list(dict.fromkeys(name for several in found for name in several))


def _is_own(host: Host, name: str) -> bool:
    return "common-auth" in (host.text(f"/etc/pam.d/{name}") or "")


def _drop_in(host: Host, answers: Answers, kept: Others) -> Written:
    config = host.text(_SSHD_CONFIG)
    if config is None:
        raise ConfigError(f"There is no {_SSHD_CONFIG}: is the SSH server installed?")
    lines = (line.replace('"', " ").split() for line in config.splitlines())
    included = [words[1:] for words in lines if words and words[0].lower() == "include"]
    if not any(_INCLUDES.intersection(words) for words in included):
        raise ConfigError(f"{_SSHD_CONFIG} takes no drop-ins; add, as its first line: Include {_INCLUDE}")
    text = (etc_dir() / "ssh" / f"understudy-{answers.login}.conf").read_text()
    return Written(_DROP_IN, text + exception(kept, answers.login), ASIDE)


def _profile(host: Host) -> list[Written]:
    """What pam-auth-update would write, which is asked in a copy of all that it reads and writes."""
    _check_unasked(host, "common-auth")
    with tempfile.TemporaryDirectory(prefix="understudy-") as name:
        folder = Path(name)
        for part in ("etc/pam.d", _PAM_STATE, "usr/share/pam-configs"):
            shutil.copytree(host.path(part), folder / part, symlinks=True)
        shipped = (etc_dir() / "pam-configs/understudy").read_text()
        (folder / _PROFILE).write_text(shipped)
        (folder / "debconf.conf").write_text(_DEBCONF.format(folder=folder))
        _update(folder)
        found = [
            _difference(host, folder, one)
            for part in ("etc/pam.d", _PAM_STATE)
            for one in sorted((folder / part).iterdir())
        ]
    profile = [] if host.path(_PROFILE).exists() else [Written(Path("/") / _PROFILE, shipped, ASIDE)]
    files = [one for one in found if one is not None]
    if not any("pam_understudy" in one.text for one in files):
        raise ConfigError(
            "pam-auth-update(8) leaves /etc/pam.d/common-* alone, as they were changed by hand."
        )
    return [*profile, *files]


def _difference(host: Host, folder: Path, made: Path) -> Written | None:
    path = Path("/") / made.relative_to(folder)
    if not made.is_file():
        return None
    text = made.read_bytes().decode(errors="surrogateescape")
    return None if _text(host.path(path)) == text else Written(path, text, OURS_OUT)


def _update(folder: Path) -> None:
    words = ["pam-auth-update", "--root", str(folder), "--package", "--enable", "understudy"]
    env = {
        **os.environ,
        "DEBIAN_FRONTEND": "noninteractive",
        "DEBCONF_SYSTEMRC": str(folder / "debconf.conf"),
    }
    try:
        ran = subprocess.run(
            words, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_UPDATE_SECONDS
        )
    except FileNotFoundError as error:
        raise ConfigError("There is no pam-auth-update here; name the services in ask_at.") from error
    except subprocess.TimeoutExpired as error:
        raise UnderstudyError("pam-auth-update does not end.") from error
    if ran.returncode != 0:
        raise UnderstudyError(f"pam-auth-update failed: {ran.stderr.strip()}")
