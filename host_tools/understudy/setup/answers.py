# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What `understudy setup` has to know: asked of a person, or read from a file of answers (TOML)."""

from dataclasses import dataclass
from pathlib import Path

from understudy.configuration import read, refusal
from understudy.configuration_kinds import LABEL, NAMES, SWITCH, choice, key, path, seconds
from understudy.configuration_parser import read_document
from understudy.setup.pam_lines import KEY, PASSWORD
from understudy_device.errors import ConfigError

NOW, AT_LOGIN, IMPORT = "now", "at-login", "import"


@dataclass(frozen=True)
class Answers:
    """The file's keys."""

    user: str | None = key(None, LABEL, "The first user, who logs in to confirm.", example="alice")
    login: str = key(PASSWORD, choice(PASSWORD, KEY), "What sshd asks for before the code.")
    ask_at: tuple[str, ...] = key(("sshd",), NAMES, "The PAM services that ask for a code.")
    everywhere: bool = key(
        False, SWITCH, "Whether all that has Debian's common-auth asks, by pam-auth-update."
    )
    enrol: str = key(
        NOW, choice(NOW, AT_LOGIN, IMPORT), "When the first user gets a secret; import: secret_file has it."
    )
    secret_file: Path | None = key(
        None, path(), "A base32 secret or an otpauth URI.", example="/root/alice.secret"
    )
    configuration: Path | None = key(
        None,
        path(),
        "The configuration; else one by which only the first user is asked.",
        example="/root/new.toml",
    )
    shut_out: bool = key(
        False,
        SWITCH,
        "Whether ssh may shut out who is asked for no code, and has no key that goes on working.",
    )
    name: str = key("", LABEL, "What the device shall call this host.")
    compare: bool = key(True, SWITCH, "Whether a person compares the pairing's digits.")
    confirm_within: float = key(
        300.0, seconds(1, 3600), "Seconds for the login that confirms, before all is taken back."
    )
    wait: bool = key(True, SWITCH, "Whether the command waits for that, or ends and lets another watch.")

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to look at digits, or at a phone."""
        return self.compare or self.enrol == NOW


def read_answers(file: Path) -> Answers:
    """The answers in a file. ConfigError, with all that is wrong."""
    values, findings = read_document(read(file, trusted=True), Answers)
    if findings:
        raise refusal(str(file), findings)
    answers = Answers(**values)
    if answers.enrol == IMPORT and answers.secret_file is None:
        raise ConfigError(f"{file}: enrol is import, and there is no secret_file.")
    return answers
