# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Errors of our own: survived, counted, and in the audit log by their type."""

import unittest

from asking import TOTP, events, verify
from parts import NOW, Bench, BenchBoard
from understudy_device import lights
from understudy_device.protocol import COMMANDS, PAIRING, VERDICTS
from understudy_device.service import _handler

TEXT = "the secret is 31313131"


def broken(_device, _caller, _fields):
    """A handler with a fault; no request is known that brings one about, so it is put there."""
    raise ZeroDivisionError(TEXT)


def greedy(_device, _caller, _fields):
    """A handler that takes all the memory there is; MicroPython and CPython raise the same."""
    raise MemoryError(TEXT)


def good_fields(name):
    """Fields with which the command `name` gets as far as its handler."""
    fields = {}
    for field, rule in COMMANDS[name][2].items():
        if rule.required:
            fields[field] = _GOOD[rule.kind](rule)
    return fields


_GOOD = {
    "int": lambda rule: rule.low,
    "text": lambda rule: "a" * rule.low,
    "plain": lambda rule: "a" * rule.low,
    "typed": lambda rule: "1" * rule.high,
    "hex": lambda rule: "00" * rule.low,
    "choice": lambda rule: rule.low[0],
    "bool": lambda rule: True,
}


def details(bench, name):
    """The details of the events `name` in the audit log."""
    return [detail for _, event, _, detail in events(bench) if event.name == name]


class TestFaults(unittest.TestCase):
    def test_in_each_handler(self):
        for name in COMMANDS:
            with self.subTest(name):
                bench = Bench()
                bench.enrol()
                handlers = bench.session._service._handlers
                if COMMANDS[name][0] == PAIRING:
                    bench.admin.start_pairing(bench.session)
                handlers[name] = broken
                self.assertEqual(bench.ask(name, **good_fields(name)), "internal")
                handlers[name] = _handler(name)
                bench.admin.open(bench.session)
                self.assertEqual(verify(bench, TOTP.at(bench.board.time)), "accepted")
                bench.device.tidy()
                self.assertEqual(details(bench, "fault"), ["ZeroDivisionError"])
                self.assertEqual(bench.ask("status")["faults"], 1)
                bench.restart()
                self.assertEqual(details(bench, "fault"), ["ZeroDivisionError"])

    def test_nothing_of_its_text_is_kept(self):
        bench = Bench()
        bench.session._service._handlers["status"] = broken
        bench.ask("status")
        bench.device.tidy()
        self.assertNotIn(TEXT.encode(), bytes(bench.board.flash.image()))

    def test_out_of_memory(self):
        bench = Bench()
        bench.session._service._handlers["status"] = greedy
        self.assertEqual(bench.ask("status"), "internal")
        bench.admin.open(bench.session)
        self.assertEqual(bench.ask("clock_show")["state"], "synced")
        bench.device.tidy()
        self.assertEqual(details(bench, "fault"), ["MemoryError"])

    def test_a_flood_does_not_fill_the_log(self):
        bench = Bench()
        bench.session._service._handlers["status"] = broken
        for _ in range(100):
            bench.ask("status")
            bench.device.tidy()
            bench.admin.open(bench.session)
        self.assertEqual(bench.device.faults, 100)
        self.assertTrue(0 < len(details(bench, "fault")) <= 40)

    def test_why_it_was_restarted(self):
        for cause in ("watchdog", "fault", "asked"):
            bench = Bench()
            bench.restart()
            bench.board.restarted = cause
            bench.start()
            bench.admin.unseal(bench.session)
            bench.device.tidy()
            bench.device.tidy()
            self.assertEqual(details(bench, "restarted"), [cause])

    def test_an_unclaimed_device_writes_nothing(self):
        board = BenchBoard()
        board.restarted = "watchdog"
        bench = Bench(board, claimed=False)
        before = bytes(board.flash.image())
        bench.device.tidy()
        self.assertEqual(bytes(board.flash.image()), before)

    def test_a_fault_before_the_log_can_be_written_is_not_lost_on_the_way(self):
        bench = Bench()
        bench.device.fault(ValueError(TEXT))
        self.assertEqual(details(bench, "fault"), [])
        bench.device.tidy()
        self.assertEqual(details(bench, "fault"), ["ValueError"])


class TestLights(unittest.TestCase):
    def test_each_state_has_its_own(self):
        shown = [lights.pattern(state) for state in ("unclaimed", "sealed", "open", "damaged")]
        self.assertEqual(len(set(shown)), 4)
        self.assertEqual(shown[3], lights.FAST)

    def test_a_verdict_is_shown_for_two_seconds(self):
        for verdict in VERDICTS:
            wanted = lights.ON if verdict == "accepted" else "XX.."
            self.assertEqual(lights.pattern("open", verdict, 0), wanted)
            self.assertEqual(lights.pattern("open", verdict, 1), wanted)
            self.assertEqual(lights.pattern("open", verdict, 2), lights.pattern("open"))

    def test_a_damaged_store_goes_before_a_verdict(self):
        self.assertEqual(lights.pattern("damaged", "accepted", 0), lights.FAST)

    def test_the_device_plays_them(self):
        bench = Bench()
        bench.enrol()
        bench.device.tick()
        self.assertEqual(bench.board.led, lights.pattern("open"))
        for code, wanted in ((TOTP.at(NOW), lights.ON), ("000000", "XX..")):
            verify(bench, code)
            bench.session.tidy()
            bench.device.tick()
            self.assertEqual(bench.board.led, wanted)
        bench.board.up += 2
        bench.device.tick()
        self.assertEqual(bench.board.led, lights.pattern("open"))

    def test_a_press_of_the_button_is_remembered(self):
        bench = Bench()
        bench.board.up += 7
        bench.device.tick()
        self.assertIsNone(bench.device.pressed_at)
        bench.board.pressed = 1
        bench.device.tick()
        bench.board.up += 5
        bench.device.tick()
        self.assertEqual(bench.device.pressed_at, bench.board.up - 5)


if __name__ == "__main__":
    unittest.main()
