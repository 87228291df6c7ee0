# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device itself: the real image on the emulated Pico, over its USB serial port."""

import pytest
from pico_session import TOTP, Owner, PicoSession

from parts import NOW, Host
from test_wire import noise
from understudy.pico_board import with_firmware
from understudy.simulator.littlefs_image import read_littlefs
from understudy_device import protocol, wire

CYCLES = 50  # of four verifies
STOCK_MEMORY = 24 * 1024  # bytes that a stock board must have free; with 16 KiB some requests were too much


def test_codes_and_a_power_cycle(new_device):
    owner = Owner(new_device())
    owner.claim()
    owner.tell_time()
    owner.enrol()
    used = TOTP.at(owner.now())
    assert [owner.verify(used), owner.verify("000000"), owner.verify(used)] == [
        "accepted",
        "rejected",
        "replayed",
    ]

    owner.device = owner.device.power_cycle()
    assert owner.hello(owner.device)["state"] == "sealed"
    assert owner.open(owner.device)[0] == protocol.OPEN_2
    assert owner.verify(used) == "sealed"
    owner.bring_secret()
    assert owner.verify(used) == "clock-unset"
    owner.at(NOW + 60)
    assert owner.ask("clock_set", time=NOW + 60)["status"] == "ok"
    assert owner.verify(used) == "rejected"  # two steps old by now
    assert owner.verify(TOTP.at(owner.now())) == "accepted"
    assert owner.verify(TOTP.at(owner.now())) == "replayed"


def test_two_hundred_verifies_leave_the_memory_as_it_was(device_image):
    owner = Owner().take_over(lambda flash: PicoSession(device_image, flash))

    def cycle():
        owner.device.pico.jump(60)
        code = TOTP.at(owner.now())
        return [owner.verify(text) for text in (code, code, "000000", "nonsense")]

    # The last replies are kept: from here on there are always as many.
    for _ in range(protocol.REPLIES_KEPT // 4):
        cycle()
    before = owner.ask("status")["memory"]
    for _ in range(CYCLES):
        assert cycle() == ["accepted", "replayed", "rejected", "malformed"]
    after = owner.ask("status")["memory"]
    assert abs(after - before) <= 512, (before, after)


@pytest.fixture(scope="module")
def running(device_image):
    """A device that has started; all of the junk goes to this one."""
    device = PicoSession(device_image)
    Host().hello(device)
    return device


@pytest.mark.parametrize(
    "junk",
    [
        b"AT\r\nATZ\r\nAT+GCAP\r\n\r",
        noise(10000),
        b"\x16" + b"B" * 5000,
        wire.encode(protocol.HELLO, bytes(16))[:11],
        wire.encode(protocol.HELLO, bytes(16))[:-2] + b"!\n",
        wire.encode(protocol.DATA, bytes(1040)) + wire.encode(protocol.OPEN_1, bytes(56)),
        b"\x03\x03\x04\x01\x02\x05",
    ],
    ids=[
        "modem commands",
        "random",
        "over-long",
        "half a frame",
        "wrong checksum",
        "frames out of place",
        "control keys",
    ],
)
def test_junk_does_not_wedge_it(running, junk):
    device = running
    device.pico.send(junk)
    while device.pico.unsent:
        device.pico.run_us(1000)
    device.pico.run_us(200000)
    answers = bytes(device.pico.received)
    del device.pico.received[:]
    assert all(wire.decode(line)[0] == protocol.FAULT for line in answers.splitlines(keepends=True))
    assert b">>>" not in answers
    assert Host().hello(device)["board"] == "rpi_pico"
    assert device.pico.connections == 1


def test_an_official_image_runs_it_from_its_file_system(stock_image):
    """Its heap holds the firmware as well, which is why what is left of it is told."""
    flash = with_firmware(stock_image, None)
    assert flash == with_firmware(stock_image, None)  # so every run is the same to the nanosecond
    device = PicoSession(stock_image, flash)
    host = Host()
    assert host.hello(device)["state"] == "unclaimed"
    assert host.join(device, "claim")["role"] == "admin"
    host.open(device)
    assert host.ask(device, "clock_set", time=NOW)["status"] == "ok"
    host.ask(device, "user_add", user="alice", secret="31" * 20, confirmed=True, entropy="00" * 32)
    code = TOTP.at(NOW)
    verdicts = [host.ask(device, "verify", user="alice", code=code)["status"] for _ in range(2)]
    assert verdicts == ["accepted", "replayed"]
    for _ in range(protocol.REPLIES_KEPT):  # the last replies are kept: from here on there are always as many
        host.ask(device, "verify", user="alice", code="nonsense")
    status = host.ask(device, "status")
    assert (status["flash"]["kind"], status["locked"], status["faults"]) == ("file", False, 0)
    assert status["memory"] >= STOCK_MEMORY
    files = [name for name in read_littlefs(device.pico.flash_image()) if name.startswith("/flash/")]
    assert len(files) == 2  # a sector for each stream of the store
