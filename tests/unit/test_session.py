# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The secure channel attacked: strangers, recordings, altered and reordered frames, someone in the middle,
junk."""

import unittest

from parts import Bench, BenchBoard, CutFlash, Host, Randomness
from understudy_device import pairing, protocol, wire
from understudy_device.errors import AuthenticationFailed
from understudy_device.noise import HandshakeState, KeyPair

FAULT = protocol.FAULT


class Recorder:
    """Stands on the line and keeps every frame of both directions."""

    def __init__(self, session):
        self.session = session
        self.frames = []  # (kind, payload, answer)

    def handle(self, kind, payload):
        """Pass it on."""
        answer = self.session.handle(kind, payload)
        self.frames.append((kind, payload, answer))
        return answer


class Strangers(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()

    def test_a_host_that_is_not_paired_is_refused(self):
        stranger = Host(b"stranger")
        stranger.device_key = self.bench.admin.device_key  # public, after all
        self.assertEqual(stranger.open(self.bench.session), (FAULT, b"not-paired"))

    def test_a_stranger_under_a_paired_name_is_refused(self):
        stranger = Host(b"stranger")
        handshake = HandshakeState(
            "KK", True, stranger.keys, self.bench.admin.device_key, protocol.PROLOGUE, stranger.random
        )
        payload = pairing.key_id(self.bench.admin.keys.public) + handshake.write_message()
        self.assertEqual(self.bench.session.handle(protocol.OPEN_1, payload), (FAULT, b"handshake-failed"))

    def test_another_device_does_not_pass_for_this_one(self):
        # A device that says yes to everything, and knows every public key, but holds another private key.
        swapped = Bench(BenchBoard(seed=b"swapped"))
        swapped.admin.device_key = self.bench.admin.device_key
        kind, payload = swapped.admin.open(swapped.session)
        self.assertEqual((kind, payload), (FAULT, b"handshake-failed"))

    def test_an_impostor_can_not_answer_the_handshake(self):
        admin, impostor = self.bench.admin, KeyPair(Randomness(b"impostor")(32))
        ours = HandshakeState("KK", True, admin.keys, admin.device_key, protocol.PROLOGUE, admin.random)
        theirs = HandshakeState("KK", False, impostor, admin.keys.public, protocol.PROLOGUE, Randomness(b"x"))
        with self.assertRaises(AuthenticationFailed):
            theirs.read_message(ours.write_message())
        with self.assertRaises(AuthenticationFailed):
            ours.read_message(bytes(48))

    def test_nothing_is_answered_without_a_session(self):
        session = Bench(claimed=False).session
        self.assertEqual(session.handle(protocol.DATA, bytes(40)), (FAULT, b"no-session"))
        self.assertEqual(session.handle(protocol.PAIR_3, bytes(64)), (FAULT, b"no-session"))
        self.assertEqual(session.handle(protocol.OPEN_1, bytes(56)), (FAULT, b"unclaimed"))
        for kind in range(256):
            if kind not in (protocol.HELLO, protocol.DATA, protocol.PAIR_1, protocol.PAIR_3, protocol.OPEN_1):
                self.assertIsNone(session.handle(kind, bytes(32)))

    def test_handshake_messages_of_any_length(self):
        for length in list(range(0, 70)) + [protocol.MAX_PAYLOAD]:
            for kind in (protocol.PAIR_1, protocol.PAIR_3, protocol.OPEN_1, protocol.DATA):
                answer = self.bench.session.handle(kind, b"\x09" * length)
                self.assertIn(answer[0], (FAULT, protocol.PAIR_2))
        self.bench.board.up += 60
        # A small-order point as ephemeral key gives no shared secret.
        self.assertEqual(self.bench.session.handle(protocol.PAIR_1, bytes(32)), (FAULT, b"handshake-failed"))
        self.bench.admin.open(self.bench.session)
        self.assertEqual(self.bench.ask("status")["status"], "ok")


class Recordings(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()
        self.recorder = Recorder(self.bench.session)
        self.bench.admin.open(self.recorder)
        for _ in range(3):
            self.bench.admin.ask(self.recorder, "status")

    def test_a_recorded_session_played_back_gets_nothing(self):
        calls = []
        self.bench.session._service.call = lambda *args: calls.append(args) or b"{}"
        answers = [self.bench.session.handle(kind, payload) for kind, payload, _ in self.recorder.frames]
        self.assertEqual([kind for kind, _ in answers], [protocol.OPEN_2, FAULT, FAULT, FAULT])
        self.assertEqual(calls, [])
        recorded = [answer for _, _, answer in self.recorder.frames]
        self.assertFalse(any(answer in recorded for answer in answers))

    def test_recorded_answers_do_not_satisfy_a_host(self):
        admin = self.bench.admin
        ours = HandshakeState("KK", True, admin.keys, admin.device_key, protocol.PROLOGUE, admin.random)
        ours.write_message()
        with self.assertRaises(AuthenticationFailed):
            ours.read_message(self.recorder.frames[0][2][1])

    def test_a_repeated_frame_ends_the_session(self):
        _, payload, _ = self.recorder.frames[-1]
        self.assertEqual(self.bench.session.handle(protocol.DATA, payload), (FAULT, b"no-session"))
        self.assertEqual(self.bench.ask("status"), "no-session")
        self.bench.admin.open(self.bench.session)
        self.assertEqual(self.bench.ask("status")["status"], "ok")

    def test_reordered_frames_end_the_session(self):
        send = self.bench.admin.send
        first, second = (send.encrypt_with_ad(b"", b"{}") for _ in range(2))
        self.assertEqual(self.bench.session.handle(protocol.DATA, second), (FAULT, b"no-session"))
        self.assertEqual(self.bench.session.handle(protocol.DATA, first), (FAULT, b"no-session"))

    def test_any_altered_byte_ends_the_session(self):
        for index in range(0, 60, 7):
            self.bench.admin.open(self.bench.session)
            frame = bytearray(
                self.bench.admin.send.encrypt_with_ad(b"", b'{"id":"0123456789abcdef","cmd":"status"}')
            )
            frame[index % len(frame)] ^= 1
            self.assertEqual(self.bench.session.handle(protocol.DATA, bytes(frame)), (FAULT, b"no-session"))
        for frame in (b"", bytes(15), bytes(16)):
            self.bench.admin.open(self.bench.session)
            self.assertEqual(self.bench.session.handle(protocol.DATA, frame), (FAULT, b"no-session"))

    def test_a_fault_inside_does_not_take_the_device_away(self):
        def broken(*_):
            raise RuntimeError("a bug")

        whole = self.bench.session._service.call
        self.bench.session._service.call = broken
        self.assertEqual(self.bench.ask("status"), "internal")
        self.bench.session._service.call = whole
        self.bench.admin.open(self.bench.session)
        self.assertEqual(self.bench.ask("status")["status"], "ok")


class MiddleMan:
    """Pairs with both ends under a key of its own, passing the commitment and the nonces along as they
    are."""

    def __init__(self, session, seed):
        self.session = session
        self.random = Randomness(seed)
        self.keys = KeyPair(self.random(32))

    def handle(self, kind, payload):
        """The host's messages come here."""
        if kind == protocol.PAIR_1:
            self.host = HandshakeState("XX", False, self.keys, prologue=protocol.PROLOGUE, random=self.random)
            self.host.read_message(payload)
            self.device = HandshakeState(
                "XX", True, self.keys, prologue=protocol.PROLOGUE, random=self.random
            )
            answer = self.session.handle(protocol.PAIR_1, self.device.write_message())
            return protocol.PAIR_2, self.host.write_message(self.device.read_message(answer[1]))
        nonce = self.host.read_message(payload)
        _, answer = self.session.handle(protocol.PAIR_3, self.device.write_message(nonce))
        opened = self.device.split()[1].decrypt_with_ad(b"", answer)
        return protocol.PAIR_4, self.host.split()[0].encrypt_with_ad(b"", opened)


