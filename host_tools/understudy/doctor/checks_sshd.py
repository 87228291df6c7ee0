# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""sshd: does a login by ssh come by PAM, and is there a way round it. sshd_config(5), as `sshd -T` has it."""

from collections.abc import Iterator, Mapping, Sequence

from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING, Finding, Host, names

SSHD = "/usr/sbin/sshd"
_KBDINT = "keyboard-interactive"
_DROP_IN = 'ls "$(understudy boards --etc)/ssh"   # drop-ins for /etc/ssh/sshd_config.d'
_MATCH = "grep -rn -A9 -i ^Match /etc/ssh/sshd_config /etc/ssh/sshd_config.d"
Settings = Mapping[str, str]
# A user, the address that he comes from, "" for any, and what holds then, or why that can't be told.
OfUsers = Sequence[tuple[str, str, Settings | str]]


def read_settings(host: Host, connection: str = "") -> Settings | str | None:
    """sshd's settings in force, by lower-case name; why they can't be told; None when there is no sshd.

    `connection`: of whom, as `sshd -C` takes it; without it, Match blocks are left out.
    """
    if not host.path(SSHD).exists():
        return None
    ran = host.run([str(host.path(SSHD)), "-T", *(("-C", connection) if connection else ())])
    if ran is None or ran.code != 0:
        lines = (ran.err if ran is not None else "").strip().splitlines()
        return lines[-1] if lines else "it does not say"
    pairs = (line.partition(" ") for line in ran.out.splitlines())
    return {name.lower(): value.strip() for name, _, value in pairs}


def demands_key(settings: Settings | str | None, of_users: OfUsers = ()) -> bool:
    """Whether every way in that asks PAM has another method before it, for whomever."""
    several = [one for one in (settings, *(own for _, _, own in of_users)) if isinstance(one, Mapping)]
    ways = [way.split(",") for one in several for way in _ways(one)]
    asking = [way for way in ways if any(method.startswith(_KBDINT) for method in way)]
    return bool(asking) and all(not way[0].startswith((_KBDINT, "any")) for way in asking)


def check_sshd(settings: Settings | str | None, asks_module: bool, of_users: OfUsers = ()) -> list[Finding]:
    """`asks_module`: whether sshd's PAM stack reaches pam_understudy; `of_users`: what holds for covered
    users, where that may differ."""
    if settings is None:
        return [Finding("sshd", OK, "There is no sshd.")]
    if isinstance(settings, str):
        why = "`sshd -T` takes root, and a configuration without errors."
        return [
            Finding("sshd", HINT, f"sshd's settings can't be told: {settings}", why, "sudo understudy doctor")
        ]
    if not asks_module:
        why = "A login by ssh needs no code."
        return [Finding("sshd", WARNING, "sshd's PAM stack does not reach pam_understudy.", why, _DROP_IN)]
    found = _wrong(settings)
    found += _of_users(found, of_users)
    return found or [Finding("sshd", OK, "sshd asks PAM, and no way leads round it.")]


def _wrong(settings: Settings) -> list[Finding]:
    return [*(one for one in (_pam(settings), _kbdint(settings)) if one is not None), *_around(settings)]


def _of_users(usual: Sequence[Finding], of_users: OfUsers) -> Iterator[Finding]:
    """What is wrong for some covered users, and not for everybody: a finding for each kind."""
    known = {one.what for one in usual}
    wrong: dict[str, dict[Finding, list[str]]] = {}
    for user, address, settings in of_users:
        for one in [_untold(settings)] if isinstance(settings, str) else _wrong(settings):
            whose = wrong.setdefault(one.id, {}).setdefault(one, [])
            if one.what not in known and user not in whose:
                whose.append(f"{user} from {address}" if address else user)
    for kind, several in wrong.items():
        met = [(one, whose) for one, whose in several.items() if whose]
        if met:
            what = " ".join(f"For {names(whose)}, covered: {one.what}" for one, whose in met)
            # A way round may be meant for some addresses, but not for who is to be asked everywhere.
            everywhere = any(" from " not in one for _, whose in met for one in whose)
            severity, why = met[0][0].severity, met[0][0].why
            if kind == "sshd-methods" and everywhere:
                severity, why = PROBLEM, "If that is meant, name them in except_users of [cover]."
            yield Finding(f"{kind}-match", severity, what, why, _MATCH)


def _untold(why: str) -> Finding:
    what = f"sshd's settings can't be told ({why})."
    return Finding("sshd", HINT, what, "A Match block may lead round the code.")


def _pam(settings: Settings) -> Finding | None:
    if settings.get("usepam") == "yes":
        return None
    why = "sshd checks passwords itself, and never asks for a code."
    return Finding("sshd-pam", PROBLEM, "sshd has UsePAM no.", why, _DROP_IN)


def _kbdint(settings: Settings) -> Finding | None:
    if settings.get("kbdinteractiveauthentication") == "yes":
        return None
    why = "It is the one method by which sshd can ask for a code."
    return Finding("sshd-kbdint", PROBLEM, "sshd has KbdInteractiveAuthentication no.", why, _DROP_IN)


def _ways(settings: Settings) -> list[str]:
    """The lists of AuthenticationMethods; without any, each method that is on is a way of its own."""
    ways = settings.get("authenticationmethods", "any").split()
    if ways not in ([], ["any"]):
        return ways
    methods = {
        "publickey": "pubkeyauthentication",
        "password": "passwordauthentication",
        _KBDINT: "kbdinteractiveauthentication",
        "gssapi-with-mic": "gssapiauthentication",
        "hostbased": "hostbasedauthentication",
    }
    return [method for method, name in methods.items() if settings.get(name) == "yes"]


def _around(settings: Settings) -> list[Finding]:
    """Ways in that PAM's conversation is no part of."""
    found = []
    ways = [way.split(",") for way in _ways(settings)]
    short = [way for way in ways if not any(method.startswith(_KBDINT) for method in way)]
    bare = sorted({",".join(way) for way in short if "password" not in way})
    if bare:
        what = f"sshd lets in by {' or '.join(bare)} alone (AuthenticationMethods)."
        why = "That asks for no code. It may be meant, for a backup's key; then put it into a Match block."
        found.append(Finding("sshd-methods", WARNING, what, why, _DROP_IN))
    if any("password" in way for way in ways) and settings.get("passwordauthentication") == "yes":
        what = "sshd has PasswordAuthentication yes, and a way in that uses it."
        why = "It has room for one answer: the password is sent as the code, too, and nobody gets in by it."
        found.append(Finding("sshd-password", WARNING, what, why, _DROP_IN))
    if settings.get("usepam") == "yes" and short == ways:
        what = "No list of AuthenticationMethods has keyboard-interactive in it."
        why = "Nobody is asked for a code, or nobody who is gets in."
        found.append(Finding("sshd-unasked", PROBLEM, what, why, _DROP_IN))
    return found
