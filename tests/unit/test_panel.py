# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What is on the display when, and displays that are not there, come, go and fail."""

import unittest

import pyotp
from asking import ENTROPY, SECRET, TOTP, WRONG, verify
from golden_screens import examples
from parts import NOW, Bench, BenchBoard, BenchDisplay, Host
from understudy_device import canvas, panel, protocol, screens
from understudy_device.panel import Panel

READY = ("ready", ("synced", 1))


def idle():
    return READY


def drawn(screen):
    buffer = bytearray(canvas.SIZE)
    canvas.draw(screen, buffer)
    return bytes(buffer)


class OverTime(unittest.TestCase):
    def setUp(self):
        self.display, self.up, self.opened = BenchDisplay(), 0, 0
        self.panel = Panel(self.open, lambda: self.up)

    def open(self):
        self.opened += 1
        if self.display.fault is not None:
            raise self.display.fault
        return self.display

    def shows(self, screen, after=0):
        """The display shows `screen` so many seconds later."""
        self.up += after
        failed = self.panel.tick(idle)
        self.assertEqual(self.panel.current(idle), screen)
        self.assertTrue(self.display.pixels == drawn(screen))
        return failed

    def test_only_what_is_new_is_sent(self):
        for _ in range(5):
            self.shows(READY, 1)
        self.assertEqual(self.display.sent, 1)

    def test_a_verdict_for_some_seconds(self):
        self.panel.verdict("accepted", "alice")
        self.shows(("verdict", ("accepted", "alice")))
        self.shows(("verdict", ("accepted", "alice")), 3)
        self.shows(READY, 1)

    def test_a_countdown(self):
        self.panel.verdict("throttled", "alice", 28)
        for left in (28, 27, 20, 1):
            self.shows(("throttled", ("alice", left)), 28 - left - self.up)
        self.shows(READY, 1)

    def test_a_long_wait_does_not_keep_the_display(self):
        self.panel.verdict("throttled", "alice", 3600)
        self.shows(("throttled", ("alice", 3541)), 59)
        self.shows(READY, 1)

    def test_a_pairing_comes_first_and_ends(self):
        self.panel.enrolment("alice", "phone", 21, bytes(63))
        self.panel.pairing("123456")
        self.panel.verdict("rejected", "bob")
        self.shows(("pairing", ("123456",)))
        self.panel.end_pairing()
        self.shows(("enrolment", ("alice", 21, bytes(63))))
        self.panel.end_enrolment("bob")
        self.panel.end_enrolment("alice", "tablet")
        self.shows(("enrolment", ("alice", 21, bytes(63))))
        self.panel.end_enrolment("alice", "phone")
        self.shows(("verdict", ("rejected", "bob")))

    def test_what_is_secret_does_not_stay(self):
        self.panel.pairing("123456")
        self.shows(("pairing", ("123456",)), protocol.MAX_PAIRING_SECONDS - 1)
        self.shows(READY, 1)
        self.panel.enrolment("alice", "phone", 21, bytes(63))
        self.shows(("enrolment", ("alice", 21, bytes(63))), panel.ENROLMENT_SECONDS - 1)
        self.shows(READY, 1)

    def test_the_button(self):
        self.panel.pairing("123456")
        self.panel.ask_button("claim")
        self.shows(("button", ("claim",)), protocol.PRESENCE_SECONDS - 1)
        self.shows(("pairing", ("123456",)), 1)
        self.panel.ask_button("claim")
        self.shows(("button", ("claim",)))
        self.panel.pressed()
        self.shows(("pairing", ("123456",)))

    def test_a_held_screen(self):
        self.panel.pairing("123456")
        self.panel.ask_button("claim")
        self.panel.hold(screens.factory_reset(screens.ASKED))
        self.shows(("factory-reset", ("asked",)))
        self.panel.pressed()
        self.shows(("factory-reset", ("asked",)))
        self.panel.hold(None)
        self.shows(("pairing", ("123456",)))

    def test_one_that_fails_is_tried_again(self):
        for fault in (OSError(5), OSError(110), ValueError("nobody there"), RuntimeError("odd")):
            self.shows(READY)
            self.display.fault = fault
            self.panel.verdict("accepted", "alice")
            self.assertIsNotNone(self.panel.tick(idle))
            self.assertFalse(self.panel.is_there)
            self.up += 9
            self.assertIsNone(self.panel.tick(idle))  # told once
            self.display.fault = None
            self.shows(READY, 10)
            self.assertTrue(self.panel.is_there)

    def test_none_at_start(self):
        self.display.fault = OSError(5)
        self.panel = Panel(self.open, lambda: self.up)
        self.assertFalse(self.panel.is_there or self.panel.has_pixels)
        before = self.opened
        for self.up in range(60):
            self.assertIsNone(self.panel.tick(idle))
        self.assertEqual(self.opened, before)  # few boards have one: the bus is left alone for a while
        self.display.fault = None
        self.shows(READY, 1)

    def test_a_board_that_can_have_none(self):
        self.panel = Panel(lambda: None, lambda: self.up)
        self.assertFalse(self.panel.is_there or self.panel.has_pixels)
        for self.up in range(30):
            self.assertIsNone(self.panel.tick(idle))

    def test_one_without_power_in_between(self):
        self.shows(READY)
        self.display.pixels, self.display.on = b"", False
        self.shows(READY, 10)

    def test_one_that_is_unplugged_while_nothing_changes(self):
        self.shows(READY)
        self.display.fault = OSError(5)
        self.up += 10
        self.assertIsNotNone(self.panel.tick(idle))
        self.assertFalse(self.panel.is_there)


