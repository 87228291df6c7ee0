# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Noise XX and KK: the published vectors, and what must fail."""

import unittest

from understudy_device import noise
from understudy_device.errors import AuthenticationFailed

# The keys of the cacophony vectors, which are the same in all of them; the hex is published test data.
_INIT_STATIC = bytes.fromhex("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1")
_INIT_EPHEMERAL = bytes.fromhex("893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a")
_RESP_STATIC = bytes.fromhex("4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893")
_RESP_EPHEMERAL = bytes.fromhex("bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b")
_INIT_PUBLIC = bytes.fromhex("6bc3822a2aa7f4e6981d6538692b3cdf3e6df9eea6ed269eb41d93c22757b75a")
_RESP_PUBLIC = bytes.fromhex("31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62")
_PAYLOADS = (
    "4c756477696720766f6e204d69736573",
    "4d757272617920526f746862617264",
    "462e20412e20486179656b",
    "4361726c204d656e676572",
    "4a65616e2d426170746973746520536179",
    "457567656e2042f6686d20766f6e2042617765726b",
)
# Pattern, prologue, handshake hash, the six messages; both sides in turn, the initiator first.
_VECTORS = (
    (
        "XX",
        "50726f6c6f677565313233",
        "852a28d2146785c54bd8334f4e460c80d7fe4fd0cc5bc0abef2a24a3c4d44d5f",
        (
            "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477696720766f6e204d69736573",
            "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c48378ffce2b65285"
            "e08d6b68aaa3629a5a8639392490e5b94a6d8798832d5372f220f161d9c2df035528f8982ffe09be9b5c412f8a0db5d2"
            "1351f20af1370d0bf8ef1a8c59a30e",
            "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a8589981dfbd651e6ff4724a781cc2aa61"
            "58c9fea0d4ec82a286427484c5b8c8123a7a6002b1de9f9775fc97",
            "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df",
            "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5",
            "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae3f",
        ),
    ),
    (
        "KK",
        "50726f6c6f677565313233",
        "36570fff832ae7c579a72bb814d60023a94fad1c618ce8fa4a358c6eadcd97f6",
        (
            "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79440177015efc1fe7a37c629af7120a9627"
            "83d1e99e9766611dd7902fba7661273c",
            "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843b274d3429adc47ca093ba63ef90f8dd2"
            "770c7ef5c2c78dc0ba79f2ce665628",
            "966b05bc69ec01b8454d3160a214e6f24a3d884eb31ec2408af63f",
            "0ad887fba4f611bbb4afe44ba3556b8164332ca7d5934634d63d80",
            "012b28ae646ae7830e2c5472cb023eab071c1db3d8413ec69b513b83832f974c2d",
            "bb3e6a48160d9c5971d37f975727294e0d868342db31832e54d07191ab0ca3c3703b5ed3d9",
        ),
    ),
    (
        "KK",
        "4a6f686e2047616c74",
        "24c6b51ecb76277140ca018b5985bc9f03de321dae2d34dcae433dafef0131d9",
        (
            "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79440177015efc1fe7a37c629af7120a9627"
            "4e6ab7afcc9261901d0e09ae32a5bb96",
            "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843b274d3429adc47ca093ba63ef90f8da8"
            "9fda108db471dccfa4894aa7b00003",
            "966b05bc69ec01b8454d3160a214e6f24a3d884eb31ec2408af63f",
            "0ad887fba4f611bbb4afe44ba3556b8164332ca7d5934634d63d80",
            "012b28ae646ae7830e2c5472cb023eab071c1db3d8413ec69b513b83832f974c2d",
            "bb3e6a48160d9c5971d37f975727294e0d868342db31832e54d07191ab0ca3c3703b5ed3d9",
        ),
    ),
)


def _pair(
    pattern, prologue=b"", responder_prologue=None, initiator_sees=_RESP_PUBLIC, responder_sees=_INIT_PUBLIC
):
    """Return initiator and responder with the vectors' keys."""
    known = pattern == "KK"
    initiator = noise.HandshakeState(
        pattern,
        True,
        noise.KeyPair(_INIT_STATIC, _INIT_PUBLIC),
        initiator_sees if known else b"",
        prologue,
        lambda n: _INIT_EPHEMERAL[:n],
    )
    responder = noise.HandshakeState(
        pattern,
        False,
        noise.KeyPair(_RESP_STATIC, _RESP_PUBLIC),
        responder_sees if known else b"",
        prologue if responder_prologue is None else responder_prologue,
        lambda n: _RESP_EPHEMERAL[:n],
    )
    return initiator, responder


