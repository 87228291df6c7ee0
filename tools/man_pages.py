# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The man pages, made from what they are about: the commands with their help, the configuration's keys, the
protocol's statuses, the device process's own text."""

from collections.abc import Iterator
from typing import Any

import typer

import pam_statuses
from buildlib.roff import Page, bold, plain
from understudy import device_process
from understudy.cli.entry import app
from understudy.cli.options import COMMON
from understudy.configuration import USUAL, Configuration
from understudy.configuration_kinds import Key, keys, tables
from understudy.configuration_parser import SERVICE, per_service
from understudy.configuration_text import spelled
from understudy.statuses import OTHER_EXITS
from understudy_device.protocol import STATUSES

_ENVIRONMENT = {
    "UNDERSTUDY_PORT": "The device's port, unless `--port` says it.",
    "UNDERSTUDY_IDENTITY": "This host's key file, unless `--identity` says it.",
    "UNDERSTUDY_CONFIG": f"The configuration to read in the place of {USUAL}.",
    "UNDERSTUDY_MICROPYTHON": "The MicroPython interpreter that a simulated device may run under.",
}
_FILES = {
    str(USUAL): "The configuration: understudy.toml(5).",
    "~/.config/understudy/identity.json": "This user's host key. Keep it as you keep an SSH key.",
    str(Configuration().device.identity): "The broker's host key.",
    "/run/understudy/broker.sock": "Where the broker answers.",
}
_PURGE = """
Removing the package takes it out of PAM first, by `understudy setup --undo` and `pam-auth-update`, and
stops when some file in /etc/pam.d still names the module: without it nobody could log in there.

Purging the package removes the configuration, too, and the broker's host key in /var/lib/understudy: the
device no longer knows this host then. It can be unsealed and asked by its other paired hosts only; with
none of them left it has to be erased and all users enrolled anew. Where this machine is a device itself,
/var/lib/understudy-device goes as well, with the secrets of all its users. The system's users understudy
and understudy-device stay, so that nobody gets their numbers and what may still belong to them.
"""
_BROKER = """
It is `understudy serve` under a name of its own. systemd starts it as the user understudy, by
understudyd.socket and understudyd.service; `systemctl reload understudyd` sends SIGHUP.
"""
_DEVICE = """
`systemctl enable --now understudy-device` switches it on; its unit says what goes into
/etc/default/understudy-device.
"""
_MODULE = """
Asks the broker, understudyd(8), whether a code is asked for, and whether it is right. It has neither a key
nor a policy. It is for auth, and for account, where it asks whether the user may log in at this date.

