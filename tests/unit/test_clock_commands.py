# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who else may set the clock: a host that tells the time, servers, an admin with two codes; and the window
that the clock's error widens."""

import unittest

import pyotp
from asking import (
    HOTP,
    OTHER,
    OTHER_HEX,
    TOTP,
    WRONG,
    cuts,
    enrol_hotp,
    events,
    second_host,
    status_of,
    verify,
)
from parts import NOW, Bench, BenchBoard
from test_clock import Ticker
from test_sntp import Network, right, silent
from understudy_device.clock import Clock
from understudy_device.policy import widened
from understudy_device.timekeeper import MAX_AHEAD, MAX_STEP

HOUR, DAY = 3600, 86400


def unset(floor=NOW):
    """A bench whose clock is unset, with a floor and a user."""
    bench = Bench()
    bench.enrol()
    bench.ask("clock_set", time=floor, back=True)
    bench.board.time = None
    bench.restart()
    return bench


def logged(bench, first, *names):
    """[(name, detail)] of the events of these names since number `first`."""
    return [(e.name, detail) for _, e, _, detail in events(bench, first) if e.name in names]


class Told(unittest.TestCase):
    def tell(self, bench, time):
        """The admin tells; as a verifier may."""
        return bench.ask("clock_tell", time=time)["status"]

    def test_an_unset_clock_by_a_verifier_of_a_sealed_device(self):
        bench = Bench()
        bench.enrol()
        host, _ = second_host(bench)
        bench.ask("clock_set", time=NOW)
        bench.board.time = None
        bench.restart(unseal=False)
        host.open(bench.session)
        reply = host.ask(bench.session, "clock_tell", time=NOW + DAY)
        self.assertEqual((reply["status"], reply["state"], reply["source"]), ("ok", "synced", "host"))
        self.assertEqual((reply["time"], reply["error"], reply["floor"]), (NOW + DAY, 2, NOW))
        host.unseal(bench.session)
        bench.board.up += 60
        bench.admin.unseal(bench.session)
        self.assertEqual(logged(bench, 0, "clock-told"), [("clock-told", "unset -> %d" % (NOW + DAY))])

    def test_how_far_an_unset_clock_may_be_set(self):
        for ahead, status in (
            (-1, "clock-refused"),
            (0, "ok"),
            (MAX_AHEAD, "ok"),
            (MAX_AHEAD + 1, "clock-refused"),
        ):
            bench = unset()
            self.assertEqual((ahead, self.tell(bench, NOW + ahead)), (ahead, status))
            self.assertEqual(bench.ask("clock_show")["state"], "synced" if status == "ok" else "unset")

    def test_a_device_that_never_knew_the_time_takes_any(self):
        bench = Bench(BenchBoard(time=None))
        self.assertEqual(self.tell(bench, NOW), "ok")
        self.assertEqual(bench.ask("clock_show")["time"], NOW)

    def test_within_the_error_and_a_little(self):
        bench = Bench()
        bench.ask("clock_set", time=NOW)
        first = bench.device.audit.next
        for off, status in ((8, "clock-refused"), (-8, "clock-refused"), (7, "ok"), (-7, "ok")):
            self.assertEqual((off, self.tell(bench, NOW + off)), (off, status))
        shown = bench.ask("clock_show")
        self.assertEqual((shown["time"], shown["source"]), (NOW, "admin"))  # nothing to gain
        self.assertEqual(bench.device.audit.next, first)

    def test_it_makes_a_grown_error_small_and_writes_nothing(self):
        bench = Bench()
        bench.ask("clock_set", time=NOW)
        bench.board.up += 7 * DAY
        shown = bench.ask("clock_show")
        self.assertEqual((shown["state"], shown["error"]), ("holdover", 2 + 31))
        before = bench.board.flash.image()
        self.assertEqual(self.tell(bench, NOW + 7 * DAY + 20), "ok")
        shown = bench.ask("clock_show")
        self.assertEqual(
            (shown["time"], shown["state"], shown["source"], shown["error"]),
            (NOW + 7 * DAY + 20, "synced", "host", 2),
        )
        for _ in range(20):
            bench.board.up += 60
            self.assertEqual(self.tell(bench, NOW + bench.board.up + 22), "ok")
        self.assertEqual(bench.board.flash.image(), before)

    def test_a_host_can_not_walk_the_clock_away(self):
        bench = Bench()
        bench.ask("clock_set", time=NOW)
        for sign in (1, -1):
            for _ in range(50):
                bench.board.up += 6 * HOUR
                shown = bench.ask("clock_show")
                for off in range(40, 0, -1):
                    if self.tell(bench, shown["time"] + sign * off) == "ok":
                        break
                shown = bench.ask("clock_show")
                true = NOW + bench.board.up
                bound = 2 + 5 + -(-bench.board.up * 50 // 1000000)
                self.assertTrue(abs(shown["time"] - true) <= bound, (shown["time"] - true, bound))

    def test_below_the_floor_never(self):
        bench = Bench()
        bench.ask("clock_set", time=NOW)
        bench.board.up += 10 * DAY
        self.assertEqual(verify(bench, TOTP.at(NOW + 10 * DAY)), "unknown-user")
        bench.enrol()
        self.assertEqual(verify(bench, TOTP.at(NOW + 10 * DAY)), "accepted")  # the floor follows
        self.assertEqual(self.tell(bench, NOW + 10 * DAY - 46), "ok")
        bench.board.up += 30 * DAY
        self.assertEqual(verify(bench, TOTP.at(NOW + 40 * DAY - 46)), "accepted")
        floor = bench.ask("clock_show")["floor"]
        self.assertEqual(floor, NOW + 40 * DAY - 46 - 60)
        self.assertEqual(self.tell(bench, floor - 1), "clock-refused")

    def test_no_code_is_good_twice_for_it(self):
        bench = Bench()
        bench.enrol()
        bench.ask("clock_set", time=NOW)
        bench.board.up += 20 * DAY
        at = NOW + 20 * DAY
        self.assertEqual(verify(bench, TOTP.at(at)), "accepted")
        self.assertEqual(self.tell(bench, at - 59), "ok")
        self.assertEqual(bench.ask("clock_show")["time"], at - 59)
        self.assertEqual([verify(bench, TOTP.at(at - k)) for k in (0, 30)], ["rejected", "replayed"])
        bench.board.up += 59
        self.assertEqual([verify(bench, TOTP.at(at - k)) for k in (0, 30)], ["replayed", "replayed"])

    def test_cut_anywhere_it_is_in_the_log_or_not_done(self):
        bench = unset()
        before = events(bench)[-1][0]

        def tell(cut):
            cut.ask("clock_tell", time=NOW + HOUR)
            if cut.device.clock.now() is not None:
                self.assertEqual(len(logged_in(cut)), 1)

        def logged_in(cut):
            return [e for e in cut.device.audit.last(5) if e.name == "clock-told"]

        for after, _ in cuts(bench, tell):
            self.assertEqual(after.ask("clock_show")["state"], "unset")  # it holds until power-off
            said = len(logged(after, before, "clock-told"))
        self.assertEqual(said, 1)


class Synced(unittest.TestCase):
    """By servers, of which the board has a network in memory."""

    def start(self, bench, **clocks):
        """Power on with these servers."""
        bench.board.network = Network(**clocks)
        bench.start()
        bench.admin.unseal(bench.session)
        self.run_for(bench, 3)

    @staticmethod
    def run_for(bench, seconds):
        """Seconds go by, in each the device looks up."""
        for _ in range(seconds):
            bench.board.up += 1
            bench.device.tick()

    def test_from_unset(self):
        bench = unset()
        first = bench.device.audit.next
        self.start(bench, a=right(NOW + DAY), b=right(NOW + DAY), c=silent)
        self.run_for(bench, 5)
        shown = bench.ask("clock_show")
        self.assertEqual((shown["state"], shown["source"], shown["ntp"]), ("synced", "ntp", "ok"))
        self.assertTrue(abs(shown["time"] - (NOW + DAY + 6)) <= shown["error"] <= 4)
        self.assertEqual(len(logged(bench, first, "clock-synced")), 1)
        self.assertEqual(verify(bench, TOTP.at(shown["time"])), "accepted")
        self.run_for(bench, 3000)  # again and again: nothing to tell
        self.assertEqual(len(logged(bench, first, "clock-synced")), 1)

    def test_never_before_the_floor_nor_years_ahead(self):
        for time in (NOW - 10, NOW + MAX_AHEAD + 10):
            bench = unset()
            self.start(bench, a=right(time), b=right(time), c=right(time))
            shown = bench.ask("clock_show")
            self.assertEqual((shown["state"], shown["ntp"]), ("unset", "refused"))

    def stepped(self, off):
        """A bench set to NOW, with a floor 800 s before, and a server that is always `off` from its clock."""
        bench = unset(NOW - 800)
        bench.board.time = NOW
        bench.restart()
        self.start(bench, a=lambda data: right(bench.device.clock.now() + off)(data))
        return bench

    def test_steps_are_bounded_and_one_a_day(self):
        for off, taken in ((MAX_STEP - 5, True), (MAX_STEP + 5, False), (-500, True), (-900, False)):
            bench = self.stepped(off)
            shown = bench.ask("clock_show")
            wanted = ("ntp", "ok") if taken else ("bench", "refused")
            self.assertEqual((off, shown["source"], shown["ntp"]), (off,) + wanted)
            self.assertTrue(abs(shown["time"] - NOW - 3 - (off if taken else 0)) < 3)
        bench = self.stepped(MAX_STEP - 5)
        time = bench.ask("clock_show")["time"]
        self.run_for(bench, 1100)  # a second one on the same day is one too many
        self.assertEqual(bench.ask("clock_show")["time"], time + 1100)
        self.assertEqual(bench.ask("clock_show")["ntp"], "refused")

    def test_a_host_that_was_quicker_is_put_right_by_the_servers(self):
        for lie in (HOUR, -HOUR, 300 * DAY):
            bench = unset(NOW - 2 * HOUR)
            self.assertEqual(bench.ask("clock_tell", time=NOW + lie)["status"], "ok")
            board = bench.board
            self.start(bench, a=lambda data, board=board: right(NOW + board.up)(data))
            self.run_for(bench, 30)
            shown = bench.ask("clock_show")
            self.assertEqual((shown["source"], shown["ntp"]), ("ntp", "ok"), lie)
            self.assertTrue(abs(shown["time"] - (NOW + bench.board.up)) <= shown["error"])

    def test_small_steps_that_add_up_are_logged(self):
        bench = unset()
        first = bench.device.audit.next
        self.start(bench, a=lambda data: right((bench.device.clock.now() or NOW) + 2)(data))
        self.run_for(bench, 20 * 1100)
        moved = bench.ask("clock_show")["time"] - NOW - bench.board.up
        self.assertTrue(moved >= 20, moved)
        self.assertTrue(len(logged(bench, first, "clock-synced")) >= moved // 6)

    def test_an_admin_may_do_what_servers_may_not(self):
        bench = unset()
        self.start(bench, a=right(NOW - 10), b=right(NOW - 10), c=right(NOW - 10))
        self.assertEqual(bench.ask("clock_set", time=NOW - 10, back=True)["state"], "synced")


class Regained(unittest.TestCase):
    def regain(self, bench, time, low=NOW, high=NOW + DAY, user="alice", **fields):
        """The last reply, and how often was asked; the codes are those of a time and the step after it."""
        fields = dict({"code1": TOTP.at(time), "code2": TOTP.at(time + 30)}, **fields)
        for count in range(1, 1000):
            reply = bench.ask("clock_regain", user=user, low=low, high=high, **fields)
            if status_of(reply) != "ok" or reply["done"] == reply["total"]:
                return reply, count
        raise ValueError("no end")

    def test_a_day(self):
        bench = unset()
        reply, count = self.regain(bench, NOW + 5 * HOUR)
        self.assertEqual((reply["status"], reply["state"], reply["source"]), ("ok", "synced", "codes"))
        self.assertTrue(abs(reply["time"] - (NOW + 5 * HOUR + 30)) <= 30 == reply["error"])
        self.assertEqual((reply["total"], count), (DAY // 30 + 1, 2))
        _, event, name, detail = events(bench)[-1]
        self.assertEqual(
            (event.name, name, detail, event.sealed),
            ("clock-regained", "alice", "unset -> %d" % reply["time"], True),
        )
        for k in (0, 30):  # both are burnt
            self.assertEqual(verify(bench, TOTP.at(NOW + 5 * HOUR + k)), "replayed")
        self.assertEqual(verify(bench, TOTP.at(NOW + 5 * HOUR + 60)), "accepted")

    def test_the_first_and_the_last_of_the_range(self):
        begin = NOW // 30 * 30
        for time in (begin, begin + DAY - 30):
            reply, _ = self.regain(unset(), time)
            self.assertEqual((reply["status"], abs(reply["time"] - time - 45) <= 30), ("ok", True))
        self.assertEqual(self.regain(unset(), begin + DAY + 60)[0]["status"], "rejected")
        self.assertEqual(self.regain(unset(), begin - 60, low=0)[0]["status"], "rejected")

    def test_the_time_that_the_search_took_is_not_lost(self):
        bench = unset()
        fields = {"user": "alice", "code1": TOTP.at(NOW), "code2": TOTP.at(NOW + 30), "low": NOW}
        self.assertEqual(bench.ask("clock_regain", high=NOW + DAY, **fields)["status"], "ok")
        bench.board.up += 500
        reply = bench.ask("clock_regain", high=NOW + DAY, **fields)
        self.assertEqual(reply["done"], reply["total"])
        self.assertTrue(abs(reply["time"] - (NOW + 30 + 500)) <= 30)

    def test_a_wrong_pair_is_a_guess_and_is_logged(self):
        bench = unset()
        reply, _ = self.regain(bench, NOW + HOUR, code2=WRONG)
        self.assertEqual(reply["status"], "rejected")
        self.assertEqual(events(bench)[-1][1].name, "resync-refused")
        self.assertEqual(bench.ask("user_show", user="alice")["failures"], 1)
        for _ in range(4):
            self.regain(bench, NOW + HOUR, code2=WRONG)
        self.assertEqual(self.regain(bench, NOW + HOUR)[0]["status"], "throttled")
        self.assertEqual(bench.ask("clock_show")["state"], "unset")

    def test_two_places_are_one_too_many(self):
        """With a secret and a range in which a pair of 6 digits is found twice that takes luck; so the same
        pair is looked for among codes that were made equal."""
        bench = unset()
        from understudy_device import regain  # noqa: PLC0415 -- to be given other codes

        whole = regain.codes
        regain.codes = lambda secret, algorithm, digits, steps: [step % 1000 for step in steps]
        try:
            step = NOW // 30 + 50
            codes = ["%06d" % ((step + k) % 1000) for k in (0, 1)]
            reply, _ = self.regain(bench, NOW, code1=codes[0], code2=codes[1])
        finally:
            regain.codes = whole
        self.assertEqual((reply["status"], "at 3 times" in reply["message"]), ("clock-refused", True))
        self.assertEqual(bench.ask("clock_show")["state"], "unset")

    def test_used_codes_set_nothing(self):
        bench = Bench()
        bench.enrol()
        bench.ask("clock_set", time=NOW - HOUR)
        bench.board.up += 3500
        at = bench.ask("clock_show")["time"]
        self.assertEqual(verify(bench, TOTP.at(at)), "accepted")
        bench.board.time = None
        bench.restart()
        self.assertEqual(self.regain(bench, at - 30, low=0)[0]["status"], "replayed")
        self.assertEqual(self.regain(bench, at, low=0)[0]["status"], "ok")  # its second is later

    def test_what_is_refused(self):
        bench = unset()
        enrol_hotp(bench, "bob")
        bench.enrol("carol", confirmed=False)
        codes = {"code1": HOTP.at(0), "code2": HOTP.at(1)}
        day = {"low": NOW, "high": NOW + DAY}
        for fields, status in (
            (dict(day, user="bob"), "bad-request"),
            (dict(day, user="nobody"), "not-found"),
            (dict(day, user="alice", credential="x"), "not-found"),
            (dict(day, user="carol"), "disabled"),
            (dict(day, user="alice", code1="12345"), "malformed"),
            (dict(user="alice", low=NOW, high=NOW - 1), "bad-request"),
            (dict(user="alice", low=0, high=5), "bad-request"),  # before the floor
            (dict(user="alice", low=NOW, high=NOW + MAX_AHEAD + 1), "bad-request"),
        ):
            reply = bench.ask("clock_regain", **dict(codes, **fields))
            self.assertEqual((fields, reply["status"]), (fields, status))
        bench.ask("clock_set", time=NOW)
        reply = bench.ask("clock_regain", **dict(codes, user="alice", low=NOW, high=NOW + DAY))
        self.assertEqual(reply["status"], "clock-refused")

    def test_of_the_named_credential(self):
        bench = unset()
        bench.ask(
            "user_add", user="alice", credential="two", secret=OTHER_HEX, confirmed=True, entropy="00" * 32
        )
        other = pyotp.TOTP(OTHER)
        codes = {"code1": other.at(NOW + 60), "code2": other.at(NOW + 90)}
        self.assertEqual(self.regain(bench, NOW, **codes)[0]["status"], "rejected")
        self.assertEqual(self.regain(bench, NOW, credential="two", **codes)[0]["status"], "ok")

    def test_cut_anywhere_the_codes_are_burnt_if_the_clock_was_set(self):
        at = NOW + 600
        for after, has_cut in cuts(unset(), lambda cut: self.regain(cut, at, high=NOW + 1200)):
            shown = after.ask("clock_show")
            names = [e.name for _, e, _, _ in events(after)]
            is_cut, was_set = has_cut, shown["floor"] > NOW
            if was_set:
                self.assertIn("clock-regained", names)
            after.ask("clock_set", time=max(at, shown["floor"]))
            verdict = verify(after, TOTP.at(at))
            self.assertEqual(verdict, "replayed" if was_set or verdict == "replayed" else "accepted")
        self.assertFalse(is_cut)
        self.assertTrue(was_set)


class Widened(unittest.TestCase):
    def test_the_table(self):
        for window, error, widest, wanted in (
            (1, 0, 2, 1),
            (1, 29, 2, 1),
            (1, 30, 2, 2),
            (1, 600, 2, 2),
            (1, 600, 10, 10),
            (0, 600, 2, 2),
            (0, 35, 2, 1),
            (3, 600, 2, 3),  # never narrower than its own
            (1, 600, 0, 1),
            (10, 600, 10, 10),
        ):
            self.assertEqual(
                (window, error, widest, widened(window, 30, error, widest)), (window, error, widest, wanted)
            )

    def verdicts(self, days, **settings):
        """What the codes of -3 to 3 steps are worth after days of holdover."""
        said = []
        for k in range(-3, 4):
            bench = Bench()
            bench.enrol()
            if settings:
                bench.ask("settings_set", **settings)
            bench.ask("clock_set", time=NOW)
            bench.board.up += days * DAY
            said.append(verify(bench, TOTP.at(NOW + days * DAY + 30 * k)) == "accepted")
        return [i for i, good in enumerate(said, -3) if good]

    def test_as_far_as_the_setting_allows(self):
        self.assertEqual(self.verdicts(0), [-1, 0, 1])
        self.assertEqual(self.verdicts(6), [-1, 0, 1])  # 2 + 26 s
        self.assertEqual(self.verdicts(8), [-2, -1, 0, 1, 2])  # 2 + 35 s
        self.assertEqual(self.verdicts(60), [-2, -1, 0, 1, 2])
        self.assertEqual(self.verdicts(60, widest_window=0), [-1, 0, 1])
        self.assertEqual(self.verdicts(60, widest_window=10), [-3, -2, -1, 0, 1, 2, 3])
        self.assertEqual(self.verdicts(60, window=0), [-2, -1, 0, 1, 2])

    def test_the_setting_survives(self):
        bench = Bench()
        self.assertEqual(bench.ask("settings_show")["widest_window"], 2)
        bench.ask("settings_set", widest_window=7)
        bench.restart()
        self.assertEqual(bench.ask("settings_show")["widest_window"], 7)


class Drift(unittest.TestCase):
    """A month of a crystal 20 ppm off, a source seen in between."""

    PPM = 20

    def month(self, sign, source_day):
        """The worst of (|true error|, error said) and the verdicts of each day."""
        ticks, clock = Ticker(), None
        verdicts = []
        bench = Bench(BenchBoard(time=None))
        bench.enrol()
        bench.board.uptime = bench.device.clock._uptime = ticks
        bench.start()
        bench.admin.unseal(bench.session)
        for day in range(31):
            true = NOW + day * DAY
            ticks.up = day * DAY + sign * day * DAY * self.PPM // 1000000
            clock = bench.device.clock
            if day == 0:
                bench.ask("clock_set", time=true)
            if day == source_day:
                self.assertEqual(bench.ask("clock_tell", time=true)["status"], "ok")
            shown = bench.ask("clock_show")
            self.assertTrue(abs(shown["time"] - true) <= shown["error"], (day, shown))
            verdicts.append(verify(bench, TOTP.at(true)))
        self.assertIsNotNone(clock)
        return set(verdicts)

    def test_the_default_window_does_when_a_source_was_seen(self):
        for sign in (1, -1):
            for day in (10, 15, 20):
                self.assertEqual((sign, day, self.month(sign, day)), (sign, day, {"accepted"}))

    def test_a_window_of_nothing_more_than_its_own_does_too(self):
        """The error said widens it; 26 s are within the default window even so."""
        for sign in (1, -1):
            ticks = Ticker()
            clock = Clock(ticks)
            clock.set(NOW, "admin")
            ticks.up = 15 * DAY + sign * 15 * DAY * self.PPM // 1000000
            self.assertTrue(abs(clock.now() - NOW - 15 * DAY) < 30)


if __name__ == "__main__":
    unittest.main()
