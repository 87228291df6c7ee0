# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The doctor's checks over made-up machines: each finding is seen where it belongs, and not elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.cli.made_host import BROKER, OTHER, PORT, SELF, Made, by_id, severities
from tests.cli.support import Cli

from understudy.configuration import Configuration, parse
from understudy.configuration import load as load_configuration
from understudy.doctor import certificate
from understudy.doctor.checks_broker import (
    check_broker,
    check_certificate,
    check_configuration,
    check_upstream,
)
from understudy.doctor.checks_device import Told, check_device, check_role
from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING
from understudy_device.errors import ConfigError, NoBroker
from understudy_device.protocol import FIRMWARE, VERSION

SERVER = '[upstream]\nkind = "privacyidea"\nurl = "https://otp.example.net"\n'


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


# The port.


def test_a_port_as_it_should_be(made: Made) -> None:
    made.plugged()
    made.process(BROKER, "understudyd", PORT)
    made.process(SELF, "understudy", PORT)
    made.process(OTHER, "bash", "/dev/pts/3")
    found = made.port()
    assert {one.severity for one in found.values()} == {OK}
    assert set(found) == {"port", "modem-manager", "permissions", "holder"}
    assert "cdc_acm" in found["port"].what
    assert {one.severity for one in made.port("socket://127.0.0.1:1").values()} == {OK}


def test_no_port(made: Made) -> None:
    assert made.port()["port"].severity == PROBLEM and PORT in made.port()["port"].what
    assert "No device is plugged in" in made.port(None)["port"].what
    made.usb("0005")
    assert "modprobe cdc_acm" in made.port()["port"].command
    made.usb("0003")
    assert made.port()["port"].command == "understudy install --board rpi_pico"
    made.usb("000f")
    assert made.port()["port"].command == "understudy install --board rpi_pico2"


def test_modem_manager(made: Made) -> None:
    made.plugged()
    made.process(OTHER, "ModemManager")
    assert made.port()["modem-manager"].severity == WARNING
    assert "60-understudy.rules" in made.port()["modem-manager"].command
    made.write("/usr/lib/udev/rules.d/60-understudy.rules")
    assert made.port()["modem-manager"].command == "sudo udevadm trigger"
    made.write("/run/udev/data/c166:0", "E:ID_MM_PORT_IGNORE=1\n")
    assert made.port()["modem-manager"].severity == OK


@pytest.mark.parametrize(
    ("mode", "group", "severity"),
    [
        (0o660, "dialout", OK),
        (0o600, "dialout", WARNING),
        (0o660, "root", WARNING),
        (0o666, "dialout", WARNING),
        (0o662, "dialout", WARNING),
    ],
)
def test_permissions(made: Made, mode: int, group: str, severity: str) -> None:
    made.plugged(mode, group)
    assert made.port()["permissions"].severity == severity


def test_who_holds_the_port(made: Made) -> None:
    made.plugged()
    made.process(OTHER, "minicom", "/dev/null", PORT)
    found = made.port()["holder"]
    assert (found.severity, found.command) == (
        PROBLEM,
        f"sudo kill {OTHER}",
    ) and "minicom (200)" in found.what


def test_a_simulated_device_holds_its_own_end(made: Made) -> None:
    made.write("/dev/pts/4")
    made.host.path("/port").symlink_to(made.host.path("/dev/pts/4"))
    made.process(OTHER, "python", "/dev/ptmx", "/dev/pts/4")
    found = made.port("/port")
    assert (found["port"].severity, found["holder"].severity) == (HINT, OK)
    made.process(OTHER + 1, "minicom", "/dev/pts/4")
    assert made.port("/port")["holder"].severity == PROBLEM


# The device.


def told(
    state: str = "open", offset: float | None = 0.2, clock: Mapping[str, Any] | None = None, **status: object
) -> Told:
    """A device that is well, but for what is given."""
    usual: dict[str, Any] = {
        "firmware": FIRMWARE,
        "protocol": VERSION,
        "board": "rpi_pico",
        "device": "00" * 8,
        "locked": True,
        "state": "open",
        "faults": 0,
        "flash": {"size": 1 << 20, "used": 1 << 10, "free": 1 << 19, "damaged": 0},
    }
    return Told(
        state,
        {**usual, **status},
        {"state": "synced", "error": 1, "rtc": "none", **(clock or {})},
        offset,
        0.5,
    )


def test_a_device_that_is_well() -> None:
    found = severities(check_device(told(), True))
    assert found == dict.fromkeys(("firmware", "locked", "sealed", "clock", "flash"), OK)


SMALL = {"size": 1 << 20, "used": 1 << 19, "free": 1 << 14, "damaged": 0}


