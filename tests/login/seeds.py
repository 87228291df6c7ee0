# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What the tests of the seeds' systems share: an admin's commands, a server that knows erin, the console."""

import json
import sys
from typing import Any

from tests.cli.support import SECRET, Done
from tests.cli.terminal import Pty
from tests.login.broker import ask
from tests.login.servers import PrivacyIdea
from tests.login.site import CONFIG, PASSWORD, SOCKET, Site

# A pseudo-terminal under the console's name, in the place of one that may have ended, and a program there.
_CONSOLE = """
umount --lazy /dev/tty1 2>/dev/null
touch /dev/tty1 && mount --bind "$(tty)" /dev/tty1 && exec "$@" <>/dev/tty1 >&0 2>&0
"""


def admin(at: Site, *words: str, stdin: str = "") -> Done:
    """`understudy` as root of the machine runs it: through the broker, if one has the port."""
    env = {**at.cli.env, "UNDERSTUDY_CONFIG": str(CONFIG)}
    return at.machine.run(sys.executable, "-m", "understudy", *words, env=env, stdin=stdin)


def administered(at: Site, *words: str) -> Done:
    """The same for a command that has to succeed."""
    done = admin(at, *words)
    assert done.code == 0, (words, done)
    return done


def broker_of(at: Site) -> Any:
    """What the broker says of itself; the device is left alone."""
    return json.loads("".join(ask(at.machine.path(SOCKET), "status").all("json")))


def events(at: Site) -> list[str]:
    """The names of the device's events."""
    return [str(one["event"]) for one in administered(at, "audit", "--json").json["events"]]


def add_erin(at: Site, server: PrivacyIdea) -> None:
    """With a password here, and on the device her secret at `server`. Before the broker is started."""
    at.machine.add_user("erin", PASSWORD)
    words = ("user", "add", "erin", "--kind", "hotp", "--counter", str(server.counter))
    at.cli.ok(*words, "--import-secret", "-", "--no-confirm", stdin=SECRET + "\n")


def asking(server: PrivacyIdea, certificate: str = "good", **more: str) -> str:
    """[upstream] with that server, at the port where it shows that certificate, and more keys of text."""
    ca_file = str(server.authority)
    keys = {"kind": "privacyidea", "url": server.https[certificate], "ca_file": ca_file, **more}
    lines = "".join(f'{name} = "{value}"\n' for name, value in keys.items())
    return f"[upstream]\n{lines}patience = 20\nretry = 0\n"


def at_the_console(at: Site, *words: str) -> Pty:
    """A program whose terminal is tty1, the console's first, for all that it can see."""
    return at.machine.terminal("sh", "-c", _CONSOLE, "sh", *words)
