# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Factory reset: nothing of the old device is left, whenever the power goes; who may ask for it, and when
somebody has to press the button."""

import sys
import unittest

from asking import TOTP, events, second_host, verify
from parts import NOW, TEARS, Bench, BenchBoard, CutFlash, Host, PowerCut
from understudy_device import protocol, records
from understudy_device.pairing import key_id
from understudy_device.sectors import SECTOR

# MicroPython takes a few of the cuts only: they are the same ones.
EVERY = 1 if sys.implementation.name == "cpython" else 5
CODE = TOTP.at(NOW)


def used(sectors=12):
    """A bench whose store fills some sectors, and where alice's code was used."""
    bench = Bench(BenchBoard(CutFlash(sectors=sectors)))
    for number in range(44):
        bench.enrol("user%d" % number, issuer="x" * 60, label="y" * 60)
    bench.enrol()
    bench.ask("settings_set", digits=8)
    for _ in range(220):
        bench.ask("clock_set", time=NOW)
    bench.device.tidy()
    verify(bench, CODE)
    return bench


def reset(bench):
    """The admin asks for it."""
    return bench.ask("factory_reset", device=bench.device.id().hex())


class Started(Bench):
    """A bench that is powered up on a board as it is, for a host that is new."""

    def __init__(self, board):
        self.board = board
        self.admin = Host(b"new")
        try:
            self.start()
        except PowerCut:
            pass


