# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The broker as its clients meet it: verdicts, who may ask, repeated and bad questions, the configuration."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.support import SECONDS, code, first_line, wait_for
from tests.login.broker import Broker, ask, raw

from understudy.broker.messages import MAX_REQUEST, pack, unpack
from understudy.broker.server import peer_of
from understudy.statuses import text_for
from understudy_device.protocol import STATUSES

NOBODY = 65534
ROOT = Path(__file__).resolve().parents[2]


def test_the_verdicts(broker: Broker) -> None:
    asked = broker.login("alice")
    assert (asked.word, asked["prompt"], asked["echo"], asked["stage"]) == ("prompt", "Code: ", "off", "code")
    right = code()
    assert broker.login("alice", right).word == "accepted"
    replayed = broker.login("alice", right)
    assert (replayed.word, replayed["error"]) == ("replayed", text_for("replayed"))
    assert broker.login("alice", "no code").word == "malformed"
    assert broker.login("nobody").word == "unknown-user"
    assert broker.login("nobody", "123456").word == "unknown-user"
    for _ in range(5):
        assert broker.login("bob", "000000").word == "rejected"
    locked = broker.login("bob", code())
    assert locked.word == "throttled" and 0 < int(locked["seconds"]) <= 30
    assert locked["error"] == f"Too many wrong codes; try again in {locked['seconds']} s."
    assert broker.login("bob").word == "throttled"  # and no code is asked for in vain
    assert broker.login("carol", code()).word == "accepted"


def test_states_that_an_admin_sets(broker: Broker) -> None:
    cli = broker.cli
    cli.ok("user", "disable", "alice")
    cli.ok("user", "dates", "bob", "--until", "2001-01-01")
    cli.ok("user", "reset", "carol", "--yes")
    assert [broker.login(name).word for name in ("alice", "bob", "carol")] == [
        "disabled",
        "expired",
        "pending",
    ]
    account = [
        broker.ask("account", user=name, service="test").word for name in ("alice", "bob", "carol", "dave")
    ]
    assert account == ["disabled", "expired", "accepted", "accepted"]
    assert broker.ask("account", user="nobody", service="test").word == "accepted"


def test_who_is_asked(broker: Broker) -> None:
    def word(user: str, service: str = "test") -> str:
        return broker.ask("login", user=user, service=service).word

    broker.reload('[cover]\nusers = ["alice", "SITE\\\\bob"]\nexcept_users = ["bob"]\n')
    assert [word("alice"), word("bob"), word("carol")] == ["prompt", "not-required", "not-required"]
    assert [word("SITE\\bob"), word("site\\bob")] == ["unknown-user", "not-required"]
    # In no group that the system knows: it can't tell, so a code is asked for.
    broker.reload('[cover]\ngroups = ["staff"]\n')
    assert word("alice") == "prompt"
    broker.reload('[cover]\ngroups = ["root"]\n')
    assert [word("root"), word("daemon")] == ["unknown-user", "not-required"]
    broker.reload(
        "[login]\nnullok = true\n[service.sudo]\nnullok = false\nmfa = true\n[service.cron]\nmfa = false\n"
    )
    assert [word("nobody"), word("nobody", "sudo"), word("alice", "cron")] == [
        "not-required",
        "unknown-user",
        "not-required",
    ]
    broker.reload("mfa = false\n")
    assert [word("alice"), word("nobody")] == ["not-required", "not-required"]


def test_texts_are_the_configurations(broker: Broker) -> None:
    broker.reload('[login]\ntext = "Zahl? "\necho = true\n[service.sudo]\ntext = "Once more: "\n')
    asked = broker.login("alice")
    assert (asked["prompt"], asked["echo"]) == ("Zahl? ", "on")
    assert broker.login("alice", service="sudo")["prompt"] == "Once more: "


def test_a_broken_configuration_changes_nothing(broker: Broker) -> None:
    broker.configure("mfa = false\nmfaa = true\n")
    assert broker.process is not None
    broker.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "not-reloaded" in broker.log.read_text())
    assert "mfaa" in broker.log.read_text()
    assert broker.login("alice").word == "prompt"
    broker.reload("mfa = false\n")
    assert broker.login("alice").word == "not-required"


# Asked again.


def test_the_same_question_gets_the_same_verdict_and_uses_nothing_twice(broker: Broker) -> None:
    right, number = code(), "0" * 31 + "1"
    assert broker.login("alice", right, id=number).word == "accepted"
    assert broker.login("alice", right, id=number).word == "accepted"
    broker.stop(signal.SIGKILL)
    broker.start()
    assert broker.login("alice", right, id=number).word == "accepted"
    assert broker.login("alice", right).word == "replayed"
    assert broker.login("alice", "000000", id=number).word == "bad-request"


