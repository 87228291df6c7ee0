# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Debian package under a systemd that really runs: the broker as its own user, with all that its unit
forbids it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from tests.cli.support import INTERVAL, SECRET, Done, code, hotp, wait_for
from tests.deb import built, made
from tests.login.debian import Debian

PORT = "socket://127.0.0.1:7250"  # the machine has a network of its own
AT_PORT = ("understudy", "--port", PORT)
UNITS = ("understudyd.socket", "understudyd.service", "understudy-device.service")
# As long as it takes: nothing here depends on how fast the machine is.
STACK = "auth required pam_understudy.so timeout=60\naccount required pam_permit.so\n"
CONFIGURATION = f'[device]\nport = "{PORT}"\n[login]\ndeadline = 60\n'


@pytest.fixture
def debian(root: None, tmp_path: Path) -> Iterator[Debian]:
    """A running machine with the package."""
    with Debian(tmp_path / "debian", boot=True) as debian:
        debian.ok("dpkg", "--install", debian.copy(made()))
        yield debian


@pytest.fixture
def beside(debian: Debian) -> Debian:
    """The same; it is its own device, too."""
    debian.write("/etc/default/understudy-device", f"LINK={PORT}\nCLOCK=host\n")
    debian.ok("systemctl", "start", "understudy-device")
    wait_for(lambda: debian.run(*AT_PORT, "status").code != 50)  # no-device
    return debian


@pytest.fixture
def at(beside: Debian) -> Debian:
    """The same with a broker, and a device that knows alice (TOTP) and bob (HOTP)."""
    debian = beside
    debian.ok(*AT_PORT, "claim", "--yes")
    for words in (("alice", "--interval", str(INTERVAL)), ("bob", "--kind", "hotp")):
        add = ("user", "add", *words, "--import-secret", "-", "--no-confirm")
        debian.ok(*AT_PORT, *add, stdin=SECRET + "\n")
    # From here on as the README has it.
    debian.ok(*AT_PORT, "pair", "--new-identity", "/root/verifier.json", "--role", "verifier", "--yes")
    key = ("/root/verifier.json", "/var/lib/understudy/identity.json")
    debian.ok("install", "-D", "-o", "understudy", "-g", "understudy", "-m600", *key)
    debian.write("/root/new.toml", CONFIGURATION)
    debian.ok("understudy", "config", "apply", "/root/new.toml")
    debian.ok("systemctl", "enable", "--now", "understudyd.socket", "understudyd")
    debian.write("/etc/pam.d/probe", STACK)
    return debian


def login(at: Debian, answer: str, user: str = "alice") -> Done:
    return at.run("pamtester", "probe", user, "authenticate", stdin=f"{answer}\n")


def let_in(done: Done) -> bool:
    return done.code == 0 and "successfully authenticated" in done.out


def shown(at: Debian, unit: str, name: str) -> str:
    return at.ok("systemctl", "show", "--value", "--property", name, unit).out.strip()


def test_installing_it_starts_nothing(debian: Debian) -> None:
    for unit in UNITS:
        assert debian.run("systemctl", "is-active", unit).out == "inactive\n"
        assert debian.run("systemctl", "is-enabled", unit).out == "disabled\n"


def test_the_broker_answers_logins_as_its_own_user(at: Debian) -> None:
    for unit, user in (("understudyd", "understudy"), ("understudy-device", "understudy-device")):
        process = at.path(f"/proc/{shown(at, unit, 'MainPID')}/status")
        status = dict(line.split(":\t", 1) for line in process.read_text().splitlines())
        assert status["Uid"].split() == [at.ok("id", "-u", user).out.strip()] * 4
        assert (int(status["CapBnd"], 16), status["NoNewPrivs"], status["Seccomp"]) == (0, "1", "2")

    once = code()
    assert let_in(login(at, once))
    assert not let_in(login(at, once))
    assert not let_in(login(at, "000000"))
    assert json.loads(at.ok("understudy", "status", "--json").out)["broker"]["device"]
    journal = at.ok("journalctl", "--unit=understudyd", "--output=cat").out
    assert all(f"verdict={verdict}" in journal for verdict in ("accepted", "replayed", "rejected"))

    # Another configuration is read at once, and when systemd says so.
    at.write("/root/new.toml", f'{CONFIGURATION}text = "Digits, please: "\n')
    at.ok("understudy", "config", "apply", "/root/new.toml")
    wait_for(lambda: "Digits, please: " in login(at, "no code").err)
    at.ok("systemctl", "reload", "understudyd")

    # Killed, it comes back.
    at.ok("systemctl", "kill", "--signal=KILL", "understudyd")
    wait_for(lambda: shown(at, "understudyd", "NRestarts") == "1")
    assert let_in(login(at, hotp(0), "bob"))


