# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The clock chip: its driver and what the device makes of it, against a model of its registers (the one of
the emulated bus, here on a bus of its own)."""

import datetime
import unittest

from asking import TOTP, events, verify
from parts import NOW, Bench, BenchBoard, CutFlash, PowerCut, Randomness
from test_sntp import Network, right
from understudy.simulator import ds3231 as model
from understudy_device import records
from understudy_device.ds3231 import DS3231, Nonsense, decode, encode
from understudy_device.sectors import SECTOR
from wired_bus import WiredBus

HOUR, DAY = 3600, 86400


class World:
    """True time, in which chip and device drift."""

    def __init__(self, chip, ppm=0):
        self.chip, self.ppm = chip, ppm
        self.true = float(NOW)
        if chip is not None:
            chip.attached(lambda: (self.true - NOW) * 1e6)
        self.bus = WiredBus(*([] if chip is None else [chip]))
        self.flash = CutFlash()
        self.bench = None

    def power_up(self, claimed=True, **attributes):
        board = BenchBoard(self.flash, time=None)
        board.i2c = self.bus
        board.started = self.true
        board.uptime = lambda: int((self.true - board.started) * (1 + self.ppm / 1e6))
        for name, value in attributes.items():
            setattr(board, name, value)
        if self.bench is None:
            self.bench = Bench(board, claimed)
        else:
            image = self.flash.image()
            board.flash = self.flash = CutFlash(image, len(image) // SECTOR)
            self.bench.board = board
            self.bench.start()
            self.bench.admin.unseal(self.bench.session)
        return self.bench

    def wait(self, seconds, tick=1):
        while seconds > 0:
            self.true += min(tick, seconds)
            seconds -= tick
            self.bench.device.tidy()
            self.bench.device.tick()

    def show(self):
        return self.bench.ask("clock_show")

    def faults(self):
        return [detail for _, e, _, detail in events(self.bench) if e.name == "fault"]


def ready(chip=None, ppm=0):
    """A world whose device has a chip, and was set by an admin."""
    world = World(model.DS3231() if chip is None else chip, ppm)
    world.power_up().enrol()
    world.bench.ask("clock_set", time=int(world.true))
    world.wait(2)
    return world


class Registers(unittest.TestCase):
    def test_every_kind_of_day(self):
        random = Randomness()
        times = [946684800, 951782400, 1709164800, 1709251199, 4102444799, 4102444800, 4107542400, 0xFFFFFFFF]
        times += [946684800 + int.from_bytes(random(4), "big") % 3348282496 for _ in range(2000)]
        for time in times:
            registers = encode(time)
            self.assertEqual(decode(registers), time)
            day = datetime.datetime.fromtimestamp(time, datetime.UTC)
            self.assertEqual(registers[3], day.isoweekday())
            self.assertEqual("%02x%02x" % (registers[4], registers[6]), day.strftime("%d%y"))

    def test_nonsense(self):
        good = encode(NOW)
        decode(good)
        seconds_to_day = [(0, 0x60), (0, 0x7A), (1, 0x0A), (1, 0x99), (2, 0x24), (2, 0x41), (3, 0), (3, 8)]
        dates = [(4, 0), (4, 0x32), (5, 0), (5, 0x13), (5, 0x93), (6, 0xA0)]
        for register, value in seconds_to_day + dates:
            bad = bytearray(good)
            bad[register] = value
            with self.assertRaises(Nonsense):
                decode(bad)
        with self.assertRaises(Nonsense):
            decode(bytes((0, 0, 0, 1, 0x30, 0x02, 0x24)))
        with self.assertRaises(Nonsense):
            decode(bytes((0, 0, 0, 1, 0x29, 0x02, 0x23)))  # no leap year

    def test_the_driver_on_the_model(self):
        chip = model.DS3231()
        world = World(chip)
        driver = DS3231(world.bus)
        self.assertIsNone(driver.time())  # its oscillator had stopped
        driver.set(NOW + 5)
        self.assertEqual((driver.time(), chip.stopped), (NOW + 5, False))
        world.true += 3600
        self.assertEqual(driver.time(), NOW + 5 + 3600)
        chip.lose_power()
        self.assertIsNone(driver.time())
        world.bus.locked = True  # by the display
        with self.assertRaises(OSError):
            driver.time()
        self.assertTrue(world.bus.locked)


class PowerUp(unittest.TestCase):
    def test_the_time_comes_from_it(self):
        world = ready()
        self.assertEqual(world.show()["rtc"], "ok")
        world.true += 10 * DAY
        bench = world.power_up()
        shown = world.show()
        self.assertEqual((shown["state"], shown["source"]), ("synced", "rtc"))
        self.assertTrue(abs(shown["time"] - world.true) <= 1)
        # 2 s when it was set, the device's drift until then 1, twice a second's rounding, 3.5 ppm of 10 days
        self.assertEqual(shown["error"], 2 + 1 + 1 + 1 + 4)
        self.assertEqual(verify(bench, TOTP.at(int(world.true))), "accepted")

    def test_one_that_was_not_set_by_us_is_not_believed(self):
        world = World(model.DS3231(NOW + DAY))
        world.power_up()
        self.assertEqual((world.show()["state"], world.show()["rtc"]), ("unset", "unset"))

    def test_one_that_had_no_power(self):
        world = ready()
        world.chip.lose_power()
        world.power_up()
        self.assertEqual((world.show()["state"], world.show()["rtc"]), ("unset", "stopped"))
        world.wait(10)
        self.assertEqual(world.faults(), ["rtc: had no power"])
        world.bench.ask("clock_set", time=int(world.true))
        world.wait(2)
        self.assertEqual((world.show()["rtc"], world.chip.stopped), ("ok", False))
        world.power_up()
        self.assertEqual(world.show()["source"], "rtc")

    def test_absent(self):
        world = World(None)
        world.power_up()
        world.wait(2 * HOUR, 10)
        self.assertEqual((world.show()["rtc"], world.faults()), ("none", []))

    def test_nonsense_is_survived_and_said_once(self):
        bad = [
            b"\xff" * 7,
            b"\x00" * 7,
            bytes((0x60, 0, 0, 1, 1, 1, 0x30)),
            bytes((0, 0, 0, 1, 1, 0x13, 0x30)),
        ]
        bad += [bytes((0x1A, 0, 0, 1, 1, 1, 0x30)), bytes(encode(NOW - 10)), bytes(encode(946684800))]
        for nonsense in bad:
            world = ready()
            world.chip.nonsense = nonsense
            world.power_up()
            self.assertEqual((world.show()["state"], world.show()["rtc"]), ("unset", "nonsense"))
            world.wait(3 * HOUR, 10)
            self.assertEqual(len(world.faults()), 1)
            self.assertTrue(world.faults()[0].startswith("rtc: "))
            world.bench.ask("clock_set", time=int(world.true))
            world.wait(2)
            self.assertEqual(world.show()["state"], "synced")

    def test_stuck(self):
        world = ready()
        world.chip.stuck = NOW + 60
        world.power_up()
        self.assertEqual(world.show()["source"], "rtc")  # for seconds
        world.wait(5)
        self.assertEqual((world.show()["state"], world.show()["rtc"]), ("unset", "nonsense"))
        self.assertEqual(len(world.faults()), 1)

    def test_stuck_in_use(self):
        world = ready()
        world.wait(2 * HOUR, 10)
        self.assertEqual(world.show()["rtc"], "ok")
        world.chip.stuck = int(world.true)
        world.wait(2 * HOUR, 10)
        shown = world.show()
        self.assertEqual((shown["rtc"], shown["source"], shown["state"]), ("nonsense", "admin", "synced"))
        self.assertEqual(len(world.faults()), 1)

    def test_unplugged_in_use(self):
        world = ready()
        world.chip.present = False
        world.wait(3 * HOUR, 10)
        self.assertEqual((world.show()["rtc"], world.faults()), ("silent", ["rtc: does not answer"]))
        world.chip.present = True
        world.wait(2 * HOUR, 10)
        self.assertEqual(world.show()["rtc"], "ok")  # it has run on
        world.chip.present = False
        world.power_up()
        self.assertEqual((world.show()["rtc"], world.show()["state"]), ("silent", "unset"))

    def test_random_registers_never_harm(self):
        random = Randomness()
        for _ in range(300):
            world = World(model.DS3231(NOW))
            world.flash.memory.getbuffer()[:] = b"\xff" * len(world.flash.image())
            world.chip.nonsense = random(7)
            world.power_up(claimed=False)
            world.wait(5)
            self.assertIsNone(world.bench.device.clock.now())


class InUse(unittest.TestCase):
    def test_it_holds_the_time_better_than_the_crystal(self):
        world = ready(ppm=50)
        world.wait(30 * DAY, 600)
        shown = world.show()
        self.assertEqual(shown["source"], "rtc")
        self.assertTrue(abs(shown["time"] - world.true) <= shown["error"] <= 16, shown)
        self.assertEqual(world.faults(), [])

    def test_a_host_can_not_walk_the_clock_away_through_it(self):
        world = ready(ppm=50)
        for _ in range(10):
            world.wait(2 * DAY, HOUR)
            shown = world.show()
            for off in range(40, 0, -1):
                if world.bench.ask("clock_tell", time=shown["time"] + off)["status"] == "ok":
                    break
            world.wait(HOUR, 60)
        shown = world.show()
        self.assertTrue(abs(shown["time"] - world.true) <= 20, shown)

    def test_what_only_a_host_said_stays_open_to_better_sources(self):
        world = World(model.DS3231())
        world.power_up().enrol()
        world.bench.ask("clock_tell", time=int(world.true) + HOUR)
        world.wait(5)
        world.power_up(network=Network(a=lambda data: right(int(world.true))(data)))
        self.assertEqual(world.show()["source"], "rtc")
        world.wait(30)
        shown = world.show()
        self.assertEqual((shown["source"], shown["ntp"]), ("ntp", "ok"))
        self.assertTrue(abs(shown["time"] - world.true) <= shown["error"])

    def test_a_clock_set_just_before_the_chip_is_looked_at_is_no_fault(self):
        world = ready()
        world.power_up()
        world.bench.ask("clock_set", time=int(world.true) + HOUR)
        world.wait(10)
        self.assertEqual((world.show()["rtc"], world.faults()), ("ok", []))

    def test_the_last_second_that_there_is(self):
        world = World(model.DS3231())
        world.power_up()
        world.bench.ask("clock_tell", time=0xFFFFFFFF)
        world.wait(30)
        self.assertEqual(world.bench.ask("status")["faults"], 0)

    def test_it_is_set_seldom_by_a_source_that_speaks_often(self):
        world = ready()
        world.power_up(network=Network(a=lambda data: right(int(world.true))(data)))
        first = len(world.flash.operations)
        world.wait(DAY)
        self.assertEqual((world.show()["source"], world.show()["rtc"]), ("ntp", "ok"))
        self.assertLess(len(world.flash.operations) - first, 12)

    def test_every_cut_while_it_is_set_leaves_no_wrong_time(self):
        """The chip has the new time or the old; what is kept of it is of the same, or nothing."""
        for new in (NOW + 1000, NOW + 3 * DAY):
            cut_at, is_cut = 0, True
            while is_cut:
                world = ready()
                flash = world.flash
                flash.operations.clear()
                flash.cut_at, flash.tear = cut_at, ("none", "half", "bits", "all")[cut_at % 4]
                try:
                    world.bench.ask("clock_set", time=new)
                    world.wait(2)
                except PowerCut:
                    pass
                is_cut, cut_at = flash.dead, cut_at + 1
                world.power_up()
                shown = world.show()
                if shown["time"] is not None:
                    kept = records.unpack_rtc(world.bench.device.store.get(records.RTC))
                    off = min(abs(shown["time"] - new - 2), abs(shown["time"] - world.true))
                    self.assertLessEqual(off, 4)
                    self.assertLessEqual(abs(kept[0] - shown["time"]), 5)
            self.assertEqual(shown["source"], "rtc")
            self.assertGreater(cut_at, 3)


class AnyHistory(unittest.TestCase):
    """Drift, cuts, sources that come and go, a chip that breaks: the true time is within the error said,
    never before the floor; no step is accepted twice."""

    def history(self, seed):
        random = Randomness(b"any%d" % seed)
        pick = lambda n: int.from_bytes(random(3), "big") % n  # noqa: E731
        chip = model.DS3231(drift_ppm=pick(8) - 3.5 if pick(2) else 3.5 * (-1) ** seed)
        world = ready(chip, ppm=pick(101) - 50)
        hosts = 0
        used = set()
        floor = 0
        for _ in range(60):
            act = pick(10)
            if act == 0:
                network = Network(
                    a=lambda d: right(int(world.true))(d),
                    b=lambda d: right(int(world.true) + 100000)(d),
                    c=lambda d: right(int(world.true) + 1)(d),
                )
                world.power_up(**({"network": network} if pick(2) else {}))
            elif act == 1:
                world.true += pick(20 * DAY)
                world.power_up()
            elif act == 2:
                chip.present = not chip.present
            elif act == 3 and pick(3) == 0:
                chip.lose_power()
            elif act == 4:
                hosts += world.bench.ask("clock_tell", time=round(world.true))["status"] == "ok"
            elif act == 5 and world.show()["time"] is None:
                world.bench.ask("clock_set", time=round(world.true))
            else:
                world.wait(pick(4 * DAY), 60 * (1 + pick(60)))
            world.wait(2 + pick(5))
            shown = world.show()
            self.assertGreaterEqual(shown["floor"], floor)
            floor = shown["floor"]
            if shown["time"] is None:
                continue
            self.assertGreaterEqual(shown["time"], floor)
            self.assertLessEqual(abs(shown["time"] + 0.5 - world.true), shown["error"] + 0.5, (seed, shown))
            step = int(world.true) // 30 - pick(3)
            if verify(world.bench, TOTP.at(30 * step)) == "accepted":
                self.assertNotIn(step, used)
                used.add(step)
        return len(used), hosts

    def test_the_error_said_covers_the_true_one(self):
        totals = [self.history(seed) for seed in range(30)]
        self.assertGreater(sum(accepted for accepted, _ in totals), 300)
        self.assertGreater(sum(hosts for _, hosts in totals), 50)


class System:
    """An operating system's clock."""

    def __init__(self, world):
        self.world, self.off, self.right = world, 0, True

    def read(self):
        return int(self.world.true) + self.off

    def error(self):
        return 1 if self.right else None


class OfASystem(unittest.TestCase):
    """A Raspberry Pi with a chip: its system's clock sets the chip, and the chip stands in for it."""

    def test_a_system_that_is_right_sets_it_and_one_that_is_not_goes_by_it(self):
        world = World(model.DS3231())
        system = System(world)
        world.power_up(system_clock=system)
        world.wait(3700, tick=10)
        self.assertEqual((world.show()["source"], world.show()["rtc"]), ("system", "ok"))
        world.true += 5 * DAY
        system.off, system.right = -5 * DAY, False  # it stood still meanwhile
        world.power_up(system_clock=system)
        world.wait(2)
        shown = world.show()
        self.assertEqual(shown["source"], "rtc")
        self.assertLessEqual(abs(shown["time"] - world.true), shown["error"])


if __name__ == "__main__":
    unittest.main()
