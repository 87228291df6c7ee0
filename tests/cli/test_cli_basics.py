# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What every command has in common: help, JSON, pipes, signals, exit codes of the shell's kind."""

import json
import os
import signal
import subprocess
import sys

import pytest
from tests.cli.support import SECONDS, Cli
from tests.cli.terminal import Terminal, without_colours

from understudy_device.protocol import STATUSES

COMMANDS = (
    ("simulate",),
    ("boards",),
    ("install",),
    ("factory-reset",),
    ("devices",),
    ("claim",),
    ("pair",),
    ("unpair",),
    ("hosts",),
    ("status",),
    ("user", "add"),
    ("user", "list"),
    ("user", "show"),
    ("user", "remove"),
    ("user", "enable"),
    ("user", "disable"),
    ("user", "dates"),
    ("user", "resync"),
    ("user", "recovery"),
    ("user", "bypass"),
    ("user", "reset"),
    ("credential", "list"),
    ("credential", "show"),
    ("credential", "enable"),
    ("credential", "disable"),
    ("credential", "remove"),
    ("group", "list"),
    ("group", "show"),
    ("group", "add"),
    ("group", "remove"),
    ("audit",),
    ("audit", "verify"),
    ("settings",),
    ("settings", "show"),
    ("settings", "set"),
    ("clock",),
    ("clock", "show"),
    ("clock", "set"),
    ("verify",),
    ("exit-codes",),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_examples_and_the_common_options(cli: Cli, command: tuple[str, ...]) -> None:
    done = cli.ok(*command, "--help")
    assert "Examples:" in done.out
    assert "understudy " + " ".join(command) in done.out.split("Examples:")[1]
    for option in ("--port", "--identity", "--json", "--debug"):
        assert option in done.out
    assert "\x1b" not in done.out


def test_exit_codes_lists_every_status_once(cli: Cli) -> None:
    codes = {one["name"]: one["code"] for one in cli.json("exit-codes")["exit_codes"]}
    assert {name: codes[name] for name in STATUSES} == {name: one[0] for name, one in STATUSES.items()}
    wrong = [code for code in codes.values() if list(codes.values()).count(code) > 1 and code != 0]
    assert not wrong


def test_version(cli: Cli) -> None:
    assert cli.ok("--version").out.startswith("understudy ")
    assert cli.json("--version")["protocol"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("verify",),
        ("user", "add", "alice", "--digits", "six"),
        ("user", "add", "alice"),  # no terminal to show the code on
        ("pair",),
        ("pair", "--open", "--join"),
        ("clock", "set"),
        ("clock", "set", "--time", "yesterday"),
        ("clock", "set", "--time", "2026-05-04T12:00:00"),  # in which zone?
        ("settings", "set"),
        ("user", "dates", "alice"),
        ("user", "dates", "alice", "--until", "tomorrow"),
        ("user", "dates", "alice", "--from", "2026-02-30"),
        ("user", "dates", "alice", "--from", "2026-05-05", "--until", "2026-05-04"),
        ("user", "bypass", "alice"),
        ("user", "bypass", "alice", "--for", "15"),
        ("group", "add", "staff"),
        ("audit", "--since", "once"),
        ("audit", "--count", "3", "verify"),
        ("simulate", "--board", "toaster"),
        ("simulate", "--clock", "noon"),
        ("simulate", "--clock", "ntp:"),
        ("simulate", "--clock", "ntp:a:b"),
        ("simulate", "--clock", "ntp:a,"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_exit_2_and_one_line(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("understudy: ") and done.err.count("\n") == 1 and "--help" in done.err
    said = cli(*words, "--json")
    assert said.code == 2 and said.json["status"] == "usage" and said.json["message"]


def test_json_and_a_uri_that_would_come_too_late(cli: Cli) -> None:
    done = cli("user", "add", "alice", "--show-uri", "--json")
    assert (done.code, done.json["status"]) == (2, "usage")


def test_options_count_before_the_verb_too(cli: Cli, device: str) -> None:
    assert cli.ok("--json", "--port", device, "status").json["state"] == "open"
    assert cli.ok("settings", "--json", "show").json["digits"] == 6
    assert cli.ok("settings", "--json").json["digits"] == 6


def test_ctrl_c_while_a_code_is_awaited(cli: Cli) -> None:
    with Terminal(cli, "verify", "alice") as terminal:
        terminal.read_until("Code for alice: ")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.wait() == 130
        assert without_colours(terminal.text) == "Code for alice: \nunderstudy: stopped\n"


def test_a_reader_that_leaves(cli: Cli) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = cli.start("exit-codes", stdout=writing)
        _, err = process.communicate(timeout=SECONDS)
    finally:
        os.close(writing)
    assert (process.returncode, err) == (141, "")


def test_an_unexpected_exception_is_one_line_and_a_traceback_only_with_debug(cli: Cli) -> None:
    script = (
        "import sys; from understudy.cli import entry, status\n"
        "def fail(*_): raise RuntimeError('JBSWY3DPEHPK3PXP')\n"
        "status.client = fail\n"
        "sys.exit(entry.main(sys.argv[1:]))\n"
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, "status", *words]
        return subprocess.run(
            command, env=cli.env, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    done = run()
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr == "understudy: something went wrong inside (RuntimeError); --debug shows where\n"
    assert json.loads(run("--json").stdout)["status"] == "internal"
    assert "Traceback" in run("--debug").stderr