def started(image, cut_at=None, tear="none"):
    """A device that is powered up on an image, the power cut there, if it is to be."""
    board = BenchBoard(CutFlash(image, len(image) // SECTOR), b"again")
    board.flash.cut_at, board.flash.tear = cut_at, tear
    return Started(board)


class Reset(unittest.TestCase):
    def new(self, image, old, who):
        """A start on the image gives a new device, whose log begins with the reset."""
        bench = started(image)
        self.assertEqual((bench.device.state, bench.device.damage), ("unclaimed", None))
        self.assertFalse(bench.device.is_leaving)
        kinds = (records.HOST, records.USER, records.SETTING, records.STATE, records.IDENTITY, records.RESET)
        self.assertFalse(bench.device.store.has(*kinds))
        self.assertEqual(bench.admin.join(bench.session, "claim")["status"], "ok")
        bench.admin.open(bench.session)
        self.assertNotEqual(bench.device.id(), old)
        names = [(event.name, detail) for _, event, _, detail in events(bench)]
        self.assertEqual(names[-1][0], "claimed")
        self.assertEqual(set(names[:-1]), {("factory-reset", who)})
        bench.enrol()
        self.assertEqual(verify(bench, CODE), "accepted")
        bench.restart()
        self.assertEqual(verify(bench, CODE), "replayed")

    def test_it_leaves_nothing_and_the_device_starts_as_a_new_one(self):
        bench = used()
        vault, old = bench.device.vault, bench.device.id()
        secrets = [
            vault.identity().private,
            vault.hosts()[0][1].wrapped,
            bench.device.store.get(records.SEED),
        ]
        secrets += [bench.device.store.get(records.USER, 0), bench.device.store.get(records.SETTING)]
        who = "host " + key_id(bench.admin.keys.public).hex()
        self.assertEqual(reset(bench)["status"], "ok")
        self.assertTrue(bench.device.is_leaving)
        image = bench.board.flash.image()
        for secret in secrets:
            self.assertFalse(secret in image)
        self.assertEqual(sum(1 for byte in image if byte != 0xFF) < 100, True)
        for kind, payload in ((protocol.HELLO, bytes(16)), (protocol.OPEN_1, bytes(56))):
            self.assertEqual(bench.session.handle(kind, payload), None)
        bench.device.tidy()
        bench.session.tidy()
        self.assertEqual(bench.board.flash.image(), image)
        self.new(image, old, who)

    def test_the_keys_go_first(self):
        bench = used()
        keys = bench.device.store.sectors_of(records.HOST, records.IDENTITY)
        bench.board.flash.operations.clear()
        reset(bench)
        order = [offset // SECTOR for offset, data in bench.board.flash.operations if len(data) == SECTOR]
        self.assertTrue(len(order) > len(keys))
        self.assertEqual(set(order[: len(keys)]), keys)

    def test_only_for_the_right_device(self):
        bench = used()
        before = bench.board.flash.image()
        self.assertEqual(bench.ask("factory_reset", device="00" * 8)["status"], "bad-request")
        self.assertEqual(bench.board.flash.image(), before)
        self.assertFalse(bench.device.is_leaving)

    def test_not_for_a_verifier_nor_for_an_admin_who_has_not_unsealed(self):
        bench = used()
        verifier, session = second_host(bench)
        number = bench.device.id().hex()
        self.assertEqual(verifier.ask(session, "factory_reset", device=number)["status"], "denied")
        bench.restart(unseal=False)
        bench.admin.open(bench.session)
        self.assertEqual(reset(bench)["status"], "sealed")
        self.assertEqual(bench.device.state, "sealed")

    def test_the_power_goes_at_any_moment(self):
        bench = used()
        whole, old = bench.board.flash.image(), bench.device.id()
        who = "host " + key_id(bench.admin.keys.public).hex()
        cut_at, count, done = 0, 0, False
        while not done:
            for tear in TEARS:
                count += 1
                if count % EVERY and cut_at:
                    continue
                cut = Bench(BenchBoard(CutFlash(whole), b"again"), claimed=False)
                cut.admin = bench.admin
                cut.admin.unseal(cut.session)
                flash = cut.board.flash
                flash.operations.clear()
                flash.cut_at, flash.tear = cut_at, tear
                said = reset(cut)
                done = not flash.dead
                if done:
                    self.assertEqual(said["status"], "ok")
                self.check(flash.image(), bench, cut_at, old, who)
            cut_at += 1
        self.assertTrue(cut_at > 7, cut_at)

    def check(self, image, bench, cut_at, old, who):
        """Either nothing has happened, or the device is a new one, also when the next start is cut, too."""
        again = started(image)
        again.admin = bench.admin
        if cut_at == 0 and again.device.state == "sealed":
            again.admin.unseal(again.session)
            self.assertEqual(again.ask("status")["users"], 45)
            self.assertEqual(verify(again, CODE), "replayed")
            return
        steps = len(again.board.flash.operations)
        self.assertTrue(steps >= 3)
        for second in range(0, steps, EVERY):
            cut = started(image, second, TEARS[(second + cut_at) % len(TEARS)])
            self.assertTrue(cut.board.flash.dead)
            self.new(cut.board.flash.image(), old, who)

    def test_a_flash_that_fails(self):
        bench = used()

        def program(offset, data):
            raise OSError(5)

        bench.board.flash.program = program
        self.assertEqual(reset(bench)["status"], "flash-failed")
        self.assertFalse(bench.device.is_leaving)
        bench = used()
        bench.board.flash.erase = lambda offset: program(offset, b"")
        self.assertEqual(reset(bench)["status"], "ok")  # the mark is there: it can only go on
        self.assertTrue(bench.device.is_leaving)
        image = bench.board.flash.image()
        flash = CutFlash(image)
        flash.erase = bench.board.flash.erase
        self.assertEqual(Bench(BenchBoard(flash), claimed=False).device.state, "damaged")
        self.new(image, b"", "host " + key_id(bench.admin.keys.public).hex())


class Damaged(unittest.TestCase):
    """By the button, which needs no session."""

    def damaged(self):
        """Images of stores that do not open."""
        image = used().board.flash.image()
        bench = used()
        for lost in (bench.admin.keys.public, bench.device.vault.identity().private):
            at = image.index(lost)
            yield image[:at] + bytes(4) + image[at + 4 :]
        yield b"littlefs" * 512 * 12

    def test_whatever_is_there(self):
        for image in self.damaged():
            bench = started(image)
            self.assertEqual(bench.device.state, "damaged")
            bench.device.erase("button")
            self.assertTrue(bench.device.is_leaving)
            after = started(bench.board.flash.image())
            self.assertEqual(after.device.state, "unclaimed")
            after.admin.join(after.session, "claim")
            after.admin.open(after.session)
            self.assertEqual(events(after)[0][3], "button")

    def test_the_power_goes_meanwhile(self):
        for image in self.damaged():
            cut_at, done = 0, False
            while not done:
                cut = started(image)
                cut.board.flash.operations.clear()
                cut.board.flash.cut_at, cut.board.flash.tear = cut_at, TEARS[cut_at % 4]
                try:
                    cut.device.erase("button")
                    done = True
                except PowerCut:
                    pass
                after = started(cut.board.flash.image()).device
                self.assertTrue(after.state in ("damaged", "unclaimed"), after.state)
                if after.state == "unclaimed":
                    self.assertFalse(after.store.has(records.USER, records.SETTING))
                else:
                    self.assertTrue(cut_at < 2, cut_at)
                cut_at += EVERY
            self.assertTrue(cut_at > 3, cut_at)


class Presence(unittest.TestCase):
    """The button, where it is asked for."""

    def test_a_factory_reset_when_the_setting_says_so(self):
        bench = used()
        self.assertEqual(bench.ask("settings_set", presence=True)["presence"], True)
        bench.restart()
        self.assertEqual(bench.ask("settings_show")["presence"], True)
        self.assertEqual(bench.ask("settings_set", presence=False)["status"], "presence")
        self.assertEqual(bench.ask("settings_set", window=2)["presence"], True)
        self.assertEqual(reset(bench)["status"], "presence")
        bench.device.pressed_at = bench.board.up
        bench.board.up += protocol.PRESENCE_SECONDS + 1
        self.assertEqual(reset(bench)["status"], "presence")
        bench.device.pressed_at = bench.board.up
        self.assertEqual(bench.ask("factory_reset", device="00" * 8)["status"], "bad-request")
        bench.board.up += protocol.PRESENCE_SECONDS
        self.assertEqual(reset(bench)["status"], "ok")

    def test_a_press_is_good_for_one_act(self):
        bench = Bench()
        bench.ask("settings_set", presence=True)
        bench.device.pressed_at = 0

        def fails(offset, data):
            raise OSError(5)

        program, bench.board.flash.program = bench.board.flash.program, fails
        self.assertEqual(reset(bench)["status"], "flash-failed")
        bench.board.flash.program = program
        self.assertEqual(reset(bench)["status"], "presence")

    def test_a_claim_when_the_board_says_so(self):
        board = BenchBoard()
        board.info = dict(board.info, presence=["claim"])
        bench = Bench(board, claimed=False)
        self.assertEqual(bench.admin.join(bench.session, "claim")["status"], "presence")
        self.assertEqual(bench.device.state, "unclaimed")
        bench.device.pressed_at = 0
        self.assertEqual(bench.admin.join(bench.session, "claim")["status"], "ok")

    def test_not_on_a_board_without_a_button(self):
        board = BenchBoard()
        board.info = {"id": "bench", "display": False}
        bench = Bench(board)
        self.assertEqual(bench.ask("settings_set", presence=True)["status"], "bad-request")
        self.assertEqual(bench.ask("settings_set", presence=False)["status"], "ok")

    def test_settings_of_older_firmware(self):
        settings = dict(protocol.DEFAULTS, digits=8, max_delay=77)
        packed = records.pack_settings(settings)
        for size in (18, 17, 15):
            self.assertEqual(records.unpack_settings(packed[:size]), settings)
        for name in ("presence", "enrol_at_login"):
            changed = dict(settings, **{name: not settings[name]})
            self.assertEqual(records.unpack_settings(records.pack_settings(changed)), changed)
        self.assertEqual(records.unpack_settings(packed[:5])["max_delay"], protocol.DEFAULTS["max_delay"])


class TheButtonAtPowerUp(unittest.TestCase):
    def powered_up(self, bench, held):
        """The bench powered up again with the button held for so many seconds."""
        bench.restart()
        bench.board.pressed = held + 1
        bench.device.reset_if_held()

    def test_held_it_erases_everything(self):
        bench = used()
        self.powered_up(bench, 5)
        self.assertEqual(bench.board.led, "X")
        self.assertTrue(bench.device.is_leaving)
        after = started(bench.board.flash.image())
        self.assertEqual(after.device.state, protocol.UNCLAIMED)
        after.admin.join(after.session, "claim")
        after.admin.open(after.session)
        self.assertEqual(
            [detail for _, event, _, detail in events(after) if event.name == "factory-reset"], ["button"]
        )

    def test_held_on_a_damaged_store_it_is_the_way_out(self):
        bench = used()
        flash = bench.board.flash
        for sector in bench.device.store.sectors_of(records.IDENTITY):
            flash.erase(sector * SECTOR)
        broken = started(flash.image())
        self.assertEqual(broken.device.state, protocol.DAMAGED)
        broken.board.pressed = 6
        broken.device.reset_if_held()
        self.assertEqual(started(broken.board.flash.image()).device.state, protocol.UNCLAIMED)

    def test_stuck_it_does_not_erase_again_and_again(self):
        bench = used()
        self.powered_up(bench, 5)
        after = started(bench.board.flash.image())
        after.board.restarted = "asked"
        after.board.pressed = 1000
        after.device.reset_if_held()
        self.assertFalse(after.device.is_leaving)

    def test_let_go_too_early_it_does_nothing(self):
        bench = used()
        for held in (0, 1, 4):
            self.powered_up(bench, held)
            self.assertFalse(bench.device.is_leaving)
        self.assertEqual(verify(bench, CODE), "replayed")


if __name__ == "__main__":
    unittest.main()