def test_a_wrong_code_asked_again_is_one_guess(broker: Broker) -> None:
    for number in range(5):
        for _ in range(3):
            assert broker.login("alice", "000000", id=f"{number:032x}").word == "rejected"
    assert broker.login("alice", "000000").word == "throttled"


# Who asks.


def open_up(broker: Broker) -> None:
    """Let other users reach the socket, as in /run."""
    for folder in (broker.folder, *broker.folder.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)


def test_a_user_may_ask_for_himself_only(broker: Broker, tmp_path: Path) -> None:
    """By a process of another user; the kernel says whose it is."""
    open_up(broker)
    program = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "s.sendall(sys.stdin.buffer.read())\n"
        "sys.stdout.buffer.write(s.makefile('rb').read())\n"
    )

    def word(user: str, **fields: str) -> str:
        pairs = {"id": os.urandom(16).hex(), "user": user, "service": "test", "within": "20000", **fields}
        done = subprocess.run(
            ["/usr/bin/python3", "-I", "-c", program, str(broker.socket)],
            input=pack("login", pairs.items()),
            capture_output=True,
            user=NOBODY,
            group=NOBODY,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return unpack(done.stdout, 16384)[0]

    right, number = code(), "ab" * 16
    assert broker.login("alice", right, id=number).word == "accepted"
    assert word("alice") == "denied"
    assert word("alice", stage="code", answer=right, id=number) == "denied"
    assert word("nobody") == "unknown-user"
    broker.cli.ok("user", "add", "nobody", "--at-login")
    assert word("nobody", enrol="yes") == "pending"  # only root can vouch for a first factor
    assert word("nobody", enrol="yes", stage="enrol", answer="123456") == "bad-request"


# What is no question.


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\n\n", "the first line"),
        (b"understudy/2 status\n\n", "version 1"),
        (b"understudy/1 fetch\n\n", "no request fetch"),
        (b"understudy/1 status\nuser alice\n\n", "no field user"),
        (b"understudy/1 login\nuser alice\nservice s\nwithin 5\n\n", "id: missing"),
        (b"understudy/1 login\nid 12\nuser alice\nservice s\nwithin 5\n\n", "id: 32"),
        (b"understudy/1 login\nid " + b"a" * 32 + b"\nuser alice\nservice s\nwithin 60001\n\n", "within"),
        (b"understudy/1 login\nid " + b"a" * 32 + b"\nuser alice\nservice s\nwithin -1\n\n", "within"),
        (b"understudy/1 login\nid " + b"a" * 32 + b"\nuser a\nuser b\nservice s\nwithin 9\n\n", "twice"),
        (
            b"understudy/1 login\nid " + b"a" * 32 + b"\nuser a\nservice s\nwithin 9\nstage code\n\n",
            "together",
        ),
        (b"understudy/1 login\nid " + b"a" * 32 + b"\nuser a\nservice s\nwithin 0600001\n\n", "within"),
        (
            b"understudy/1 login\nid " + b"a" * 32 + b"\nuser a\nservice s\nwithin " + b"0" * 400 + b"\n\n",
            "within",
        ),
        (b"understudy/1 bypass\nseconds 0864001234\n\n", "seconds"),
        (b"understudy/1 login\nuser a\tb\n\n", "control"),
        (b"understudy/1 login\nuser \xff\n\n", "UTF-8"),
        (b"understudy/1 login\nuser\n\n", "a line is"),
        (b"understudy/1 login\nuser alice", "ends with an empty line"),
        (b"understudy/1 login\nuser " + b"a" * MAX_REQUEST + b"\n\n", "over 4096"),
    ],
)
def test_what_is_no_question_is_refused_with_the_reason(broker: Broker, data: bytes, reason: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(broker.socket))
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        word, fields = unpack(connection.makefile("rb").read(), 16384)
    assert word == "bad-request" and reason in dict(fields)["error"]
    assert broker.login("alice", code()).word == "accepted"


def test_every_status_can_be_told(broker: Broker) -> None:
    """No text of the table breaks a reply."""
    for status, (_, text, _) in STATUSES.items():
        assert unpack(pack(status, [("error", text)]), 16384) == (status, [("error", text)])


# The socket.


