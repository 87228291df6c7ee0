# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""PAM's stacks: can somebody get in without a code, with a code alone, or not at all?

Not by the look of the lines: each stack is worked through for every answer that its modules may give.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING, Finding, Host, names
from understudy.doctor.stacks import IGNORE, SUCCESS, Entry, Stack, Worked, flat, read_stack, services, work
from understudy_device.protocol import STATUSES

_WRONG = "auth_err"
_HELPERS = frozenset(
    "pam_env pam_faildelay pam_nologin pam_group pam_cap pam_keyinit pam_gnome_keyring pam_kwallet5 "
    "pam_mount pam_faillock pam_tally2 pam_securetty pam_shells pam_motd pam_lastlog pam_limits "
    "pam_selinux pam_mail pam_ecryptfs pam_warn pam_echo pam_tty_audit pam_loginuid pam_umask".split()
)
# They say yes or no of who or where somebody is, and are no factor.
_CONDITIONS = frozenset(
    "pam_rootok pam_succeed_if pam_listfile pam_access pam_wheel pam_localuser pam_time pam_exec "
    "pam_usertype".split()
)
# Services by which nobody comes in.
_NO_LOGINS = frozenset(
    "atd chfn chpasswd chsh cron crond newusers other passwd runuser runuser-l systemd-user".split()
)
_MOST_FACTORS = 10  # whose answers are tried in all combinations
# What pam_understudy says when no code was right, for whatever reason.
_REFUSALS = sorted({code.lower() for _, _, code in STATUSES.values()} - {SUCCESS, IGNORE}) + ["conv_err"]
_MODULE_PLACES = ("usr/lib/*/security", "lib/*/security", "usr/lib64/security", "usr/lib/security")
_STACKS = 'ls "$(understudy boards --etc)/pam"'


@dataclass(frozen=True)
class Case:
    """A stack worked through: what pam_understudy would say, whether a first factor was right."""

    ours: str
    worked: Worked

    @property
    def is_let_in(self) -> bool:
        """Whether it ends in success."""
        return self.worked.status == SUCCESS

    @property
    def is_asked(self) -> bool:
        """Whether pam_understudy is reached."""
        return any(entry.is_ours for entry, _ in self.worked.said)

    def has(self, wanted: bool, kind: str) -> bool:
        """Whether a module of `kind` (factor, condition) was reached and said yes, or no."""
        return any(kind_of(entry) == kind and (code == SUCCESS) == wanted for entry, code in self.worked.said)

    @property
    def has_factor_before(self) -> bool:
        """Whether a first factor was right before pam_understudy was reached."""
        for entry, code in self.worked.said:
            if entry.is_ours:
                return False
            if kind_of(entry) == "factor" and code == SUCCESS:
                return True
        return False


def kind_of(entry: Entry) -> str:
    """ours, factor, condition, helper, or fixed: says always the same."""
    if entry.is_ours:
        return "ours"
    if entry.module == "pam_exec" and any("SSH_AUTH_INFO" in one for one in entry.arguments):
        return "factor"  # sshd tells it by what it has let somebody in so far
    if entry.module in ("pam_permit", "pam_deny"):
        return "fixed"
    if entry.module in _CONDITIONS:
        return "condition"
    return "helper" if entry.module in _HELPERS else "factor"


def cases(stack: Stack) -> Iterator[Case]:
    """The stack worked through for everything that its modules may say."""
    free = [entry for entry in flat(stack) if kind_of(entry) in ("factor", "condition")][:_MOST_FACTORS]
    for said in itertools.product((SUCCESS, _WRONG), repeat=len(free)):
        answers = {id(entry): code for entry, code in zip(free, said, strict=True)}
        for ours in (SUCCESS, IGNORE, *_REFUSALS):
            yield Case(ours, work(stack, lambda entry, o=ours, a=answers: _said(entry, o, a)))  # type: ignore[misc]


def _said(entry: Entry, ours: str, answers: dict[int, str]) -> str:
    if entry.is_ours:
        return ours
    if entry.module in ("pam_permit", "pam_deny"):
        return SUCCESS if entry.module == "pam_permit" else _WRONG
    if entry.module == "pam_faillock" and "authsucc" in entry.arguments:
        return SUCCESS
    return answers.get(id(entry), IGNORE)


def covered_services(host: Host) -> list[str]:
    """The services whose logins pam_understudy is asked about."""
    return [
        name for name in services(host) if any(one.is_ours for one in flat(read_stack(host, name, "auth")))
    ]


def login_services(host: Host) -> list[str]:
    """Those of them by which somebody comes in."""
    return [name for name in covered_services(host) if name not in _NO_LOGINS]


