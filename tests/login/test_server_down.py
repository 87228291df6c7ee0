# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Why all of this exists: the 2FA server answers a login, goes down, comes back; the device is pulled out."""

import json
import random
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.support import SECRET, Cli, hotp, wait_for
from tests.login.broker import Broker, Provisioned
from tests.login.certificates import make_certificates
from tests.login.machine import Machine
from tests.login.person import by_password, let_in, tried
from tests.login.servers import FreeRadius, PrivacyIdea
from tests.login.site import BOOT_SECONDS, PASSWORD, Device, Site, claim, drop_in
from tests.login.sshd import Sshd
from tools.buildlib.paths import BUILD

from understudy.deadline import Deadline
from understudy.statuses import exit_code

IMAGE = BUILD / "images/rpi_pico/firmware.uf2"
FLIPS = 1000  # logins while the server goes up and down


def add_erin(cli: Cli) -> None:
    """With the secret that she has at the servers: one entry in the phone for both."""
    words = ("user", "add", "erin", "--kind", "hotp", "--import-secret", "-", "--no-confirm")
    cli.ok(*words, stdin=SECRET + "\n")


def told(log: str, user: str) -> list[tuple[str, str]]:
    """The verdicts on a user's codes, and who gave them."""
    return re.findall(rf"^login user={user} .*verdict=(?!asked)(\S+)(?: by=(\S+))?", log, re.MULTILINE)


@pytest.mark.usefixtures("root")
def test_the_same_phone_logs_in_while_the_server_is_up_down_and_up_again(tmp_path: Path) -> None:
    """Over SSH, with a real privacyIDEA, and the Pico's own image on an emulated Pico."""
    cli = Cli(tmp_path / "host", BOOT_SECONDS)
    certificates = make_certificates(tmp_path / "certificates")
    server = PrivacyIdea(tmp_path / "privacyidea", certificates)
    with server, Machine(tmp_path / "machine") as machine, Device(cli) as device:
        device.start("--board", "rpi_pico", "--image", str(IMAGE), "--no-display")
        boot = Deadline(BOOT_SECONDS)
        while cli("status").code == exit_code("timeout"):
            assert not boot.passed
        claim(cli)
        add_erin(cli)
        at = Site(machine, cli, device)
        machine.add_user("erin", PASSWORD)
        at.stack("sshd-password", "sshd", "timeout=60")
        upstream = (
            f'[upstream]\nkind = "privacyidea"\nurl = "{server.https["good"]}"\n'
            f'ca_file = "{tmp_path}/certificates/ca.pem"\npatience = 20\nretry = 0\n'
        )
        at.start(f"login.deadline = 60\n{upstream}")
        try:
            with Sshd(machine, drop_in("password")) as sshd:
                assert let_in(by_password(sshd, "erin", hotp(0))), at.log.read_text()
                server.kill()
                assert let_in(by_password(sshd, "erin", hotp(1))), at.log.read_text()
                again = by_password(sshd, "erin", hotp(0))  # the server's code, with the network cut
                assert not let_in(again) and "used already" in again.out
                server.start()
                assert let_in(by_password(sshd, "erin", hotp(2))), at.log.read_text()
                again = by_password(sshd, "erin", hotp(1))  # the device's code, with the server back
                assert not let_in(again) and "used already" in again.out
                server.kill()
                device.stop(signal.SIGKILL)
                wait_for(lambda: "status=no-device" in at.log.read_text())
                alone = tried(sshd, "erin", ("Password: ", PASSWORD), ("Code: ", hotp(3)))
                assert not let_in(alone) and "device" in alone.out.lower()
                at.reload(f'login.deadline = 60\n{upstream}[emergency]\nusers = ["erin"]\n')
                rescued = by_password(sshd, "erin", hotp(3))
                assert let_in(rescued) and "Emergency login" in rescued.out
        finally:
            log = at.log.read_text()  # it ends with the machine
            at.stop()
    verdicts = told(log, "erin")
    assert [one for one in verdicts if one[0] in ("accepted", "emergency")] == [
        ("accepted", "server"),
        ("accepted", "device"),
        ("accepted", "server"),
        ("emergency", "emergency"),
    ]
    assert log.count("upstream state=down") == 2 and log.count("upstream state=up") == 1
    assert hotp(0) not in log and hotp(3) not in log


@pytest.fixture
def radius(tmp_path: Path) -> Iterator[FreeRadius]:
    """A FreeRADIUS that knows erin."""
    with FreeRadius(tmp_path / "radius") as server:
        yield server