Tested PAM stacks and drop-ins for sshd lie in /usr/share/doc/understudy/examples.
"""
_TOML = f"""
{USUAL} is a TOML file. A key that is left out keeps its default; one that is not known is an error.
`understudy config default` prints a file with every key, `understudy config check FILE` looks at one,
`understudy config apply FILE` checks and saves it.
"""
_PER_SERVICE = f"""
What holds at one PAM service only, under its name in /etc/pam.d; it goes before what stands above.
Takes any of: {", ".join(f"`{one}`" for one in per_service(Configuration))}.
"""
# conf.c has the module's arguments.
_ARGUMENTS = {
    "enrol": "Who gets here has shown a first factor: a user who was invited or reset enrols here, with a "
    "QR code in the terminal.",
    "timeout=SECONDS": "How long the broker may take: 1 to 60, by default 15.",
    "socket=PATH": "The broker's socket. By default /run/understudy/broker.sock.",
    "debug": "Say more to syslog.",
}


class Pages:
    """Makes the pages of one version."""

    def __init__(self, version: str, date: str) -> None:
        """`date`: YYYY-MM-DD, the day of the sources."""
        self._version = version
        self._date = date
        self._root: Any = typer.main.get_command(app)

    def all(self) -> dict[str, str]:
        """The pages' sources by file name."""
        return {
            "understudy.1": self.command(),
            "understudyd.8": self.daemon(),
            "understudy-device.8": self.device(),
            "pam_understudy.8": self.module(),
            "understudy.toml.5": self.configuration(),
        }

    def command(self) -> str:
        """understudy(1)."""
        page = self._page("understudy", 1, "two-factor codes that work when the network does not")
        page.section("synopsis")
        page.roff(f"{bold('understudy')} [\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...")
        page.section("description")
        page.say(self._root.help)
        page.section("options")
        page.say("Every command takes these, before or after its name:")
        _options(page, [one for one in self._root.params if one.name in COMMON])
        page.say("And by itself:")
        _options(page, [one for one in self._root.params if one.name not in COMMON])
        page.item(f"{bold('--help')}, {bold('-h')}", "Show a command's help.")
        page.section("commands")
        for words, one in _leaves("understudy", self._root):
            _command(page, words, one)
        page.section("exit status")
        _exit_codes(page)
        page.section("environment")
        for name, meaning in _ENVIRONMENT.items():
            page.item(bold(name), meaning)
        page.section("files")
        for name, meaning in _FILES.items():
            page.item(f"\\fI{plain(name)}\\fR", meaning)
        page.see_also("understudy.toml(5)", "pam_understudy(8)", "understudyd(8)", "understudy-device(8)")
        return page.text()

    def daemon(self) -> str:
        """understudyd(8)."""
        serve = self._root.commands["serve"]
        page = self._page("understudyd", 8, "the broker that asks an Understudy device for logins")
        page.section("synopsis")
        page.roff(f"{bold('understudyd')} [\\fIOPTION\\fR]...")
        page.section("description")
        page.say(serve.help)
        page.say(_BROKER)
        page.section("options")
        _options(page, serve.params)
        page.section("the package")
        page.say("Installing it starts nothing and switches nothing on; `understudy setup` does.")
        page.say(_PURGE)
        page.section("files")
        for name, meaning in list(_FILES.items())[:1] + list(_FILES.items())[2:]:
            page.item(f"\\fI{plain(name)}\\fR", meaning)
        page.see_also("understudy(1)", "understudy.toml(5)", "pam_understudy(8)", "systemctl(1)")
        return page.text()

    def device(self) -> str:
        """understudy-device(8)."""
        title, usage = str(device_process.__doc__).split("\n\n")
        page = self._page("understudy-device", 8, "a machine that is an Understudy device itself")
        page.section("synopsis")
        page.roff(f"{bold('understudy-device')} [\\fIOPTION VALUE\\fR]...")
        page.section("description")
        page.say(title.replace("host_tools/etc/", ""))
        page.say(_DEVICE)
        page.section("options")
        page.say(usage.replace("firmware/ports/linux.py", "the firmware's linux port"))
        page.see_also("understudy(1)", "systemctl(1)")
        return page.text()

    def module(self) -> str:
        """pam_understudy(8)."""
        page = self._page("pam_understudy", 8, "PAM module for codes that an Understudy device checks")
        page.section("synopsis")
        page.roff(f"{bold('pam_understudy.so')} [\\fIARGUMENT\\fR]...")
        page.section("description")
        page.say(_MODULE)
        page.section("arguments")
        page.say("One that it does not know refuses every login.")
        for name, meaning in _ARGUMENTS.items():
            page.item(bold(name), meaning)
        page.section("return values")
        for status, (_, text, _) in STATUSES.items():
            if pam_statuses.code_of(status) != pam_statuses.COMMON:
                page.item(bold(f"PAM_{pam_statuses.code_of(status)}"), f"`{status}`: {text}")
        page.item(bold(f"PAM_{pam_statuses.COMMON}"), "There is no verdict; why is shown.")
        page.see_also(
            "understudyd(8)", "understudy(1)", "understudy.toml(5)", "pam-auth-update(8)", "pam.d(5)"
        )
        return page.text()

    def configuration(self) -> str:
        """understudy.toml(5)."""
        page = self._page("understudy.toml", 5, "the configuration of Understudy's broker and of logins")
        page.section("description")
        page.say(_TOML)
        page.section("keys")
        for one in keys(Configuration).values():
            _key(page, one)
        for name, (of, meaning) in tables(Configuration).items():
            page.section(f"[{name}]")
            page.say(meaning)
            for one in keys(of).values():
                _key(page, one)
        page.section(f"[{SERVICE}.NAME]")
        page.say(_PER_SERVICE)
        page.see_also("understudy(1)", "understudyd(8)", "pam_understudy(8)")
        return page.text()

    def _page(self, name: str, section: int, brief: str) -> Page:
        return Page(name, section, brief, date=self._date, version=self._version)


def _leaves(words: str, one: Any) -> Iterator[tuple[str, Any]]:
    """Every command below `one` by its words; a group that does something by itself, too."""
    for name, inner in one.commands.items():
        if not hasattr(inner, "commands") or inner.epilog:
            yield f"{words} {name}", inner
        if hasattr(inner, "commands"):
            yield from _leaves(f"{words} {name}", inner)


def _command(page: Page, words: str, one: Any) -> None:
    own = [param for param in one.params if param.name not in COMMON and not param.hidden]
    arguments = [str(param.metavar) for param in own if param.param_type_name == "argument"]
    options = [param for param in own if param.param_type_name == "option"]
    usage = [bold(words), *(f"\\fI{plain(each)}\\fR" for each in arguments)]
    page.subsection(" ".join(usage))
    page.say(one.help)
    for param in own:
        if param.param_type_name == "argument" and param.help:
            page.item(f"\\fI{plain(str(param.metavar))}\\fR", param.help)
    _options(page, options)
    examples = [line for line in str(one.epilog).splitlines()[1:] if line.strip()]
    if examples:
        page.example(examples)


def _options(page: Page, params: list[Any]) -> None:
    for one in params:
        value = f" \\fI{plain(one.metavar)}\\fR" if one.metavar else ""
        names = ", ".join(bold(name) for name in [*one.opts, *one.secondary_opts])
        page.item(names + value, one.help or "")


def _exit_codes(page: Page) -> None:
    codes = {**{name: row[:2] for name, row in STATUSES.items()}, **OTHER_EXITS}
    for name, (code, text) in sorted(codes.items(), key=lambda one: (int(one[1][0]), one[0])):
        page.item(bold(str(code)), f"`{name}`: {text}")


def _key(page: Page, one: Key) -> None:
    default = "none" if one.default is None else f"`{spelled(one.default)}`"
    service = f" Also in [{SERVICE}.NAME]." if one.per_service else ""
    page.item(bold(one.name), f"{one.meaning} Takes {one.kind.words}. Default: {default}.{service}")
