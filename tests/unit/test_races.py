# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""One code asked about more than once: in any order, on any port, by any host, with restarts in between, one
request is accepted."""

import json
import unittest

import pyotp
from asking import ENTROPY, HOTP, OTHER, OTHER_HEX, TOTP, bypass, enrol_hotp, recovery, second_host
from parts import NOW, Bench, BenchBoard, CutFlash
from understudy_device.device import Device
from understudy_device.service import Caller, Service


def orders(items):
    """Every permutation of a list."""
    if len(items) < 2:
        return [items]
    return [[item] + rest for i, item in enumerate(items) for rest in orders(items[:i] + items[i + 1 :])]


class Desk:
    """A device as a bench left it, asked past the link by its admin, A, and by another host, B."""

    def __init__(self, bench, other):
        self._flash = CutFlash(bench.board.flash.image())
        self._keys = {"A": bench.admin.keys.public, "B": other.keys.public}
        self._wrap = bench.admin.wrap()
        self.answers = {}  # request: every status it was given
        self.restart()

    def restart(self):
        """Power off and on."""
        self._flash = CutFlash(self._flash.image())
        self.board = BenchBoard(self._flash)
        device = Device(self.board)
        self._service = Service(device)
        hosts = {host.public_key: host for _, host in device.vault.hosts()}
        self._callers = {who: Caller(key, hosts[key]) for who, key in self._keys.items()}
        self._call("A", {"id": "f" * 16, "cmd": "unseal", "wrap": self._wrap, "entropy": ENTROPY})

    def _call(self, who, request):
        return json.loads(self._service.call(self._callers[who], json.dumps(request).encode()))

    def ask(self, who, number, cmd="verify", **fields):
        """Request `number` of A or B; its status, which is kept."""
        fields.update({"id": "%016x" % number, "cmd": cmd})
        status = self._call(who, fields)["status"]
        self.answers.setdefault((who, number), []).append(status)
        return status

    def accepted(self):
        """How many requests were accepted; every retry must have got what the first one did."""
        for request, statuses in self.answers.items():
            if len(set(statuses)) != 1:
                raise AssertionError("%s: %s" % (request, statuses))
        return [statuses[0] for statuses in self.answers.values()].count("accepted")


def prepared(enrol):
    """(bench, other host, what `enrol` gave): to make many a Desk from."""
    bench = Bench()
    other, _ = second_host(bench)
    return bench, other, enrol(bench)


class OneCode(unittest.TestCase):
    """Two requests of the admin and one of another host, some of them asked again, a restart somewhere."""

    ACTS = (("A", 1), ("A", 2), ("B", 3), ("restart", 0))

    def check(self, enrol):
        bench, other, code = prepared(enrol)
        for order in orders(list(self.ACTS)):
            desk = Desk(bench, other)
            for who, number in order + order[:2]:  # the first two once more: retries
                if who == "restart":
                    desk.restart()
                else:
                    desk.ask(who, number, user="alice", code=code)
            self.assertEqual((order, desk.accepted()), (order, 1))

    def test_totp(self):
        self.check(lambda bench: (bench.enrol(), TOTP.at(NOW))[1])

    def test_hotp(self):
        self.check(lambda bench: (enrol_hotp(bench), HOTP.at(2))[1])

    def test_recovery(self):
        self.check(lambda bench: (bench.enrol(), recovery(bench)[9])[1])

    def test_bypass(self):
        self.check(lambda bench: (bench.enrol(), bypass(bench))[1])

    def test_on_two_sessions(self):
        bench = Bench()
        bench.enrol()
        other, session = second_host(bench)
        fields = {"user": "alice", "code": TOTP.at(NOW)}
        self.assertEqual(other.ask(session, "verify", **fields)["status"], "accepted")
        self.assertEqual(bench.ask("verify", **fields)["status"], "replayed")
        self.assertEqual(other.ask(session, "verify", **fields)["status"], "replayed")

    def test_two_codes_of_one_window_each_once(self):
        """The later one uses the earlier one up, never the other way round."""
        bench, other, _ = prepared(lambda bench: bench.enrol())
        for order in orders([0, 30, 0, 30]):
            desk = Desk(bench, other)
            for number, ahead in enumerate(order):
                desk.ask("AB"[number % 2], number, user="alice", code=TOTP.at(NOW + ahead))
            self.assertEqual((order, desk.accepted()), (order, 1 if order[0] else 2))

    def test_two_users_do_not_disturb_each_other(self):
        users = ["alice", "bob"]
        desk = Desk(*prepared(lambda bench: [bench.enrol(user) for user in users])[:2])
        for number in range(40):
            desk.board.up += 30
            for who, user in zip("AB", users):
                desk.ask(who, number, user=user, code=TOTP.at(NOW + desk.board.up))
        self.assertEqual(desk.accepted(), 80)


class OtherCommands(unittest.TestCase):
    def test_confirm_against_verify(self):
        add = {"user": "alice", "secret": "31" * 20, "entropy": ENTROPY}
        bench, other, _ = prepared(lambda bench: bench.ask("user_add", **add))
        acts = [("user_confirm", 1), ("user_confirm", 2), ("verify", 3), ("verify", 4), ("restart", 0)]
        for order in orders(acts):
            desk, said = Desk(bench, other), []
            for cmd, number in order:
                if cmd == "restart":
                    desk.restart()
                else:
                    said.append((cmd, desk.ask("A", number, cmd, user="alice", code=TOTP.at(NOW))))
            self.assertEqual((order, desk.accepted()), (order, 1))
            confirmed = [status for cmd, status in said if cmd == "user_confirm"]
            self.assertEqual(confirmed, ["accepted", "exists"])

    def resync_against_verify(self, enrol, first, second):
        bench, other, _ = prepared(enrol)
        for order in orders([("resync", 1), ("verify", 2), ("verify", 3), ("restart", 0)]):
            desk, said = Desk(bench, other), []
            for cmd, number in order:
                fields = {"code1": first, "code2": second} if cmd == "resync" else {"code": second}
                if cmd == "restart":
                    desk.restart()
                else:
                    said.append(desk.ask("B", number, cmd, user="alice", **fields))
            uses = said.count("ok") + said.count("accepted")
            self.assertEqual((order, uses, said), (order, 1, said))
            # The first one is never good after it; HOTP tells of the last one only.
            self.assertIn(desk.ask("A", 9, user="alice", code=first), ("replayed", "rejected"))

    def test_resync_against_verify_totp(self):
        self.resync_against_verify(lambda bench: bench.enrol(), TOTP.at(NOW), TOTP.at(NOW + 30))

    def test_resync_against_verify_hotp(self):
        self.resync_against_verify(enrol_hotp, HOTP.at(3), HOTP.at(4))

    def test_removal_against_verify(self):
        def enrol(bench):
            bench.enrol()
            bench.enrol(credential="other", secret=OTHER_HEX)

        bench, other, _ = prepared(enrol)
        remove = {"user": "alice", "credential": "phone"}
        for order in orders(["remove", "verify", "verify"]):
            desk = Desk(bench, other)
            for number, act in enumerate(order):
                if act == "verify":
                    desk.ask("B", number, user="alice", code=TOTP.at(NOW))
                else:
                    desk.ask("A", number, "credential_remove", **remove)
            self.assertEqual((order, desk.accepted()), (order, 0 if order[0] == "remove" else 1))
            code = pyotp.TOTP(OTHER).at(NOW)
            self.assertEqual(desk.ask("B", 9, user="alice", code=code), "accepted")


if __name__ == "__main__":
    unittest.main()
