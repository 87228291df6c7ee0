# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who may ask for what: the admin, a verifier, a host that pairs or was unpaired; a sealed or damaged one."""

import unittest
from binascii import crc32

from asking import ENTROPY, TOTP, second_host, without_id
from parts import NOW, Bench, BenchBoard, CutFlash, Host
from understudy_device import protocol
from understudy_device.pairing import key_id
from understudy_device.protocol import COMMANDS


class Roles(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.bench.enrol()
        self.other = Host(b"other")

    def pair(self, role="verifier"):
        self.bench.admin.open(self.bench.session)
        self.bench.ask("pair_open", role=role, seconds=60)
        reply = self.other.join(self.bench.session, "pair", "other")
        self.other.open(self.bench.session)
        return reply

    def hosts(self, **wanted):
        """The ids of the hosts that are as wanted."""
        self.bench.admin.open(self.bench.session)
        shown = self.bench.ask("host_list")["hosts"]
        return [h["host"] for h in shown if all(h[name] == value for name, value in wanted.items())]

    def test_a_verifier_may_verify_and_look_and_nothing_else(self):
        self.assertEqual(self.pair()["role"], "verifier")
        allowed = set()
        before = self.bench.board.flash.image()
        for cmd in COMMANDS:
            reply = self.other.ask(self.bench.session, cmd)
            if reply["status"] != "denied":
                allowed.add(cmd)
        looks = {"status", "screen", "settings_show", "clock_show", "user_state"}
        tells = {"clock_tell", "burn", "report"}  # see test_burn
        enrols = {"enrol", "enrol_confirm"}  # what they may: see test_enrol
        self.assertEqual(allowed, looks | enrols | tells | {"verify", "resync", "unseal"})
        self.assertEqual(self.bench.board.flash.image(), before)
        self.assertEqual(
            self.other.ask(self.bench.session, "verify", user="alice", code=TOTP.at(NOW))["status"],
            "accepted",
        )

    def test_every_command_has_a_role_and_someone_to_do_it(self):
        self.assertEqual(set(self.bench.session._service._handlers), set(COMMANDS))
        roles = {role for role, _, _ in COMMANDS.values()}
        self.assertEqual(roles, {"pairing", "verifier", "admin"})
        for role, needed, may in (
            ("verifier", "verifier", True),
            ("verifier", "admin", False),
            ("admin", "verifier", True),
            ("admin", "admin", True),
            ("admin", "pairing", False),
            (None, "verifier", False),
            (None, "pairing", True),
        ):
            self.assertEqual((role, needed, protocol.may(role, needed)), (role, needed, may))

    def test_a_second_admin_may_all(self):
        self.assertEqual(self.pair("admin")["role"], "admin")
        self.assertEqual(self.other.ask(self.bench.session, "user_remove", user="alice")["status"], "ok")

    def test_either_host_unseals(self):
        self.pair()
        self.bench.restart(unseal=False)
        self.other.open(self.bench.session)
        verify = {"user": "alice", "code": TOTP.at(NOW)}
        self.assertEqual(self.other.ask(self.bench.session, "verify", **verify)["status"], "sealed")
        self.other.unseal(self.bench.session)
        self.assertEqual(self.other.ask(self.bench.session, "verify", **verify)["status"], "accepted")

    def test_what_a_sealed_device_does(self):
        self.bench.restart(unseal=False)
        self.bench.admin.open(self.bench.session)
        for cmd in ("status", "screen", "settings_show", "clock_show"):
            self.assertEqual(self.bench.ask(cmd)["status"], "ok")
        for cmd, fields in (("verify", {"code": "123456"}), ("resync", {"code1": "1", "code2": "2"})):
            self.assertEqual(self.bench.ask(cmd, user="alice", **fields)["status"], "sealed")
        for cmd in COMMANDS:
            if COMMANDS[cmd][0] == "admin":
                self.assertEqual(self.bench.ask(cmd)["status"], "sealed")

    def test_a_wrong_wrap_secret_unseals_nothing(self):
        self.bench.restart(unseal=False)
        self.bench.admin.open(self.bench.session)
        reply = self.bench.ask("unseal", wrap="00" * 32, entropy=ENTROPY)
        self.assertEqual(reply["status"], "handshake-failed")
        self.assertEqual(self.bench.ask("user_list")["status"], "sealed")

    def test_pairing_needs_an_open_window_and_uses_it_up(self):
        self.assertEqual(self.other.join(self.bench.session, "pair")["status"], "pairing-closed")
        self.assertEqual(self.other.join(self.bench.session, "claim")["status"], "claimed")
        self.pair()
        third = Host(b"third")
        self.assertEqual(third.join(self.bench.session, "pair")["status"], "pairing-closed")
        self.bench.admin.open(self.bench.session)
        self.bench.ask("pair_open", role="verifier", seconds=60)
        self.bench.board.up += 60
        self.assertEqual(third.join(self.bench.session, "pair")["status"], "pairing-closed")

    def test_a_pairing_session_may_nothing_else(self):
        self.other.start_pairing(self.bench.session)
        for cmd in COMMANDS:
            if cmd not in ("claim", "pair"):
                self.assertEqual(self.other.ask(self.bench.session, cmd)["status"], "denied")

    def test_a_host_that_is_paired_already(self):
        self.pair()
        self.bench.admin.open(self.bench.session)
        self.bench.ask("pair_open", role="admin", seconds=60)
        self.assertEqual(self.other.join(self.bench.session, "pair")["status"], "exists")
        self.assertEqual(len(self.hosts(role="admin")), 1)

    def test_an_unpaired_host_is_out_at_once(self):
        self.pair()
        [host] = self.hosts(role="verifier")
        self.assertEqual(self.bench.ask("unpair", host=host)["status"], "ok")
        self.assertEqual(self.other.open(self.bench.session), (protocol.FAULT, b"not-paired"))
        self.bench.admin.open(self.bench.session)
        self.assertEqual(self.bench.ask("unpair", host=host)["status"], "not-found")

    def test_a_host_that_removes_itself_loses_its_session(self):
        self.pair("admin")
        [host] = self.hosts(name="other")
        self.other.open(self.bench.session)
        self.assertEqual(self.other.ask(self.bench.session, "unpair", host=host)["status"], "ok")
        self.assertEqual(self.other.ask(self.bench.session, "status"), "no-session")

    def test_unpairing_closes_the_window_and_leaves_no_wrap(self):
        self.pair("admin")
        wrap = self.bench.device.vault.hosts()[1][1].wrapped
        self.assertTrue(wrap in self.bench.board.flash.image())
        self.other.ask(self.bench.session, "pair_open", role="admin", seconds=300)
        [host] = self.hosts(name="other")
        self.assertEqual(self.bench.ask("unpair", host=host)["status"], "ok")
        self.assertFalse(wrap in self.bench.board.flash.image())
        self.assertEqual(self.other.join(self.bench.session, "pair")["status"], "pairing-closed")

    def test_the_last_admin_stays(self):
        self.pair()
        [host] = self.hosts(role="admin")
        self.assertEqual(self.bench.ask("unpair", host=host)["status"], "last-admin")

    def test_a_role_can_not_be_raised_on_flash(self):
        self.pair()
        image = bytearray(self.bench.board.flash.image())
        at = bytes(image).index(self.other.keys.public) + 32
        self.assertEqual(image[at], 0)
        image[at] = 1
        start = at - 40
        end = start + 12 + (image[start + 4] << 8 | image[start + 5])
        image[end - 4 : end] = crc32(bytes(image[start : end - 4])).to_bytes(4, "big")
        self.bench.board.flash = CutFlash(bytes(image))
        self.bench.restart(unseal=False)
        self.assertEqual(self.other.unseal(self.bench.session)["status"], "handshake-failed")
        self.assertEqual(self.other.ask(self.bench.session, "user_list")["status"], "sealed")
        # Nor once another host has unsealed the device.
        self.bench.admin.unseal(self.bench.session)
        self.other.open(self.bench.session)
        for cmd in ("user_list", "host_list"):
            self.assertEqual(self.other.ask(self.bench.session, cmd)["status"], "sealed")

    def test_as_many_hosts_as_fit(self):
        self.bench = Bench(claimed=False)
        longest = "é" * (protocol.MAX_HOST_NAME // 2)
        said = [self.bench.admin.join(self.bench.session, "claim", longest)["status"]]
        for number in range(protocol.MAX_HOSTS):
            self.bench.admin.open(self.bench.session)
            self.bench.ask("pair_open", role="verifier", seconds=60)
            host = Host(b"host%d" % number)
            said.append(host.join(self.bench.session, "pair", longest)["status"])
        self.assertEqual(said, ["ok"] * protocol.MAX_HOSTS + ["full"])
        self.assertEqual(len(self.hosts(name=longest)), protocol.MAX_HOSTS)


class Stores(unittest.TestCase):
    """What a device makes of the flash that it finds."""

    def test_everything_survives_a_restart(self):
        bench = Bench()
        bench.enrol("alice", digits=8)
        bench.enrol("bob")
        bench.ask("settings_set", window=2, interval=60)
        bench.ask("clock_set", time=NOW + 500)
        looks = [
            ("user_list", {}),
            ("settings_show", {}),
            ("host_list", {}),
            ("user_show", {"user": "alice"}),
        ]
        before = [without_id(bench.ask(cmd, **fields)) for cmd, fields in looks]
        bench.restart()
        self.assertEqual([without_id(bench.ask(cmd, **fields)) for cmd, fields in looks], before)
        self.assertEqual(bench.ask("clock_show")["state"], "unset")  # the bench's time lies before the floor
        self.assertEqual(bench.ask("clock_show")["floor"], NOW + 500)

    def test_a_store_that_has_lost_its_hosts_is_not_a_new_device(self):
        bench = Bench()
        bench.enrol()
        image = bench.board.flash.image()
        for lost in (bench.admin.keys.public, bench.device.vault.identity().private):
            at = image.index(lost)
            bench.board.flash = CutFlash(image[:at] + bytes(4) + image[at + 4 :])
            bench.start()
            self.assertEqual(bench.admin.hello(bench.session)["state"], "damaged")
            self.assertEqual(bench.session.handle(protocol.PAIR_1, bytes(48)), (protocol.FAULT, b"damaged"))

    def test_a_foreign_region_is_left_alone_and_said_so(self):
        image = b"littlefs" * 512 * 12
        bench = Bench(BenchBoard(CutFlash(image)), claimed=False)
        self.assertEqual(bench.admin.hello(bench.session)["state"], "damaged")
        self.assertEqual(bench.session.handle(protocol.PAIR_1, bytes(48)), (protocol.FAULT, b"damaged"))
        self.assertEqual(bench.session.handle(protocol.OPEN_1, bytes(56)), (protocol.FAULT, b"damaged"))
        self.assertEqual(bench.board.flash.image(), image)


class Unpaired(unittest.TestCase):
    def test_a_flash_that_fails_on_the_way_leaves_no_session_behind(self):
        gone = 0
        for good in range(12):
            bench = Bench()
            host, session = second_host(bench)
            flash, program, left = bench.board.flash, bench.board.flash.program, [good]

            def failing(offset, data, program=program, left=left):
                if not left[0]:
                    raise OSError(5)
                left[0] -= 1
                program(offset, data)

            flash.program = failing
            bench.ask("unpair", host=key_id(host.keys.public).hex())
            flash.program = program
            bench.admin.open(bench.session)
            paired = [one["host"] for one in bench.ask("host_list")["hosts"]]
            if key_id(host.keys.public).hex() not in paired:
                gone += 1
                self.assertEqual(host.ask(session, "status"), "no-session")
        self.assertTrue(0 < gone < 12)


if __name__ == "__main__":
    unittest.main()
