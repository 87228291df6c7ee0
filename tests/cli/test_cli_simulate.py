# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The simulator as a process, and the demo."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.support import SECONDS, Cli, code, first_line, wait_for

from understudy.statuses import exit_code

ROOT = Path(__file__).resolve().parents[2]


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_device(cli: Cli, number: int) -> None:
    process = cli.start("simulate", "--json", "--link", "port", stdin=subprocess.DEVNULL)
    port = json.loads(first_line(process))["port"]
    assert port == "port" and (cli.folder / "port").is_symlink()
    (child,) = children(process.pid)
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (0, "") and "Traceback" not in err
    assert not Path(f"/proc/{child}").exists()
    assert not (cli.folder / "port").is_symlink()
    assert cli.json("devices")["devices"] == []


def test_a_killed_simulator_takes_its_device_along_and_loses_nothing(cli: Cli) -> None:
    process = cli.start("simulate", stdin=subprocess.DEVNULL)
    first_line(process)
    cli.ok("claim", "--yes")
    cli.add("alice")
    cli.ok("verify", "alice", code())
    (child,) = children(process.pid)
    process.kill()
    process.communicate(timeout=SECONDS)
    wait_for(lambda: not Path(f"/proc/{child}").exists())
    assert cli.json("devices")["devices"] == []  # its note is ignored
    with cli.simulator():
        assert cli("verify", "alice", code()).out.startswith(("replayed", "accepted"))
        assert cli.json("status")["users"] == 1


def test_one_simulator_a_state(cli: Cli) -> None:
    with cli.simulator("--state", "here"):
        done = cli("simulate", "--state", "here")
        assert done.code == 51 and "here" in done.err
        with cli.simulator("--state", "there"):
            assert len(cli.json("devices")["devices"]) == 2


def test_a_device_that_stops_ends_it(cli: Cli) -> None:
    process = cli.start("simulate", stdin=subprocess.DEVNULL)
    first_line(process)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 70 and "has stopped" in err


def test_the_state_is_private(cli: Cli) -> None:
    with cli.simulator():
        folder = cli.folder / "state/understudy/simulator/linux"
        assert folder.stat().st_mode & 0o077 == 0


def test_the_same_device_under_micropython(cli: Cli) -> None:
    subprocess.run(["make", "-s", "-C", str(ROOT), "interpreter"], check=True, timeout=1200)
    with cli.simulator("--interpreter", "micropython"):
        cli.ok("claim", "--yes")
        cli.ok("clock", "set", "--from-host")
        cli.add("alice")
        assert cli.ok("verify", "alice", code()).out.startswith("accepted")


def test_the_demo(cli: Cli) -> None:
    command = [sys.executable, "-m", "tests.demo"]
    done = subprocess.run(
        command, env=cli.env, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for verdict in ("accepted", "replayed", "rejected", "clock-unset"):
        assert f"\n{verdict}: " in done.stdout


def test_a_live_simulators_name_is_not_taken(cli: Cli, new_device: str) -> None:
    link = cli.folder / "port"
    with cli.simulator("--state", "first", "--link", str(link)):
        target = link.readlink()
        second = cli("simulate", "--state", "second", "--link", "port")
        assert second.code == exit_code("port-busy") and str(link.name) in second.err
        assert link.readlink() == target


@pytest.mark.parametrize("words", [("--link", "plain"), ("--state", "plain"), ("--state", "/proc/x")])
def test_paths_that_can_not_be_are_wrong_usage(cli: Cli, words: tuple[str, str]) -> None:
    (cli.folder / "plain").write_text("")
    done = cli("simulate", *words)
    assert done.code == 2 and "--state or --link" in done.err
    assert (cli.folder / "plain").read_text() == ""


def test_options_of_the_other_board_are_refused(cli: Cli) -> None:
    for words in (("--clock", "unset"), ("--interpreter", "micropython")):
        assert cli("simulate", "--board", "rpi_pico", *words).code == 2
    assert cli("simulate", "--board", "linux", "--free").code == 2