def check_stacks(host: Host, ssh_demands_key: bool) -> list[Finding]:
    """All about PAM. `ssh_demands_key`: sshd itself wants another method before it asks PAM."""
    asking = covered_services(host)
    if not asking:
        why = "Whatever the configuration says, nobody is asked for a code."
        return [
            Finding(
                "pam",
                WARNING,
                "No PAM service reaches pam_understudy.",
                why,
                "sudo pam-auth-update --enable understudy",
            )
        ]
    if not any(True for place in _MODULE_PLACES for _ in host.root.glob(f"{place}/pam_understudy.so")):
        why = "PAM takes a module that is missing for a refusal."
        what = f"pam_understudy.so is not installed, and {names(asking)} ask for it."
        return [Finding("pam-module", PROBLEM, what, why, "sudo pam-auth-update --disable understudy")]
    found = [Finding("pam-module", OK, f"pam_understudy is asked at {names(asking)}.")]
    wrong: dict[tuple[str, str, str, str], list[str]] = {}
    for name in asking:
        for one in _stack(host, name, ssh_demands_key and name == "sshd"):
            wrong.setdefault((one.id, one.severity, one.what, one.why), []).append(name)
    for (kind, severity, what, why), where in wrong.items():
        found.append(Finding(kind, severity, f"{names(where)}: {what}", why, _STACKS))
    if not wrong:
        found.append(Finding("pam-order", OK, "No way leads round it in these stacks."))
    return found


def _stack(host: Host, name: str, has_factor: bool) -> list[Finding]:
    """What is wrong with one service's stack, without its name."""
    stack = read_stack(host, name, "auth")
    all_cases = list(cases(stack))
    found = [*_open(all_cases), *_alone(all_cases, stack, has_factor), *_shut(all_cases)]
    if not any(one.is_ours for one in flat(read_stack(host, name, "account"))):
        why = "Who is switched off on the device still gets in with a key, or by a service that asks no code."
        found.append(Finding("pam-account", WARNING, "there is no account line of pam_understudy.", why))
    return found


def _open(all_cases: list[Case]) -> Iterator[Finding]:
    """Ways in without a code."""
    why = "Somebody gets in without a code."
    refused = sorted(
        {one.ours for one in all_cases if one.is_let_in and one.is_asked and one.ours in _REFUSALS}
    )
    if refused:
        codes = "any refusal" if len(refused) == len(_REFUSALS) else f"PAM_{names(refused).upper()}"
        what = f"after {codes} of pam_understudy the stack still succeeds."
        yield Finding("pam-ignored", PROBLEM, what, why)
    round_it = [one for one in all_cases if one.is_let_in and not one.is_asked]
    by_factor = {_last(one) for one in round_it if not one.has(True, "condition")}
    if by_factor:
        what = f"{names(sorted(by_factor))} ends the stack before pam_understudy is reached."
        yield Finding("pam-order", PROBLEM, what, why)
    elif round_it:
        what = f"who fits {names(sorted({_last(one) for one in round_it}))} is not asked for a code."
        yield Finding("pam-exempt", HINT, what, "That may well be meant.")


def _last(case: Case) -> str:
    yes = [entry.module for entry, code in case.worked.said if code == SUCCESS and kind_of(entry) != "fixed"]
    return yes[-1] if yes else case.worked.said[-1][0].module


def _alone(all_cases: list[Case], stack: Stack, has_factor: bool) -> Iterator[Finding]:
    """Ways in with a code alone, and enrolment without a first factor."""
    if has_factor:
        return
    if any(
        one.is_let_in and one.ours == SUCCESS and one.is_asked and not one.has(True, "factor")
        for one in all_cases
    ):
        what = (
            "a code is enough: pam_understudy comes without, or before, a first factor that has to be right."
        )
        yield Finding("pam-alone", PROBLEM, what, "Whoever holds the phone gets in.")
    enrols = any(one.is_ours and "enrol" in one.arguments for one in flat(stack))
    if enrols and any(one.is_asked and not one.has_factor_before and one.ours == IGNORE for one in all_cases):
        what = "`enrol` is given, and pam_understudy is reached without a first factor that was right."
        yield Finding("pam-enrol", PROBLEM, what, "Whoever comes first under a name gets the new secret.")


def _shut(all_cases: list[Case]) -> Iterator[Finding]:
    """Who should get in, and can't."""
    entering = [one for one in all_cases if one.is_let_in]
    if not any(one.ours == SUCCESS for one in entering):
        yield Finding(
            "pam-shut", PROBLEM, "nobody gets in, not even with a right code.", "The stack refuses."
        )
    elif {one.ours for one in entering if one.is_asked and not one.has(False, "factor")} == {SUCCESS}:
        what = "who needs no code is refused: nothing else in the stack succeeds."
        yield Finding("pam-not-required", WARNING, what, "PAM takes silence for a refusal.")