@pytest.mark.parametrize(
    ("device", "name", "severity"),
    [
        (told(firmware="0.0.1"), "firmware", HINT),
        (told(protocol=VERSION - 1), "firmware", WARNING),
        (told(locked=False), "locked", WARNING),
        (told("sealed"), "sealed", HINT),
        (told(offset=None, clock={"state": "unset"}), "clock", PROBLEM),
        (told(offset=-9.0), "clock", WARNING),
        (told(offset=95.0), "clock", PROBLEM),
        (told(clock={"error": 90}), "clock-error", WARNING),
        (told(clock={"rtc": "stopped"}), "clock-chip", WARNING),
        (told(flash=SMALL), "flash", PROBLEM),
        (told(flash={**SMALL, "free": 1 << 16}), "flash", WARNING),
        (told(flash={**SMALL, "free": 1 << 19, "damaged": 2}), "flash-damaged", WARNING),
        (told(faults=1), "faults", WARNING),
    ],
)
def test_what_a_device_may_have(device: Told, name: str, severity: str) -> None:
    found = severities(check_device(device, True))
    assert found.pop(name) == severity
    assert set(found.values()) == {OK}


def test_a_host_that_does_not_know_the_time_blames_nobody() -> None:
    assert severities(check_device(told(offset=95.0), False))["clock"] == WARNING


def test_roles() -> None:
    assert check_role("verifier", True).severity == OK
    assert check_role("admin", False).severity == OK
    assert check_role("admin", True).severity == WARNING
    assert check_role(None, True).severity == PROBLEM


# The broker, its configuration, its server.

STATUS = {
    "connected": True,
    "device": "00" * 8,
    "port": PORT,
    "uptime": 100,
    "configuration": "/c.toml",
    "mark": "ab12",
    "loaded": 7,
    "bypass": 0,
    "unreported": 0,
    "pid": BROKER,
}


def test_a_broker() -> None:
    path = Path("/c.toml")
    assert severities(check_broker(STATUS, path, "ab12")) == {"broker": OK, "configuration-in-force": OK}
    away = {**STATUS, "connected": False, "status": "no-device", "message": "It is gone."}
    assert severities(check_broker(away, path, "ab12"))["broker"] == PROBLEM
    assert severities(check_broker(NoBroker("None."), path, "ab12")) == {"broker": PROBLEM}
    found = by_id(check_broker(STATUS, Path("/d.toml"), "ab12"))["configuration-in-force"]
    assert found.severity == WARNING and "restart" in found.command
    assert severities(check_broker(STATUS, path, "cd34"))["configuration-in-force"] == WARNING
    busy = severities(check_broker({**STATUS, "bypass": 9, "unreported": 2}, path, "ab12"))
    assert (busy["bypass"], busy["unreported"]) == (WARNING, HINT)


def test_a_configuration(cli: Cli) -> None:
    def looked() -> dict[str, str]:
        try:
            loaded: Configuration | ConfigError = load_configuration(cli.configuration)
        except ConfigError as error:
            loaded = error
        return severities(check_configuration(cli.configuration, loaded))

    assert looked() == {"configuration": PROBLEM}
    cli.configuration.parent.mkdir()
    cli.configuration.write_text("mfa = yes")
    cli.configuration.chmod(0o600)
    assert looked() == {"configuration": PROBLEM}
    cli.configuration.write_text("mfa = false")
    assert looked() == {"configuration": OK, "mfa": WARNING}
    cli.configuration.write_text("")
    assert looked() == {"configuration": OK}


def test_an_upstream() -> None:
    configuration = parse(SERVER, "test")

    def looked(state: str | None) -> str:
        upstream = {"name": "x", "state": state, "reason": "timeout", "answered": 3}
        status = None if state is None else {**STATUS, "upstream": upstream}
        return severities(check_upstream(status, configuration))["upstream"]

    assert [looked(state) for state in ("up", "unknown", "down", None)] == [OK, HINT, WARNING, HINT]
    assert severities(check_upstream(STATUS, Configuration())) == {"upstream": OK}
    silent = parse(SERVER + "max_silence = 60.0", "test")
    assert severities(check_upstream(STATUS, silent)) == {"upstream": HINT, "max-silence": HINT}


def test_a_certificate() -> None:
    def looked(days: float | str, verify: bool = True) -> str:
        return check_certificate("otp.example.net:443", days, verify).severity

    assert [looked(days) for days in (300.0, 20.0, 2.0, -5.0, "expired.")] == [
        OK,
        WARNING,
        PROBLEM,
        PROBLEM,
        WARNING,
    ]
    assert [looked(300.0, False), looked("refused.", False)] == [WARNING, HINT]
    assert certificate.address_of("https://otp.example.net/x") == ("otp.example.net", 443)
    assert certificate.address_of("http://otp.example.net") is None
    assert "refused" in str(certificate.days_left("127.0.0.1", 1, None, True))
