# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The SNTP client: what it believes of a server, the majority of servers, when it asks."""

import struct
import unittest

from parts import NOW, Randomness
from test_clock import Ticker
from understudy_device.sntp import Sntp, majority, parse, request

NONCE = bytes(range(1, 9))
EPOCH = 2208988800


def answer(asked, time, first=0x24, stratum=2, delay=0, dispersion=0, fraction=0, origin=None):
    """A server's answer to a request, `time`: Unix seconds."""
    origin = asked[40:48] if origin is None else origin
    head = struct.pack(">BBBBII4s", first, stratum, 6, 0xEC, delay, dispersion, b"LOCL")
    stamp = struct.pack(">II", (time + EPOCH) & 0xFFFFFFFF, fraction)
    return head + stamp + origin + stamp + stamp


class Network:
    """Servers in memory: `clocks` gives by name a function of the request's bytes that returns datagrams."""

    def __init__(self, **clocks):
        self.clocks = clocks
        self.servers = sorted(clocks)
        self.sent = []
        self.waiting = []

    def send(self, server, data):
        """A datagram to a server."""
        self.sent.append(server)
        self.waiting += [(server, got) for got in self.clocks[server](data)]

    def receive(self):
        """The next answer, if there is one."""
        return self.waiting.pop(0) if self.waiting else None


def right(time=NOW, **fields):
    """A server that says it is `time`."""
    return lambda data: [answer(data, time, **fields)]


def silent(_data):
    """A server that does not answer."""
    return []


class Flooded(unittest.TestCase):
    def test_junk_from_before_does_not_stand_before_an_answer(self):
        network = Network(a=right())
        client = Sntp(network, Randomness(), Ticker())
        network.waiting += [("", b"x")] * 400
        self.assertIsNone(client.tick())
        self.assertEqual(client.tick()[0], NOW)


class Parse(unittest.TestCase):
    def test_a_request_holds_a_nonce_and_nothing_about_us(self):
        data = request(NONCE)
        self.assertEqual((len(data), data[0], data[1:40], data[40:]), (48, 0x23, bytes(39), NONCE))

    def test_what_a_good_answer_tells(self):
        asked = request(NONCE)
        self.assertEqual(parse(answer(asked, NOW), NONCE), (NOW, 0))
        self.assertEqual(parse(answer(asked, NOW, fraction=1 << 31), NONCE), (NOW + 1, 0))
        self.assertEqual(parse(answer(asked, NOW, delay=0x8000, dispersion=0x4000), NONCE), (NOW, 1))
        self.assertEqual(parse(answer(asked, NOW, first=0x1C), NONCE), (NOW, 0))  # version 3
        for time in (0, 2085978495, 2085978496, 0xFFFFFFFF):  # across 2036, where NTP's era ends
            self.assertEqual(parse(answer(asked, time, fraction=1), NONCE), (time, 0))

    def test_what_is_not_believed(self):
        asked = request(NONCE)
        for fields in (
            {"first": 0x23},  # a client's
            {"first": 0x25},  # broadcast
            {"first": 0xE4},  # not synchronised
            {"first": 0x04},  # version 0
            {"stratum": 0},  # a kiss of death
            {"stratum": 16},
            {"stratum": 255},
            {"origin": bytes(8)},
            {"origin": NONCE[:7] + b"\x00"},
            {"dispersion": 0x10001},
            {"delay": 0x30000},
            {"delay": 0xFFFFFFFF},
        ):
            self.assertEqual((fields, parse(answer(asked, NOW, **fields), NONCE)), (fields, None))
        whole = answer(asked, NOW)
        for size in range(48):
            self.assertIsNone(parse(whole[:size], NONCE))
        self.assertIsNone(parse(whole[:40] + bytes(8), NONCE))

    def test_no_bytes_make_it_fail(self):
        random = Randomness()
        for size in range(100):
            self.assertIsNone(parse(random(size), NONCE))


