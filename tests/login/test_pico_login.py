# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Once from end to end: ssh, sshd, PAM, the broker, and the Pico's own image on an emulated Pico."""

from pathlib import Path

import pytest
from tests.cli.support import Cli, code
from tests.login.machine import Machine
from tests.login.person import INSIDE, by_password, let_in
from tests.login.phone import enrolled, scan
from tests.login.site import PASSWORD, Device, Site, claim, drop_in
from tests.login.sshd import Sshd
from tools.buildlib.paths import BUILD

from understudy.deadline import Deadline
from understudy.statuses import exit_code

IMAGE = BUILD / "images/rpi_pico/firmware.uf2"
# The emulator takes its time, and its clock with it: neither must decide a verdict.
PATIENT = "login.deadline = 60"
SECONDS = 300.0  # to format its flash on a busy machine, or for a request
WINDOW = ("--window", "10")


@pytest.mark.usefixtures("root")
def test_password_and_code_on_a_pico_with_a_replay_and_an_enrolment(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "host", SECONDS)
    with Machine(tmp_path / "machine") as machine, Device(cli) as device:
        device.start("--board", "rpi_pico", "--image", str(IMAGE), "--no-display")
        boot = Deadline(SECONDS)
        while cli("status").code == exit_code("timeout"):
            assert not boot.passed
        claim(cli)
        cli.ok("clock", "set", "--from-host")
        cli.ok("settings", "set", *WINDOW)
        at = Site(machine, cli, device)
        at.person("alice")
        machine.add_user("bob", PASSWORD)
        cli.ok("user", "add", "bob", "--at-login")
        at.stack("sshd-password", "sshd", "enrol timeout=60")
        at.start(PATIENT)
        try:
            with Sshd(machine, drop_in("password")) as sshd:
                typed = code()
                assert let_in(by_password(sshd, "alice", typed)), at.log.read_text()
                again = by_password(sshd, "alice", typed)
                assert not let_in(again) and "used already" in again.out
                with sshd.ssh("bob", "echo", INSIDE) as terminal:
                    phone = scan(terminal)
                    # The recovery codes come in a reply that a busy machine's emulator may be too late with.
                    done, _ = enrolled(terminal, phone.code())
                assert let_in(done) and "You are enrolled" in done.out
        finally:
            at.stop()
