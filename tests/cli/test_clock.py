# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The clock by the command line: told by a verifier's host, regained from codes."""

import time
from pathlib import Path

from tests.cli.support import INTERVAL, Cli, code

DAY = 86400


def verifier(cli: Cli) -> Path:
    """A further identity, of a verifier."""
    identity = cli.folder / "verifier.json"
    cli.ok("pair", "--new-identity", str(identity), "--name", "web", "--yes")
    return identity


def test_the_offset_against_this_host(cli: Cli, device: str) -> None:
    shown = cli.json("clock", "--port", device)
    assert abs(shown["offset"]["seconds"]) <= shown["offset"]["uncertainty"]
    cli.ok("clock", "set", "--time", str(int(time.time()) + 500))
    shown = cli.json("clock")
    assert abs(shown["offset"]["seconds"] - 500) <= shown["error"] + shown["offset"]["uncertainty"]
    assert "the device is " in cli.ok("clock").out and " ahead, +-" in cli.ok("clock").out


def test_after_a_power_cut_a_verifier_brings_the_time(cli: Cli) -> None:
    with cli.simulator():
        cli.ok("claim", "--yes")
        identity = ("--identity", str(verifier(cli)))
        cli.add("alice")
        cli.ok("clock", "set", "--from-host")
    with cli.simulator("--clock", "unset"):
        assert cli("verify", "alice", code(), *identity).code == 13
        told = cli.json("clock", "set", "--from-host", *identity)
        assert (told["state"], told["source"]) == ("synced", "host")
        assert cli("verify", "alice", code(), *identity).code == 0
        assert cli("clock", "set", "--time", "5", *identity).code == 20
        assert "clock-told" in cli.ok("audit").out


def test_a_verifier_whose_host_is_wrong_is_refused(cli: Cli) -> None:
    with cli.simulator("--clock", str(int(time.time()) - 3600)):
        cli.ok("claim", "--yes")
        refused = cli("clock", "set", "--from-host", "--identity", str(verifier(cli)))
        assert refused.code == 29
        assert "an admin may set it" in refused.err
    with cli.simulator("--clock", "unset"):
        cli.ok("clock", "set", "--time", str(int(time.time()) - 500 * DAY))
    with cli.simulator("--clock", "unset"):
        refused = cli("clock", "set", "--from-host", "--identity", str(cli.folder / "verifier.json"))
        assert refused.code == 29
        assert "400 days" in refused.err


def test_regained_from_two_codes(cli: Cli) -> None:
    floor = 1_900_000_080
    at = floor + 2 * DAY
    with cli.simulator("--clock", "unset"):
        cli.ok("claim", "--yes")
        cli.add("alice")
        cli.ok("clock", "set", "--time", str(floor))
    with cli.simulator("--clock", "unset"):
        assert cli("verify", "alice", code(now=at)).code == 13
        assert cli("clock", "regain", "alice", code(now=at), code(2, now=at), "--range", "3d").code == 10
        assert cli("clock", "regain", "alice", "1", "2").code == 17
        typed = (code(now=at), code(1, now=at))
        regained = cli.json("clock", "regain", "alice", *typed, "--range", "3d")
        assert (regained["source"], regained["error"]) == ("codes", INTERVAL)
        assert abs(regained["time"] - at - INTERVAL) <= INTERVAL
        assert [cli("verify", "alice", one).code for one in typed] == [11, 11]
        assert cli("verify", "alice", code(2, now=at)).code == 0
        assert "clock-regained" in cli.ok("audit").out
    with cli.simulator("--clock", "unset"):
        near = ("--near", str(at + DAY), "--range", "1h")
        again = cli.ok("clock", "regain", "alice", code(now=at + DAY), code(1, now=at + DAY), *near)
        assert "source codes" in again.out