class Majority(unittest.TestCase):
    def test_of_three(self):
        for samples, wanted in (
            ([(10, 3), (11, 3), (12, 3)], (11, 3)),
            ([(10, 3), (11, 3), (90000, 3)], (10, 3)),
            ([(90000, 3), (10, 3), (11, 3)], (10, 3)),
            ([(10, 3), (17, 3), (24, 3)], None),
            ([(10, 3), (11, 3)], (10, 3)),
            ([(10, 3)], None),
            ([], None),
        ):
            self.assertEqual((samples, majority(samples, 3)), (samples, wanted))

    def test_of_other_counts(self):
        self.assertEqual(majority([(10, 3)], 1), (10, 3))
        self.assertIsNone(majority([(10, 3)], 2))
        self.assertIsNone(majority([(10, 3), (11, 3), (50, 3), (51, 3)], 4))

    def test_the_time_that_all_of_a_majority_hold_possible_is_in_the_bounds(self):
        """Whenever most servers are right, so is the answer."""
        random = Randomness()
        answers = 0
        for _ in range(500):
            true, samples = 1000, []
            for i in range(3):
                error = random(1)[0] % 6
                off = random(1)[0] % (2 * error + 1) - error
                samples.append((true + (off if i < 2 else 500), error))
            time, error = majority(samples, 3)
            self.assertTrue(abs(time - true) <= error, (samples, time, error))
            answers += 1
        self.assertEqual(answers, 500)


class Client(unittest.TestCase):
    def setUp(self):
        self.uptime = Ticker()

    def client(self, **clocks):
        """A client of servers in memory."""
        self.network = Network(**clocks)
        return Sntp(self.network, Randomness(), self.uptime)

    def ticks(self, client, count):
        """[(uptime, what it found)] of so many seconds."""
        found = []
        for _ in range(count):
            got = client.tick()
            if got is not None:
                found.append((self.uptime.up, got))
            self.uptime.up += 1
        return found

    def test_three_that_agree(self):
        client = self.client(a=right(), b=right(), c=right())
        self.assertEqual(client.state, "waiting")
        found = self.ticks(client, 1030)
        self.assertEqual((found, client.state), ([(1, (NOW + 1, 3)), (1026, (NOW + 1, 3))], "ok"))
        self.assertEqual(self.network.sent, ["a", "b", "c"] * 2)

    def test_one_that_lies_and_one_that_is_silent(self):
        client = self.client(a=right(), b=right(NOW + 86400), c=right())
        self.assertEqual(self.ticks(client, 3), [(1, (NOW + 1, 3))])
        client = self.client(a=right(), b=silent, c=right())
        self.uptime.up = 0
        self.assertEqual(self.ticks(client, 9), [(5, (NOW + 5, 3))])  # it was waited for

    def test_no_majority_and_no_answer_back_off(self):
        client = self.client(a=right(), b=right(NOW + 86400), c=silent)
        self.assertEqual((self.ticks(client, 3000), client.state), ([], "no-majority"))
        # 16, 32, 64, .. 1024 s after each failure, and 5 s of waiting each time
        self.assertEqual(len(self.network.sent), 3 * 8)
        client = self.client(a=silent, b=silent, c=silent)
        self.assertEqual((self.ticks(client, 10), client.state), ([], "no-answer"))

    def test_a_second_answer_of_one_server_is_no_second_voice(self):
        twice = lambda data: [answer(data, NOW + 500), answer(data, NOW + 500)]  # noqa: E731
        client = self.client(a=twice, b=silent, c=silent)
        self.assertEqual(self.ticks(client, 10), [])

    def test_the_answer_to_another_request_does_not_count(self):
        """One server that answers for another does not know its nonce; nor the one of next time."""
        old = []

        def late(data):
            old.append(data)
            return [answer(old[-2], NOW + 500)] if len(old) > 1 else []

        client = self.client(a=late, b=late, c=late)
        self.assertEqual(self.ticks(client, 500), [])

    def test_a_network_that_fails(self):
        client = self.client(a=right())

        def fails(*_):
            raise OSError(101)

        self.network.send = fails
        self.assertEqual((self.ticks(client, 10), client.state), ([], "no-answer"))
        client = self.client(a=right())
        self.network.receive = fails
        self.assertEqual((self.ticks(client, 10), client.state), ([], "no-answer"))


if __name__ == "__main__":
    unittest.main()