class Pairing(unittest.TestCase):
    def test_both_ends_show_the_same_digits(self):
        bench = Bench()
        for seed in (b"a", b"b", b"c"):
            bench.admin.open(bench.session)
            bench.ask("pair_open", role="verifier", seconds=60)
            host = Host(seed)
            host.start_pairing(bench.session)
            self.assertEqual(bench.device.screen[1][0], host.code)

    def test_someone_in_the_middle_makes_them_differ(self):
        bench = Bench(claimed=False)
        for number in range(20):
            host = Host(b"host%d" % number)
            bench.board.up += 60
            host.start_pairing(MiddleMan(bench.session, b"middle%d" % number))
            self.assertNotEqual(bench.device.screen[1][0], host.code)

    def test_the_device_can_not_choose_its_nonce_afterwards(self):
        class Steerer(MiddleMan):
            def handle(self, kind, payload):
                kind, answer = super().handle(kind, payload)
                if kind == protocol.PAIR_4:
                    answer = self.host.split()[0].encrypt_with_ad(b"", bytes(16))
                return kind, answer

        with self.assertRaises(ValueError):
            Host().start_pairing(Steerer(Bench(claimed=False).session, b"m"))

    def test_the_host_must_bring_a_nonce(self):
        bench, host = Bench(claimed=False), Host()
        handshake = HandshakeState("XX", True, host.keys, prologue=protocol.PROLOGUE, random=host.random)
        handshake.read_message(bench.session.handle(protocol.PAIR_1, handshake.write_message())[1])
        self.assertEqual(
            bench.session.handle(protocol.PAIR_3, handshake.write_message(b"short")),
            (FAULT, b"handshake-failed"),
        )

    def test_only_so_many_tries_a_minute(self):
        bench = Bench(claimed=False)
        for _ in range(protocol.MAX_PAIRINGS):
            Host().start_pairing(bench.session)
        self.assertEqual(bench.session.handle(protocol.PAIR_1, bytes(32)), (FAULT, b"throttled"))
        bench.board.up += 60
        Host().start_pairing(bench.session)

    def test_two_devices_differ(self):
        ids = {Bench(BenchBoard(seed=seed), claimed=False).device.id() for seed in (b"1", b"2", b"3")}
        self.assertEqual(len(ids), 3)

    def test_a_broken_source_of_the_chip_still_gives_every_device_its_own_keys(self):
        ids = set()
        for number in range(3):
            board = BenchBoard()
            board.random = lambda count: b"\x2a" * count
            bench = Bench(board, claimed=False)
            bench.session.handle(protocol.HELLO, b"host's nonce %03d" % number)
            ids.add(bench.device.id())
        self.assertEqual(len(ids), 3)

    def test_a_seed_serves_once(self):
        board = BenchBoard()
        board.random = lambda count: b"\x2a" * count
        bench = Bench(board)
        image = bench.board.flash.image()
        taken = []
        for _ in range(
            2
        ):  # the same flash, the same broken source, no host: what is saved must have moved on
            board = BenchBoard(CutFlash(image))
            board.random = lambda count: b"\x2a" * count
            bench = Bench(board, claimed=False)
            taken.append(bench.device.pool.take(32))
            image = board.flash.image()
        self.assertNotEqual(taken[0], taken[1])


class Line(unittest.TestCase):
    """Junk on the line of a device: whatever comes, the next good frame is answered."""

    def test_junk_between_frames(self):
        from test_wire import noise

        bench = Bench()
        reader = wire.LineReader()
        hello = wire.encode(protocol.HELLO, bytes(16))
        for junk in (
            b"AT\r\n",
            noise(10000),
            hello[:9],
            b"\x16" * 5000,
            wire.encode(0x99, b"x"),
            hello[:-1] + b"!\n",
        ):
            answers = [
                bench.session.handle(*frame) for frame in map(wire.decode, reader.feed(junk + hello)) if frame
            ]
            self.assertEqual(answers[-1][0], protocol.HELLO)


if __name__ == "__main__":
    unittest.main()