class Lines:
    """A display without pixels."""

    buffer = None

    def __init__(self):
        self.shown = []

    def show_lines(self, lines):
        self.shown.append(lines)

    @staticmethod
    def is_on():
        return True


class Text(unittest.TestCase):
    def test_it_gets_lines_and_no_secret_picture(self):
        display = Lines()
        panel = Panel(lambda: display, lambda: 0)
        self.assertTrue(panel.is_there and not panel.has_pixels)
        panel.pairing("123456")
        panel.tick(idle)
        panel.hold(examples()["enrolment"])
        panel.tick(idle)
        self.assertIn("123 456", display.shown[0])
        self.assertEqual(display.shown[1], screens.lines(("enrolment", ())))


class OfTheDevice(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.board = self.bench.board

    def shows(self):
        """The name of the screen, after it was drawn."""
        self.bench.session.tidy()
        self.bench.device.tick()
        self.assertTrue(self.board.display.pixels == drawn(self.bench.device.screen))
        return self.bench.device.screen[0]

    def test_from_new_to_ready(self):
        self.bench = Bench(claimed=False)
        self.board = self.bench.board
        self.assertEqual((self.shows(), self.bench.device.screen[1]), ("unclaimed", ("",)))
        device = self.bench.admin.hello(self.bench.session)["device"]
        self.shows()
        self.assertEqual(self.bench.device.screen[1], (device,))
        self.bench.admin.start_pairing(self.bench.session)
        self.assertEqual(self.board.display.sent, 2)  # nothing is drawn before the answer has left
        self.assertEqual(self.shows(), "pairing")
        self.assertEqual(self.bench.device.screen[1], (self.bench.admin.code,))
        self.bench.ask("claim", wrap=self.bench.admin.wrap(), entropy=ENTROPY)
        self.assertEqual(self.shows(), "ready")
        self.bench.restart(unseal=False)
        self.board = self.bench.board
        self.assertEqual(self.shows(), "sealed")
        self.bench.admin.unseal(self.bench.session)
        self.bench.enrol()
        self.assertEqual((self.shows(), self.bench.device.screen[1]), ("ready", ("synced", 1)))

    def test_clock_unset(self):
        self.bench = Bench(BenchBoard(time=None))
        self.board = self.bench.board
        self.assertEqual(self.shows(), "clock-unset")

    def test_a_pairing_that_comes_to_nothing(self):
        for end in (
            lambda: self.bench.admin.open(self.bench.session),
            lambda: self.bench.session.handle(protocol.DATA, bytes(40)),
        ):
            self.bench.admin.open(self.bench.session)
            self.bench.ask("pair_open", role="verifier", seconds=60)
            Host(b"other").start_pairing(self.bench.session)
            self.assertEqual(self.shows(), "pairing")
            end()
            self.assertEqual(self.shows(), "ready")

    def test_a_stranger_does_not_take_the_display(self):
        self.bench.board.up += 60  # what an earlier test opened is closed
        Host(b"stranger").start_pairing(self.bench.session)
        self.assertEqual(self.shows(), "ready")

    def test_verdicts(self):
        self.bench.enrol()
        sent = self.board.display.sent
        self.assertEqual(verify(self.bench, TOTP.at(NOW)), "accepted")
        self.assertEqual(self.board.display.sent, sent)  # nothing is drawn before the answer has left
        self.assertEqual(self.shows(), "verdict")
        for _ in range(6):
            verify(self.bench, WRONG)
        self.assertEqual((self.shows(), self.bench.device.screen[1][0]), ("throttled", "alice"))

    def test_the_hello_tells_of_a_display_that_answers(self):
        self.assertTrue(self.bench.admin.hello(self.bench.session)["display"])
        self.board.display.fault = OSError(5)
        self.bench.start()
        self.assertFalse(self.bench.admin.hello(self.bench.session)["display"])

    def test_the_button_is_asked_for(self):
        self.board.info = dict(self.board.info, button=True)
        self.bench.ask("settings_set", presence=True)
        self.assertEqual(self.reset()["status"], "presence")
        self.assertEqual((self.shows(), self.bench.device.screen[1]), ("button", ("erase all",)))
        self.board.pressed = 1
        self.assertEqual(self.shows(), "ready")

    def test_a_factory_reset(self):
        self.assertEqual(self.reset()["status"], "ok")
        self.assertTrue(self.board.display.pixels == drawn(screens.factory_reset(screens.DONE)))
        self.assertEqual(self.board.display.sent, 2)  # what goes on first, and that it is done

    def test_a_button_held_at_power_up(self):
        self.board.pressed = 1
        self.bench.start()
        self.bench.device.reset_if_held()
        self.assertTrue(self.board.display.pixels == drawn(screens.factory_reset(screens.ASKED)))
        self.assertEqual(self.shows(), "sealed")

    def test_a_factory_reset_that_can_not_be(self):
        def failing(_offset, _data):
            raise OSError(5)

        self.board.flash._write = failing
        self.assertEqual(self.reset()["status"], "flash-failed")
        self.assertEqual(self.shows(), "ready")

    def reset(self):
        return self.bench.ask("factory_reset", device=self.bench.device.id().hex())

    def test_the_command(self):
        reply = self.bench.ask("screen")
        self.assertEqual((reply["screen"], reply["values"], reply["display"]), ("ready", ["synced", 0], True))
        self.bench.device.panel.pairing("123456")
        self.assertEqual(self.bench.ask("screen")["values"], [])


class OnDevice(unittest.TestCase):
    """user_add with a secret that never leaves the device."""

    def setUp(self):
        self.bench = Bench()

    def add(self, **fields):
        fields = dict({"user": "alice", "on_device": True, "entropy": ENTROPY}, **fields)
        return self.bench.ask("user_add", **fields)

    def secret(self):
        """What only the device knows, in base32."""
        from pyotp.base32 import encode

        _, user = self.bench.device.directory.find("alice")
        return encode(user.credentials[0].secret)

    def test_the_host_sees_neither_uri_nor_secret(self):
        reply = self.add()
        self.assertEqual(set(reply), {"id", "status", "credential"})
        shown = self.bench.ask("screen")
        self.assertEqual((shown["screen"], shown["values"]), ("enrolment", []))
        code = pyotp.TOTP(self.secret()).at(NOW)
        wrong = self.bench.ask("user_confirm", user="alice", code=WRONG)
        self.assertEqual((wrong["status"], self.bench.device.screen[0]), ("rejected", "enrolment"))
        self.assertEqual(self.bench.ask("user_confirm", user="alice", code=code)["status"], "accepted")
        self.bench.session.tidy()
        self.assertEqual(self.bench.device.screen[0], "verdict")

    def test_cancelled(self):
        for cmd, fields in (
            ("user_remove", {}),
            ("user_reset", {}),
            ("credential_remove", {"credential": "phone"}),
            ("user_add", {"entropy": ENTROPY}),
        ):
            self.assertEqual(self.add()["status"], "ok")
            self.assertEqual(self.bench.device.screen[0], "enrolment")
            self.assertEqual(self.bench.ask(cmd, user="alice", **fields)["status"], "ok")
            self.assertEqual(self.bench.device.screen[0], "ready", cmd)

    def test_not_with_a_secret_of_the_host(self):
        self.assertEqual(self.add(secret="31" * 20)["status"], "bad-request")

    def test_without_a_display(self):
        self.bench.board.display.fault = OSError(5)
        self.bench.start()
        self.bench.admin.unseal(self.bench.session)
        self.assertEqual(self.add()["status"], "no-display")
        self.assertEqual(self.bench.ask("user_show", user="alice")["status"], "not-found")

    def test_names_that_are_too_long_for_a_picture(self):
        label = "\u00e4" * 25
        self.assertEqual(self.add(label=label, issuer="x" * 64)["status"], "ok")  # without the issuer
        self.assertEqual(self.add(label=label, algorithm="SHA512")["status"], "bad-request")
        self.assertEqual(self.add(user="bob", label="bob", algorithm="SHA512")["status"], "ok")

    def test_a_secret_of_its_own(self):
        self.add()
        self.assertNotEqual(self.secret(), SECRET)


if __name__ == "__main__":
    unittest.main()