def _run(pattern):
    """Return both sides after a whole handshake with empty payloads."""
    writer, reader = initiator, responder = _pair(pattern)
    while not initiator.finished:
        reader.read_message(writer.write_message())
        writer, reader = reader, writer
    return initiator, responder


def _flip(message, index):
    changed = bytearray(message)
    changed[index] ^= 0x40
    return bytes(changed)


class VectorTest(unittest.TestCase):
    def _handshake(self, writer, reader, messages):
        turn = 0
        while not reader.finished:
            payload = bytes.fromhex(_PAYLOADS[turn])
            message = writer.write_message(payload)
            self.assertEqual(message.hex(), messages[turn])
            self.assertEqual(reader.read_message(message), payload)
            writer, reader = reader, writer
            turn += 1
        return turn, writer, reader

    def test_published_vectors(self):
        for pattern, prologue, handshake_hash, messages in _VECTORS:
            with self.subTest(pattern=pattern):
                initiator, responder = _pair(pattern, bytes.fromhex(prologue))
                turn, writer, reader = self._handshake(initiator, responder, messages)
                self.assertEqual(initiator.handshake_hash.hex(), handshake_hash)
                self.assertEqual(responder.handshake_hash.hex(), handshake_hash)
                self.assertEqual(initiator.remote_static, _RESP_PUBLIC)
                self.assertEqual(responder.remote_static, _INIT_PUBLIC)
                writer, reader = writer.split(), reader.split()
                while turn < len(messages):
                    payload = bytes.fromhex(_PAYLOADS[turn])
                    message = writer[0].encrypt_with_ad(b"", payload)
                    self.assertEqual(message.hex(), messages[turn])
                    self.assertEqual(reader[1].decrypt_with_ad(b"", message), payload)
                    writer, reader = reader, writer
                    turn += 1


class HandshakeFailureTest(unittest.TestCase):
    def test_changed_message_ends_the_handshake(self):
        for pattern in ("XX", "KK"):
            initiator, responder = _pair(pattern)
            first = initiator.write_message(b"one")
            responder.read_message(first)
            second = responder.write_message(b"two")
            with self.assertRaises(AuthenticationFailed):
                initiator.read_message(_flip(second, -1))
            # The true message comes too late: nothing can be tried twice.
            with self.assertRaises(AuthenticationFailed):
                initiator.read_message(second)
            with self.assertRaises(AuthenticationFailed):
                initiator.write_message()
            with self.assertRaises(AuthenticationFailed):
                initiator.split()

    def test_every_changed_byte_is_noticed(self):
        first = _pair("KK")[0].write_message(b"payload")
        for index in (0, 15, 30, 32, len(first) - 1):
            with self.assertRaises(AuthenticationFailed):
                _pair("KK")[1].read_message(_flip(first, index))

    def test_wrong_static_key(self):
        stranger = noise.KeyPair(bytes(range(32))).public
        initiator, responder = _pair("KK", initiator_sees=stranger)
        with self.assertRaises(AuthenticationFailed):
            responder.read_message(initiator.write_message())
        initiator, responder = _pair("KK", responder_sees=stranger)
        with self.assertRaises(AuthenticationFailed):
            responder.read_message(initiator.write_message())

    def test_other_prologue(self):
        initiator, responder = _pair("KK", b"version 1", b"version 2")
        with self.assertRaises(AuthenticationFailed):
            responder.read_message(initiator.write_message())

    def test_short_messages(self):
        for pattern in ("XX", "KK"):
            for size in (0, 31, 32 + 15):
                if pattern == "XX" and size > 31:
                    continue  # the first message of XX carries its payload in the clear
                with self.assertRaises(AuthenticationFailed):
                    _pair(pattern)[1].read_message(bytes(range(1, size + 1)))

    def test_truncated_second_message(self):
        for cut in (32, 79, 80, 95):
            initiator, responder = _pair("XX")
            responder.read_message(initiator.write_message())
            second = responder.write_message()
            self.assertEqual(len(second), 96)
            with self.assertRaises(AuthenticationFailed):
                initiator.read_message(second[:cut])

    def test_small_order_key(self):
        with self.assertRaises(AuthenticationFailed):
            _pair("KK")[1].read_message(bytes(32 + 16))

    def test_too_long(self):
        with self.assertRaises(AuthenticationFailed):
            _pair("XX")[1].read_message(bytes(noise.MAX_MESSAGE + 1))
        with self.assertRaises(ValueError):
            _pair("XX")[0].write_message(bytes(noise.MAX_MESSAGE))

    def test_out_of_turn(self):
        initiator, responder = _pair("XX")
        with self.assertRaises(AuthenticationFailed):
            responder.write_message()
        with self.assertRaises(AuthenticationFailed):
            initiator.read_message(bytes(48))
        with self.assertRaises(AuthenticationFailed):
            initiator.split()
        initiator.write_message()
        with self.assertRaises(AuthenticationFailed):
            initiator.write_message()

    def test_no_message_after_the_last(self):
        initiator, responder = _run("KK")
        with self.assertRaises(AuthenticationFailed):
            initiator.write_message()
        with self.assertRaises(AuthenticationFailed):
            responder.read_message(bytes(48))

    def test_arguments(self):
        own = noise.KeyPair(_INIT_STATIC, _INIT_PUBLIC)
        with self.assertRaises(ValueError):
            noise.HandshakeState("KK", True, own)
        with self.assertRaises(ValueError):
            noise.HandshakeState("XX", True, own, _RESP_PUBLIC)
        with self.assertRaises(KeyError):
            noise.HandshakeState("NN", True, own)