def test_an_upgrade_turns_nobody_away(at: Debian, tmp_path: Path) -> None:
    newer = at.copy(built(tmp_path, "--version", "99.0"))
    socket, process = shown(at, "understudyd.socket", "InvocationID"), shown(at, "understudyd", "MainPID")
    done: list[Done] = []
    enough = Event()

    def keep_logging_in() -> None:
        while not enough.is_set():
            done.append(login(at, hotp(len(done)), "bob"))

    with ThreadPoolExecutor() as beside:
        logins = beside.submit(keep_logging_in)
        try:
            wait_for(lambda: len(done) > 2 or logins.done())
            at.ok("dpkg", "--install", newer)
            before = len(done)
            wait_for(lambda: len(done) > before + 2 or logins.done())
        finally:
            enough.set()
        logins.result()
    assert all(map(let_in, done)), [one for one in done if not let_in(one)]
    assert shown(at, "understudyd", "MainPID") != process  # the new version
    assert shown(at, "understudyd.socket", "InvocationID") == socket


def set_up(beside: Debian) -> str:
    """`understudy setup` for alice at sshd; the stack that asks, as it was before."""
    beside.add_user("alice")
    shipped = beside.path("/etc/pam.d/sshd").read_text()
    beside.write("/root/secret", SECRET + "\n", mode=0o600)
    beside.write("/root/site.toml", f'{CONFIGURATION}[cover]\nusers = ["alice"]\n')
    answers = (
        'user = "alice"\nenrol = "import"\nsecret_file = "/root/secret"\ncompare = false\n'
        'configuration = "/root/site.toml"\nconfirm_within = 3600\nwait = false\n'
    )
    beside.write("/root/answers.toml", answers)
    beside.ok(*AT_PORT, "setup", "--answers", "/root/answers.toml")
    return shipped


def test_removing_it_takes_a_set_up_out_of_pam(beside: Debian) -> None:
    shipped = set_up(beside)
    asks = beside.path("/etc/pam.d/sshd").read_text()
    assert asks != shipped and "pam_understudy.so" in asks
    assert beside.run("systemctl", "is-active", "understudyd").out == "active\n"
    beside.ok("dpkg", "--purge", "understudy")
    assert beside.path("/etc/pam.d/sshd").read_text() == shipped
    assert not beside.path("/var/lib/understudy-setup").exists()
    assert beside.run("systemctl", "is-system-running").out == "running\n"


def test_what_is_asked_by_hand_keeps_the_broker_of_a_set_up(beside: Debian) -> None:
    set_up(beside)
    asks = beside.path("/etc/pam.d/sshd").read_text()
    beside.write("/etc/pam.d/probe", STACK)
    refused = beside.run("dpkg", "--remove", "understudy")
    assert "/etc/pam.d/probe" in refused.err and "/etc/pam.d/sshd" not in refused.err
    assert beside.path("/etc/pam.d/sshd").read_text() == asks
    assert let_in(login(beside, code(interval=30)))


def test_it_is_stopped_when_it_is_out_of_pam_and_no_sooner(at: Debian) -> None:
    assert "/etc/pam.d/probe" in at.run("dpkg", "--remove", "understudy").err
    assert let_in(login(at, code()))
    at.path("/etc/pam.d/probe").unlink()
    at.ok("dpkg", "--purge", "understudy")
    assert at.run("pgrep", "-u", "understudy,understudy-device").out == ""
    for path in ("/run/understudy/broker.sock", "/var/lib/understudy", "/etc/understudy"):
        assert not at.path(path).exists()
    for folder in ("sockets.target.wants", "multi-user.target.wants"):
        assert not list(at.path(f"/etc/systemd/system/{folder}").glob("understudy*"))
    assert at.run("systemctl", "is-system-running").out == "running\n"
