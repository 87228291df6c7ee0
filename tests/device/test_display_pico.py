# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The display of the real image on the emulated Pico: the real driver's bytes reach a model of the SSD1306,
whose RAM is compared with the reviewed pictures."""

import io
import urllib.parse

import PIL.Image
import pytest
import zxingcpp
from pico_session import ENTROPY, TOTP, Owner, PicoSession

import pyotp
from golden_screens import golden
from understudy.pico_board import display_bus
from understudy.picture import drawn, png, rows
from understudy.simulator.ssd1306 import Ssd1306
from understudy_device import screens

DRAWN_US = 300_000  # simulated; from an answer to the picture on the display
RETRY_US = 12_000_000  # until a display is tried again
WATCHDOG_US = 8_300_000


class Watched(Owner):
    """An owner with a view of the display, who notes all that it receives."""

    def __init__(self):
        super().__init__()
        self.chip = Ssd1306()
        self.bus = display_bus(self.chip)
        self.replies = []

    def power_up(self, image, flash=None):
        """A device with the display; without `flash`, a new one."""
        return PicoSession(image, flash, devices=[self.bus])

    def ask(self, cmd, **fields):
        reply = super().ask(cmd, **fields)
        self.replies.append(repr(reply))
        return reply

    def settled(self, us=DRAWN_US):
        """The picture after so much simulated time."""
        self.device.pico.run_us(us)
        return self.chip.picture()

    def shows(self, screen, us=DRAWN_US):
        """Whether the display shows `screen` before so much time is over; it is looked at often."""
        wanted = rows(drawn(screen))
        return self.device.pico.run_until(lambda: self.chip.picture() == wanted, sim_us=us)


@pytest.fixture
def host(device_image):
    """Of a device that has a user, alice."""
    host = Watched()
    return host.take_over(lambda flash: host.power_up(device_image, flash))


def test_from_new_to_a_throttled_user(device_image):
    host = Watched()
    host.device = host.power_up(device_image)
    hello = host.hello(host.device)
    assert (hello["state"], hello["display"]) == ("unclaimed", True)
    assert host.shows(("unclaimed", (hello["device"],)))
    host.start_pairing(host.device)
    assert host.shows(screens.pairing(host.code))
    assert host.ask("claim", wrap=host.wrap(), entropy=ENTROPY)["role"] == "admin"
    assert host.shows(("clock-unset", ()))
    assert host.chip.picture() == rows(golden("clock-unset"))
    host.open(host.device)
    host.tell_time()
    assert host.shows(("ready", ("synced", 0)))
    host.enrol()
    assert host.shows(("ready", ("synced", 1)))
    for _ in range(5):
        assert host.verify("000000") == "rejected"
    assert host.settled() == rows(golden("verdict-rejected"))
    reply = host.ask("verify", user="alice", code="000000")
    assert reply["status"] == "throttled"
    assert host.shows(screens.throttled("alice", reply["seconds"]))
    assert host.shows(screens.throttled("alice", reply["seconds"] - 3), 4_000_000)
    assert host.ask("screen")["screen"] == "throttled"


def test_the_secret_of_an_enrolment_is_on_the_display_only(host):
    reply = host.ask("user_add", user="bob", on_device=True, entropy=ENTROPY)
    print("user_add --on-device:", host.device.micros, "us")
    assert host.device.micros < WATCHDOG_US / 2
    assert reply["status"] == "ok"
    picture = host.settled()
    found = zxingcpp.read_barcodes(PIL.Image.open(io.BytesIO(png(picture))).convert("L"))
    uri = urllib.parse.urlsplit(found[0].text)
    secret = dict(urllib.parse.parse_qsl(uri.query))["secret"]
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/bob")
    assert host.ask("screen") | {"id": ""} == {
        "id": "",
        "status": "ok",
        "screen": "enrolment",
        "values": [],
        "display": True,
    }
    code = pyotp.TOTP(secret).at(host.now())
    assert host.ask("user_confirm", user="bob", code=code)["status"] == "accepted"
    assert host.settled() == rows(drawn(("verdict", ("accepted", "bob"))))
    seen = "".join(host.replies)
    assert secret not in seen and "otpauth" not in seen


def blocked(host):
    host.bus.stuck = True


def unplugged(host):
    host.chip.present = False


def refusing(host):
    host.chip.nak_after = 300


def mended(host):
    host.bus.stuck, host.chip.present, host.chip.nak_after = False, True, None


@pytest.mark.parametrize("trouble", [blocked, unplugged, refusing])
def test_a_display_in_trouble_changes_no_answer_and_comes_back(host, trouble):
    host.settled()
    trouble(host)
    assert host.verify("000000") == "rejected"
    host.settled()
    assert host.verify(TOTP.at(host.now())) == "accepted"
    assert host.hello(host.device)["display"] is False
    mended(host)
    host.device.pico.run_us(RETRY_US)
    assert host.ask("screen")["display"] is True
    assert host.shows(("ready", ("synced", 1)))
    assert host.events("fault") == [("fault", "OSError")]


def test_without_a_display(device_image):
    owner = Owner().take_over(lambda flash: PicoSession(device_image, flash))
    assert owner.hello(owner.device)["display"] is False
    assert owner.ask("user_add", user="bob", on_device=True, entropy=ENTROPY)["status"] == "no-display"