class SessionTest(unittest.TestCase):
    def test_messages_in_both_directions(self):
        initiator, responder = _run("KK")
        send, receive = initiator.split()
        answer, listen = responder.split()
        for text in (b"", b"a", bytes(64), bytes(range(256)) * 4):
            self.assertEqual(listen.decrypt_with_ad(b"", send.encrypt_with_ad(b"", text)), text)
            self.assertEqual(receive.decrypt_with_ad(b"", answer.encrypt_with_ad(b"", text)), text)

    def test_same_text_never_looks_the_same(self):
        send = noise.CipherState(bytes(32))
        self.assertNotEqual(send.encrypt_with_ad(b"", b"text"), send.encrypt_with_ad(b"", b"text"))

    def test_replay_and_reorder_end_the_session(self):
        send, listen = noise.CipherState(bytes(32)), noise.CipherState(bytes(32))
        first, second = send.encrypt_with_ad(b"", b"first"), send.encrypt_with_ad(b"", b"second")
        listen.decrypt_with_ad(b"", first)
        with self.assertRaises(AuthenticationFailed):
            listen.decrypt_with_ad(b"", first)
        with self.assertRaises(AuthenticationFailed):
            listen.decrypt_with_ad(b"", second)
        with self.assertRaises(AuthenticationFailed):
            noise.CipherState(bytes(32)).decrypt_with_ad(b"", second)

    def test_other_associated_data(self):
        sealed = noise.CipherState(bytes(32)).encrypt_with_ad(b"one", b"text")
        with self.assertRaises(AuthenticationFailed):
            noise.CipherState(bytes(32)).decrypt_with_ad(b"two", sealed)

    def test_nonces_run_out(self):
        send = noise.CipherState(bytes(32))
        send._nonce = noise.MAX_NONCE - 1
        send.encrypt_with_ad(b"", b"last")
        with self.assertRaises(AuthenticationFailed):
            send.encrypt_with_ad(b"", b"one too many")

    def test_without_a_key_text_is_plain(self):
        state = noise.CipherState()
        self.assertFalse(state.has_key())
        self.assertEqual(state.encrypt_with_ad(b"", b"plain"), b"plain")
        self.assertEqual(state.decrypt_with_ad(b"", b"plain"), b"plain")

    def test_generated_key_pairs(self):
        pair = noise.generate_keypair(lambda n: _INIT_STATIC[:n])
        self.assertEqual(pair.private, _INIT_STATIC)
        self.assertEqual(pair.public, _INIT_PUBLIC)