def upstream_of(server: FreeRadius, **more: object) -> str:
    keys = {"patience": 1.0, "retry": 0, **more}
    lines = "".join(f"{name} = {value}\n" for name, value in keys.items())
    return (
        f'[upstream]\nkind = "radius"\nservers = ["{server.address}"]\n'
        f'key_file = "{server.secret_file}"\n{lines}'
    )


@pytest.fixture
def with_radius(kept: Provisioned, radius: FreeRadius, tmp_path: Path) -> Iterator[Broker]:
    """A broker with a device and a server that know erin."""
    with kept.device(tmp_path / "host") as cli:
        add_erin(cli)
        broker = Broker(cli, str(cli.folder / "port"), upstream_of(radius))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def test_a_flapping_server(with_radius: Broker, radius: FreeRadius) -> None:
    """A thousand logins while it goes up and down: each decided by one of the two, before its deadline, no
    code accepted twice."""
    chance = random.Random(7)
    broker, ended = with_radius, threading.Event()

    def flap() -> None:
        while not ended.wait(chance.uniform(0.02, 0.4)):
            radius.kill()
            if ended.wait(chance.uniform(0.02, 0.4)):
                return
            radius.start()

    accepted: list[int] = []
    flapping = threading.Thread(target=flap)
    flapping.start()
    try:
        for number in range(FLIPS):
            counter = len(accepted)
            again = chance.random() < 0.2 and bool(accepted)
            used = chance.choice(accepted[-8:]) if again else counter
            reply = broker.login("erin", hotp(used))
            assert reply.word in ("accepted", "replayed", "rejected", "throttled"), (number, reply)
            if again:
                assert reply.word != "accepted", (number, used)
            elif reply.word == "accepted":
                accepted.append(used)
    finally:
        ended.set()
        flapping.join()
    assert len(set(accepted)) == len(accepted) > FLIPS / 2
    verdicts = told(broker.log.read_text(), "erin")
    assert len(verdicts) == FLIPS
    assert {by for word, by in verdicts if word == "accepted"} == {"server", "device"}


def test_status_tells_of_the_server(with_radius: Broker, radius: FreeRadius) -> None:
    broker = with_radius
    assert broker.status()["upstream"]["state"] == "unknown"
    broker.login("erin", "000000")
    assert broker.status()["upstream"]["state"] == "up"
    radius.kill()
    broker.login("erin", "000000")
    found = broker.status()["upstream"]
    assert found["state"] == "down" and found["reason"]
    assert "down" in broker.cli.ok("status").out


def test_a_rejection_is_final(with_radius: Broker) -> None:
    """A code that the device would take, and the server does not know."""
    broker = with_radius
    assert broker.login("alice", hotp(0)).word == "rejected"
    assert told(broker.log.read_text(), "alice") == [("rejected", "server")]
    assert [event for event in audit(broker) if event == "rejected"] == []  # the device was not even asked


def test_device_first_and_device_only(with_radius: Broker, radius: FreeRadius) -> None:
    broker = with_radius
    broker.reload('mode = "device-first"\n' + upstream_of(radius))
    asked = len(radius.asked)
    assert broker.login("erin", hotp(5)).word == "accepted"
    assert len(radius.asked) == asked
    assert broker.login("nobody", "123456").word == "rejected"  # whom only the server could know
    assert len(radius.asked) == asked + 1
    broker.reload('mode = "device-only"\n' + upstream_of(radius))
    assert broker.login("nobody", "123456").word == "unknown-user"
    assert len(radius.asked) == asked + 1
    assert {by for _, by in told(broker.log.read_text(), "erin")} == {"device"}


def test_a_service_may_have_another_mode(with_radius: Broker, radius: FreeRadius) -> None:
    broker = with_radius
    broker.reload(upstream_of(radius) + '[service.sudo]\nmode = "device-only"\n')
    assert broker.login("erin", hotp(7), service="sudo").word == "accepted"
    assert told(broker.log.read_text(), "erin") == [("accepted", "device")]


def test_what_the_server_accepted_is_in_the_devices_log(with_radius: Broker) -> None:
    broker = with_radius
    assert broker.login("erin", hotp(3)).word == "accepted"
    assert "burnt" in audit(broker)


def audit(broker: Broker) -> list[str]:
    """The names of the device's events."""
    return [str(one["event"]) for one in json.loads(broker.cli.ok("audit", "--json").out)["events"]]
