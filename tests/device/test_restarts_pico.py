# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What goes wrong inside a Pico ends in a restart at worst, and in a line of the audit log.

The faults are put into the firmware at the prompt of the image that has one: no request is known that brings
one about.
"""

from pathlib import Path

import pytest
from conftest import find_image
from pico_session import TOTP, Owner, PicoSession, claimed
from test_locked_ends import COUNTS, FOREVER, RAM, WATCHDOG_MS, address

from understudy.simulator.raw_repl import RawRepl
from understudy_device import protocol, wire

MAIN = Path(__file__).parents[2] / "firmware" / "main.py"  # which this image does not hold
LOCKED = "import board_data\nboard_data.BOARD['locked'] = True\n"
HANDLERS = """
import time
from understudy_device import code_commands, commands, wire
def raising(*_):
    raise ZeroDivisionError("secret 3131")
def greedy(*_):
    taken = []
    while True:
        taken.append(bytearray(1000))
def hanging(*_):
    while True:
        time.sleep(1)  # to the watchdog as good as a loop, and the emulator need not work
def failing_decode(line, decode=wire.decode):
    if len(line) == 5:
        raise ZeroDivisionError("secret 3131")
    return decode(line)
commands.settings_show = raising
commands.host_list = greedy
commands.clock_show = hanging
wire.decode = failing_decode
"""


class Board(PicoSession):
    """The Pico with a prompt, at which the firmware is started as on a locked image."""

    def __init__(self, image, flash=None):
        super().__init__(image, flash)
        self.start()

    def start(self):
        """From the prompt, as after every restart."""
        RawRepl(self.pico).start(LOCKED + HANDLERS + MAIN.read_text())
        self.pico.received.clear()


def logged(owner):
    """[(event, detail)] of what went wrong."""
    return owner.events("fault", "restarted")


def verdict(owner):
    """On a code that is right and new."""
    owner.device.pico.jump(61)
    return owner.verify(TOTP.at(owner.now()))


@pytest.fixture
def owner():
    """Of a device with faults in it."""
    return Owner().take_over(lambda flash: Board(find_image("rpi_pico-bare"), flash))


def restarted(owner):
    """Wait for the chip to start anew; the firmware, and a session with it."""
    owner.device.pico.boot()
    owner.device.start()
    owner.hello(owner.device)
    owner.settle()


def test_a_fault_in_a_handler_costs_the_session_and_no_more(owner):
    for cmd in ("settings_show", "host_list"):
        assert owner.ask(cmd) == "internal"
        owner.open(owner.device)
        assert verdict(owner) == "accepted"
    assert logged(owner) == [("fault", "ZeroDivisionError"), ("fault", "MemoryError")]


def test_a_handler_that_hangs_is_bitten_by_the_watchdog(owner):
    pico = owner.device.pico
    request = owner.send.encrypt_with_ad(b"", b'{"id":"00112233445566aa","cmd":"clock_show"}')
    before = pico.micros
    pico.send(wire.encode(protocol.DATA, request))
    restarted(owner)
    assert pico.connections == 2
    assert 8_000_000 < pico.micros - before
    assert logged(owner) == [("restarted", "watchdog")]
    assert verdict(owner) == "accepted"


def test_quiet_and_half_a_frame_are_no_hang(owner):
    pico = owner.device.pico
    pico.run_us(10_000_000)
    pico.send(wire.encode(protocol.HELLO, bytes(16))[:11])
    pico.run_us(10_000_000)
    pico.send(b"\n")
    pico.run_us(100_000)
    assert pico.connections == 1
    assert owner.hello(owner.device)["state"] == "open"


def test_requests_that_come_in_a_row_are_no_hang(device_image):
    """The device is fed by a timer while it waits; a busy one waits for no time worth speaking of."""
    device = PicoSession(device_image, claimed()[0])
    pico, frame = device.pico, wire.encode(protocol.HELLO, bytes(16))
    device.handle(protocol.HELLO, bytes(16))
    before = pico.micros
    pico.send(40 * frame)
    assert pico.run_until(lambda: pico.received.count(b"\n") >= 30)
    assert pico.micros - before > 100_000
    assert pico.mcu.watchdog.timer.counter > (WATCHDOG_MS - 50) * COUNTS


def test_a_fault_outside_of_a_request_restarts_the_chip(owner):
    owner.device.pico.send(b"\x16abc\n")
    restarted(owner)
    assert logged(owner) == [("fault", "ZeroDivisionError"), ("restarted", "fault")]
    assert verdict(owner) == "accepted"


def test_an_end_of_the_locked_image_is_in_the_log_after_the_restart(device_image):
    """The one that is shipped has no prompt to put a fault in: its core is sent to where one would end."""
    owner = Owner().take_over(lambda flash: PicoSession(device_image, flash))
    pico = owner.device.pico
    pico.mcu.core.pc = address(device_image, "pyexec_friendly_repl")
    pico.boot()
    owner.settle()
    assert logged(owner) == [("restarted", "fault")]
    pico.mcu.write_uint16(RAM, FOREVER)
    pico.mcu.core.pc = RAM
    pico.run_us(1000)
    pico.mcu.watchdog.timer.set(2 * COUNTS)
    pico.boot()
    owner.settle()
    assert logged(owner) == [("restarted", "fault"), ("restarted", "watchdog")]
    assert verdict(owner) == "accepted"


def test_a_development_image_says_that_it_is_not_locked():
    owner = Owner().take_over(lambda flash: PicoSession(find_image("rpi_pico-dev"), flash))
    assert owner.ask("status")["locked"] is False


def test_the_reset_button_is_no_fault(owner):
    owner.device.pico.reset()
    restarted(owner)
    assert logged(owner) == []
