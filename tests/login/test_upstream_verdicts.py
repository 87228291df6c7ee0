# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Each way in which a real 2FA server answers, or fails to, at a whole login: the verdict, who gave it, by
the deadline, and what was logged."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.support import SECONDS, SECRET, code, wait_for
from tests.login.broker import Broker, Provisioned
from tests.login.fakes import http, web_server
from tests.login.servers import FreeRadius, PrivacyIdea, Server
from tests.login.upstreams import SHORT

NOWHERE = "nowhere.invalid"  # RFC 6761: no name server knows it
DEADLINE = 60.0  # seconds, of a login
LONG = 20.0  # seconds, for a server that answers
GOOD = b'{"result": {"status": true, "value": true, "authentication": "ACCEPT"}}'
Told = tuple[str, str, str]


def by_device(reason: str) -> Told:
    """A login that the device decides, as the server can't be reached."""
    return "accepted", "device", f"state=down reason={reason}"


class Logins:
    """A broker whose device knows erin, who has the same entry at the server."""

    def __init__(self, broker: Broker, server: Server) -> None:
        self.broker, self.server = broker, server

    def ask(self, patience: float = LONG, **keys: Any) -> None:
        """Have an upstream with these keys asked, of which nothing is known yet."""
        lines = [f"login.deadline = {DEADLINE}", "[upstream]", f"patience = {patience}", "retry = 0"]
        lines += [f"{name} = {_spelt(value)}" for name, value in keys.items()]
        self.broker.reload("mfa = false\n")  # so that the next one is another
        self.broker.reload("\n".join([*lines, ""]))

    def told(self, typed: str, user: str = "erin") -> Told:
        """The verdict on a code, who gave it, and what was logged of the server meanwhile."""
        seen = len(self.broker.log.read_text())
        reply = self.broker.login(user, typed)
        log = self.broker.log.read_text()[seen:]
        (found,) = re.findall(rf"^login user={user} .*verdict=(\S+) by=(\S+) ms=(\d+)", log, re.MULTILINE)
        assert reply.word == found[0] and int(found[2]) <= DEADLINE * 1000 and typed not in log
        states = re.findall(r"^upstream (state=.*)$", log, re.MULTILINE)
        return found[0], found[1], " ".join(states)

    def right(self) -> Told:
        """A right code of erin's, at the server and the device."""
        return self.told(self.server.fresh())

    def killed(self) -> Told:
        """The same with a server that is killed while it works on it."""
        before, found = len(self.server.asked), []
        asking = threading.Thread(target=lambda: found.append(self.right()))
        with self.server.busy():
            asking.start()
            wait_for(lambda: len(self.server.asked) > before)
            self.server.kill()
            asking.join()
        return found[0]

    def up_hanging_killed_away_and_up(self, killed: str, **keys: Any) -> None:
        """What the two kinds have in common; `killed`: why one that is killed says nothing."""
        self.ask(**keys)
        assert self.right() == ("accepted", "server", "")  # nothing has changed, so nobody is paged
        assert self.told("000000") == ("rejected", "server", "")
        with self.server.busy():
            self.ask(SHORT, **keys)
            assert self.right() == by_device("timeout")
        with self.server.frozen():
            self.ask(SHORT, **keys)
            assert self.right() == by_device("timeout")
            assert self.told("000000") == ("rejected", "device", "")
        self.ask(**keys)
        assert self.killed() == by_device(killed)
        self.ask(**keys)
        assert self.right() == by_device("refused")
        self.server.start()
        assert self.right() == ("accepted", "server", "state=up")


def _spelt(value: object) -> str:
    """As TOML has it; it takes what JSON has."""
    return json.dumps(str(value) if isinstance(value, Path) else value)


@contextmanager
def logins(kept: Provisioned, folder: Path, server: Server) -> Iterator[Logins]:
    """Logins at a device of their own."""
    with kept.device(folder / "host") as cli:
        words = ("user", "add", "erin", "--kind", "hotp", "--counter", str(server.counter))
        cli.ok(*words, "--import-secret", "-", "--no-confirm", stdin=SECRET + "\n")
        broker = Broker(cli, str(cli.folder / "port"))
        broker.start()
        try:
            yield Logins(broker, server)
        finally:
            broker.stop()


@contextmanager
def scripted(*pieces: bytes, pause: float) -> Iterator[str]:
    """The address of a web server that answers so: no real one can be made to."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving = web_server(*pieces, pause=pause)
    try:
        yield asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(SECONDS).url
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def babbling() -> Iterator[str]:
    """The address of a UDP server that answers each request with nonsense."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as served:
        served.bind(("127.0.0.1", 0))
        host, port = served.getsockname()

        def babble() -> None:
            while (asked := served.recvfrom(4096))[0] != b"over":
                served.sendto(b"\xff" * 40, asked[1])

        talking = threading.Thread(target=babble)
        talking.start()
        try:
            yield f"{host}:{port}"
        finally:
            served.sendto(b"over", (host, port))
            talking.join()


def test_privacyidea_at_a_whole_login(kept: Provisioned, privacyidea: PrivacyIdea, tmp_path: Path) -> None:
    kind = {"kind": "privacyidea", "ca_file": privacyidea.authority}
    good = {**kind, "url": privacyidea.https["good"]}
    with logins(kept, tmp_path, privacyidea) as at:
        at.up_hanging_killed_away_and_up("network", kind="privacyidea", url=privacyidea.url, verify=False)
        for certificate in ("expired", "wrong-name", "self-signed"):
            at.ask(url=privacyidea.https[certificate], **kind)
            assert at.right() == by_device("tls")
        at.ask(url=f"https://{NOWHERE}", **kind)
        assert at.right() == by_device("dns")
        wrong = tmp_path / "key"
        wrong.write_text(privacyidea.api_key.read_text().strip()[:-4] + "AAAA")
        wrong.chmod(0o600)
        at.ask(key_file=wrong, **good)
        assert at.told(code(), "carol") == by_device("secret")
        for pieces, pause, reason in (
            ((http("500 Internal Server Error", GOOD),), 0.0, "status"),
            ((b"\xff" * 2000 + b"\r\n\r\n",), 0.0, "malformed"),
            ((b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), 0.05, "timeout"),  # a slow drip
        ):
            with scripted(*pieces, pause=pause) as url:
                at.ask(SHORT if pause else LONG, kind="privacyidea", url=url, verify=False)
                assert at.right() == by_device(reason)
        at.ask(**good)
        assert at.right() == ("accepted", "server", "")


def test_freeradius_at_a_whole_login(kept: Provisioned, tmp_path: Path) -> None:
    with FreeRadius(tmp_path / "radius") as server, logins(kept, tmp_path, server) as at:
        kind = {"kind": "radius", "key_file": server.secret_file}
        good = {**kind, "servers": [server.address]}
        at.up_hanging_killed_away_and_up("refused", **good)
        at.ask(servers=[f"{NOWHERE}:1812"], **kind)
        assert at.right() == by_device("dns")
        wrong = tmp_path / "wrong"
        wrong.write_text("another secret\n")
        wrong.chmod(0o600)
        at.ask(SHORT, **{**good, "key_file": wrong})
        assert at.right() == by_device("timeout")
        with babbling() as address:
            at.ask(SHORT, servers=[address], **kind)
            assert at.right() == by_device("secret")  # what it says can't be told from a wrong secret's
        at.ask(**good)
        assert at.right() == ("accepted", "server", "")
