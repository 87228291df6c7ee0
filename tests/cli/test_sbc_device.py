# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A Raspberry Pi as the device: the process that its systemd unit starts, over a tty and over TCP; the files
for /etc. (test_cli_link runs over these links, too.)"""

import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli import service as unit_service
from tests.cli.service import Cable, Service, command, served, unit
from tests.cli.support import Cli, code, wait_for

from understudy.paths import etc_dir

RUNNING = tuple[Service, str, Cable | None]


@pytest.fixture(params=["pty", "socket"])
def running(cli: Cli, request: pytest.FixtureRequest) -> Iterator[RUNNING]:
    """The service, claimed, with a user."""
    with served(cli.folder / "device", request.param) as (service, port, cable):
        cli.env["UNDERSTUDY_PORT"] = port
        cli.ok("claim", "--yes")
        cli.add("alice")
        yield service, port, cable


def test_claim_add_verify(cli: Cli, running: RUNNING) -> None:
    typed = code()
    assert cli.ok("verify", "alice", typed).out.startswith("accepted")
    assert cli("verify", "alice", typed).out.startswith("replayed")
    status = cli.json("status")
    assert (status["board"], status["locked"], status["users"]) == ("raspberry_pi", True, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_is_restarted_and_has_forgotten_nothing(cli: Cli, running: RUNNING, number: int) -> None:
    service, _, _ = running
    typed = code()
    cli.ok("verify", "alice", typed)
    service.restart(number)
    assert cli.json("devices")["devices"][0]["state"] == "sealed"
    assert cli("verify", "alice", typed).out.startswith("replayed")
    assert cli.ok("verify", "alice", code(1)).out.startswith("accepted")


def test_a_factory_reset_starts_it_anew(cli: Cli, running: RUNNING) -> None:
    service, _, _ = running
    old = cli.json("status")["device"]
    cli.ok("factory-reset", "--yes")
    assert service.process is not None and service.process.wait(60) == 0  # systemd's Restart=always follows
    service.start()
    (device,) = cli.json("devices")["devices"]
    assert device["state"] == "unclaimed" and device["device"] != old


def test_a_line_of_garbage_and_half_a_frame(cli: Cli, running: RUNNING) -> None:
    _, port, _ = running
    if port.startswith("socket://"):
        host, number = port[9:].split(":")
        with socket.create_connection((host, int(number)), 10) as client:
            client.sendall(b"AT+GCAP\r\n\x00\xff half of")
    else:
        with open(port, "wb", 0) as file:
            file.write(b"AT+GCAP\r\n\x00\xff half of")
    assert cli.ok("verify", "alice", code()).out.startswith("accepted")


def test_one_tcp_client_at_a_time(cli: Cli) -> None:
    with served(cli.folder / "device", "socket") as (_, port, _cable):
        cli.env["UNDERSTUDY_PORT"] = port
        host, number = port[9:].split(":")
        with socket.create_connection((host, int(number)), 10) as first:
            first.sendall(b"\n")
            second = cli.start("claim", "--yes")
            with pytest.raises(subprocess.TimeoutExpired):
                second.communicate(timeout=2)  # it waits for its turn
        out, err = second.communicate(timeout=60)
        assert second.returncode == 0, out + err


def test_a_tty_that_goes_away_and_comes_back(cli: Cli) -> None:
    with served(cli.folder / "device", "pty") as (service, port, cable):
        assert cable is not None
        cli.env["UNDERSTUDY_PORT"] = port
        cli.ok("claim", "--yes")
        cable.unplug()
        wait_for(lambda: service.said("waiting for it"))
        cable.plug()
        wait_for(lambda: service.log.read_text().count(": open") == 2)
        assert cli.json("status")["state"] == "open"  # the same process: nobody had to unseal it


def test_a_tty_that_is_not_there_yet(cli: Cli) -> None:
    folder = cli.folder / "device"
    folder.mkdir()
    service = Service(folder, str(folder / "serial0"))
    service.start()
    cable = None
    try:
        wait_for(lambda: service.said("waiting for it"))
        cable = Cable(folder / "serial0")
        cable.start()
        wait_for(lambda: service.said(": open"))
        assert cli.json("devices", "--port", cable.host)["devices"][0]["state"] == "unclaimed"
    finally:
        service.stop()
        if cable is not None:
            cable.end()


def test_the_command_line_is_checked(cli: Cli) -> None:
    words = command(LINK="stdio", STATE_DIRECTORY="/tmp", BOARD="rpi_pico")
    for wrong in (words, [words[0], "--flash"], [words[0], "flash", "x"]):
        done = subprocess.run(wrong, capture_output=True, text=True, env=cli.env, timeout=60)
        assert done.returncode == 2 and "understudy-device" in done.stderr and "Traceback" not in done.stderr


# The files for /etc.


def test_the_unit_is_hardened_and_comes_back() -> None:
    service = unit()["Service"]
    assert service["Restart"] == "always" and service["User"] == "understudy-device"
    assert service["StateDirectory"] == "understudy-device" and service["DevicePolicy"] == "closed"
    allowed = re.findall(r"^DeviceAllow=(\S+) rw$", unit_service.UNIT.read_text(), re.MULTILINE)
    assert allowed == ["char-ttyAMA", "char-ttyS", "char-ttyGS", "char-i2c"]


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = unit_service.UNIT.read_text().replace(unit_service.PROGRAM, "/bin/true")
    (tmp_path / "understudy-device.service").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "understudy-device.service")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if "understudy" in line]
    assert done.returncode == 0 and said == [], done.stderr


@pytest.mark.parametrize("name", ["understudy", "understudy-device"])
def test_the_users_and_groups_are_made(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("systemd-sysusers is not installed")
    (tmp_path / "etc").mkdir()
    file = etc_dir() / f"{name}.sysusers"
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}", str(file)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"\n{name}:" in "\n" + (tmp_path / "etc/group").read_text()


# What it is told in /etc/default/understudy-device.


def clock_of(cli: Cli) -> tuple[str, str | None]:
    shown = cli.json("clock")
    return shown["state"], shown["source"]


def test_its_clock_counts_once_it_is_synchronised(cli: Cli) -> None:
    cli.folder.joinpath("mark").unlink(missing_ok=True)
    with served(cli.folder / "device", "socket", CLOCK=f"system:{cli.folder}/mark") as (_, port, _cable):
        cli.env["UNDERSTUDY_PORT"] = port
        cli.ok("claim", "--yes")
        cli.add("alice")
        assert clock_of(cli) == ("unset", None)
        assert cli("verify", "alice", code()).out.startswith("clock-unset")
        (cli.folder / "mark").touch()
        wait_for(lambda: clock_of(cli) == ("synced", "system"))
        assert cli.ok("verify", "alice", code()).out.startswith("accepted")


def test_it_claims_no_display_that_is_not_there(cli: Cli, running: RUNNING) -> None:
    assert cli.json("screen")["display"] is False
    words = command(LINK="stdio", STATE_DIRECTORY="/tmp")
    assert words[words.index("--i2c") + 1] == "" and words[words.index("--clock") + 1] == "system"


def test_a_bus_that_is_not_there_keeps_nobody_out(cli: Cli) -> None:
    with served(cli.folder / "device", "socket", I2C="250") as (service, port, _cable):
        assert service.said("i2c: bus 250: ")
        cli.env["UNDERSTUDY_PORT"] = port
        cli.ok("claim", "--yes")
        assert cli.json("status")["state"] == "open"


@pytest.mark.parametrize("clock", ["ntp", "ntp:", "ntp:a:b", "ntp:a,,b", "noon", "host:1", ""])
def test_a_clock_that_can_not_be_is_said_so(cli: Cli, tmp_path: Path, clock: str) -> None:
    words = command(LINK="stdio", STATE_DIRECTORY=str(tmp_path), CLOCK=clock)
    done = subprocess.run(words, capture_output=True, text=True, env=cli.env, timeout=60)
    assert done.returncode == 1 and "--clock" in done.stderr and "Traceback" not in done.stderr


def test_it_is_tried_again_for_as_long_as_it_takes() -> None:
    assert (
        unit()["Unit"]["StartLimitIntervalSec"] == "0" and "network-online.target" in unit()["Unit"]["After"]
    )