def test_one_broker_a_socket_and_a_dead_ones_is_taken_over(broker: Broker) -> None:
    second = broker.cli("serve", "--config", str(broker.file))
    assert second.code == 51 and "Another broker" in second.err
    assert broker.login("alice").word == "prompt"
    broker.stop(signal.SIGKILL)
    assert broker.socket.exists()
    broker.start()
    assert broker.login("alice").word == "prompt"
    broker.stop()
    assert not broker.socket.exists()


def test_systemd_hands_the_socket_over(broker: Broker) -> None:
    """The first login starts it, and the socket outlives it."""
    broker.stop()
    path = broker.folder / "handed.sock"
    words = ["systemd-socket-activate", "--listen", str(path), sys.executable, "-m", "understudy", "serve"]
    with broker.log.open("ab") as log:
        process = subprocess.Popen(
            [*words, "--config", str(broker.file)], env=broker.cli.env, stderr=log, stdout=log
        )
    try:
        wait_for(lambda: f"Listening on {path}" in broker.log.read_text())
        assert ask(path, "login", user="alice", service="test").word == "prompt"
        assert (
            ask(path, "login", user="alice", service="test", stage="code", answer=code()).word == "accepted"
        )
    finally:
        process.terminate()
        process.wait(SECONDS)
    assert path.exists() and not broker.socket.exists()


def test_who_listens_on_a_socket_that_was_handed_over_stays_who_it_was(broker: Broker) -> None:
    """The PAM module believes an answer by whom the kernel names: he who called listen() last."""
    broker.stop()
    path = broker.folder / "handed.sock"
    command = (
        f"export LISTEN_PID=$$ LISTEN_FDS=1; exec {sys.executable} -m understudy serve --config {broker.file}"
    )
    with socket.socket(socket.AF_UNIX) as listening, broker.log.open("ab") as log:
        listening.bind(str(path))
        listening.listen()
        process = subprocess.Popen(
            ["bash", "-c", f"exec 3<&{listening.fileno()}; {command}"],
            env=broker.cli.env,
            pass_fds=(listening.fileno(),),
            stdout=log,
            stderr=log,
        )
    try:
        assert ask(path, "login", user="alice", service="test").word == "prompt"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            assert peer_of(connection).pid == os.getpid() != process.pid
    finally:
        process.terminate()
        process.wait(SECONDS)


def test_no_user_can_keep_roots_logins_out(broker: Broker) -> None:
    """By holding as many connections as he can get."""
    open_up(broker)
    broker.reload("", clients=16)
    program = (
        "import socket, sys\n"
        "held = [socket.socket(socket.AF_UNIX) for _ in range(60)]\n"
        "[one.connect(sys.argv[1]) for one in held]\n"
        "print('held', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        ["/usr/bin/python3", "-I", "-c", program, str(broker.socket)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        user=NOBODY,
        group=NOBODY,
    )
    try:
        assert first_line(process) == "held"
        assert [broker.login("alice").word for _ in range(3)] == ["prompt"] * 3
    finally:
        process.communicate("")


def test_an_upstream_that_can_not_be_asked_changes_nothing_either(broker: Broker) -> None:
    broker.configure('mfa = false\n[upstream]\nkind = "radius"\nservers = ["a"]\nkey_file = "/nowhere"\n')
    assert broker.process is not None
    broker.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "not-reloaded" in broker.log.read_text())
    assert broker.login("alice").word == "prompt" and broker.status()["upstream"] is None


def test_the_log_names_who_and_what_and_no_code(broker: Broker) -> None:
    right = code()
    broker.login("alice", right, tty="pts/7", rhost="192.0.2.9")
    broker.login("alice", "918273", rhost='x" verdict=accepted')
    wait_for(lambda: broker.log.read_text().count(" ms=") == 2)
    log = broker.log.read_text()
    assert (
        "login user=alice service=test tty=pts/7 rhost=192.0.2.9 uid=0 verdict=accepted by=device ms=" in log
    )
    assert 'rhost="x\\" verdict=accepted" uid=0 verdict=rejected' in log
    assert right not in log and "918273" not in log


def test_it_says_how_it_is(broker: Broker) -> None:
    wait_for(lambda: broker.status()["connected"])
    found = broker.status()
    assert found["connected"] is True and found["port"] == broker.port and found["mfa"] is True
    device = broker.cli.json("status", "--port", broker.port)["device"]
    assert found["device"] == device


def test_too_many_at_once_are_told_so(broker: Broker) -> None:
    broker.reload("", clients=4)
    held = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    try:
        for one in held:
            one.connect(str(broker.socket))
        wait_for(lambda: b"busy" in raw(broker.socket, pack("status", [])))
    finally:
        for one in held:
            one.close()
    wait_for(lambda: b" ok" in raw(broker.socket, pack("status", [])))
