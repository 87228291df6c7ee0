# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""ChaCha20, Poly1305 and their AEAD: RFC 8439's vectors, for our own modules and for what is in use here."""

import unittest

from understudy_device import compat
from understudy_device.chacha20 import chacha20_xor
from understudy_device.chacha20poly1305 import ChaCha20Poly1305, equal_bytes
from understudy_device.errors import AuthenticationFailed
from understudy_device.poly1305 import poly1305

_SUNSCREEN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)
_SUBMISSION = (
    b"Any submission to the IETF intended by the Contributor for publication as all or part of an IETF "
    b"Internet-Draft or RFC and any statement made within the context of an IETF activity is considered an "
    b'"IETF Contribution". Such statements include oral statements in IETF sessions, as well as written and '
    b"electronic communications made at any time or place, which are addressed to"
)
_JABBERWOCKY = (
    b"'Twas brillig, and the slithy toves\nDid gyre and gimble in the wabe:\nAll mimsy were the borogoves,\n"
    b"And the mome raths outgrabe."
)
# RFC 8439 section 2.5.2 and appendix A.3: key, message, tag.
POLY1305 = (
    (
        "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
        b"Cryptographic Forum Research Group",
        "a8061dc1305136c6c22b8baf0c0127a9",
    ),
    ("00" * 32, bytes(64), "00" * 16),
    ("00" * 16 + "36e5f6b5c5e06070f0efca96227a863e", _SUBMISSION, "36e5f6b5c5e06070f0efca96227a863e"),
    ("36e5f6b5c5e06070f0efca96227a863e" + "00" * 16, _SUBMISSION, "f3477e7cd95417af89a6b8794c310cf0"),
    (
        "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
        _JABBERWOCKY,
        "4541669a7eaaee61e708dc7cbcc5eb62",
    ),
    ("02" + "00" * 31, b"\xff" * 16, "03" + "00" * 15),
    ("02" + "00" * 15 + "ff" * 16, b"\x02" + bytes(15), "03" + "00" * 15),
    ("01" + "00" * 31, b"\xff" * 16 + b"\xf0" + b"\xff" * 15 + b"\x11" + bytes(15), "05" + "00" * 15),
    ("01" + "00" * 31, b"\xff" * 16 + b"\xfb" + b"\xfe" * 15 + b"\x01" * 16, "00" * 16),
    ("02" + "00" * 31, b"\xfd" + b"\xff" * 15, "fa" + "ff" * 15),
    (
        "01" + "00" * 7 + "04" + "00" * 23,
        bytes.fromhex("e33594d7505e43b900000000000000003394d7505e4379cd01") + bytes(23) + b"\x01" + bytes(15),
        "14" + "00" * 7 + "55" + "00" * 7,
    ),
    (
        "01" + "00" * 7 + "04" + "00" * 23,
        bytes.fromhex("e33594d7505e43b900000000000000003394d7505e4379cd01") + bytes(23),
        "13" + "00" * 15,
    ),
)

# RFC 8439 section 2.8.2.
_KEY = bytes(range(0x80, 0xA0))
_NONCE = bytes.fromhex("070000004041424344454647")
_AD = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
_SEALED = (
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
    "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
    "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"
)
# RFC 8439 appendix A.5.
_A5_KEY = "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"
_A5_NONCE = "000000000102030405060708"
_A5_AD = "f33388860000000000004e91"
_A5_SEALED = (
    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0"
    "bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
    "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e9"
    "9040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
    "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130"
    "305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709b"
    "eead9d67890cbb22392336fea1851f38"
)
_A5_TEXT = (
    b"Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, "
    b"or obsoleted by other documents at any time. It is inappropriate to use Internet-Drafts as reference "
    b"material or to cite them other than as /\xe2\x80\x9cwork in progress./\xe2\x80\x9d"
)


class ChaCha20Test(unittest.TestCase):
    def test_block_of_section_2_3_2(self):
        stream = chacha20_xor(bytes(range(32)), 1, bytes.fromhex("000000090000004a00000000"), bytes(64))
        self.assertEqual(
            stream.hex(),
            "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
            "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
        )

    def test_encryption_of_section_2_4_2(self):
        nonce = bytes.fromhex("000000000000004a00000000")
        sealed = chacha20_xor(bytes(range(32)), 1, nonce, _SUNSCREEN)
        self.assertEqual(
            sealed.hex(),
            "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357"
            "1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
            "5af90bbf74a35be6b40b8eedf2785e42874d",
        )
        self.assertEqual(chacha20_xor(bytes(range(32)), 1, nonce, sealed), _SUNSCREEN)

    def test_any_length_is_a_prefix_of_the_stream(self):
        stream = chacha20_xor(_KEY, 7, _NONCE, bytes(200))
        for length in (0, 1, 63, 64, 65, 127, 128, 129, 199):
            self.assertEqual(chacha20_xor(_KEY, 7, _NONCE, bytes(length)), stream[:length])
        self.assertEqual(chacha20_xor(_KEY, 9, _NONCE, bytes(72)), stream[128:])

    def test_counter_wraps_at_32_bits(self):
        stream = chacha20_xor(_KEY, 0xFFFFFFFF, _NONCE, bytes(128))
        self.assertEqual(stream[64:], chacha20_xor(_KEY, 0, _NONCE, bytes(64)))

    def test_sizes(self):
        for key, nonce in ((31, 12), (33, 12), (32, 8), (32, 13)):
            with self.assertRaises(ValueError):
                chacha20_xor(bytes(key), 0, bytes(nonce), b"")


class Poly1305Test(unittest.TestCase):
    def test_vectors(self):
        for key, message, tag in POLY1305:
            self.assertEqual(poly1305(bytes.fromhex(key), message).hex(), tag)

    def test_trailing_zeros_count(self):
        tags = [poly1305(_KEY, bytes(n)) for n in range(34)]
        self.assertEqual(len(set(tags)), 34)

    def test_sizes(self):
        for size in (16, 31, 33):
            with self.assertRaises(ValueError):
                poly1305(bytes(size), b"")


class _AeadMixin:
    """What every back end must do."""

    def test_section_2_8_2(self):
        self.assertEqual(self.seal(_KEY, _NONCE, _AD, _SUNSCREEN).hex(), _SEALED)
        self.assertEqual(self.open(_KEY, _NONCE, _AD, bytes.fromhex(_SEALED)), _SUNSCREEN)

    def test_appendix_a_5(self):
        key, nonce, ad = bytes.fromhex(_A5_KEY), bytes.fromhex(_A5_NONCE), bytes.fromhex(_A5_AD)
        self.assertEqual(self.open(key, nonce, ad, bytes.fromhex(_A5_SEALED)), _A5_TEXT)
        self.assertEqual(self.seal(key, nonce, ad, _A5_TEXT).hex(), _A5_SEALED)

    def test_every_changed_bit_is_noticed(self):
        sealed = self.seal(_KEY, _NONCE, b"ad", b"text")
        for bit in range(8 * len(sealed)):
            changed = bytearray(sealed)
            changed[bit >> 3] ^= 1 << (bit & 7)
            with self.assertRaises(AuthenticationFailed):
                self.open(_KEY, _NONCE, b"ad", bytes(changed))

    def test_everything_else_is_bound(self):
        sealed = self.seal(_KEY, _NONCE, b"ad", b"text")
        for key, nonce, ad in (
            (bytes(32), _NONCE, b"ad"),
            (_KEY, bytes(12), b"ad"),
            (_KEY, _NONCE, b""),
            (_KEY, _NONCE, b"ad\x00"),
        ):
            with self.assertRaises(AuthenticationFailed):
                self.open(key, nonce, ad, sealed)

    def test_text_does_not_move_into_the_associated_data(self):
        one = self.seal(_KEY, _NONCE, bytes(16), b"")
        two = self.seal(_KEY, _NONCE, b"", bytes(16))
        self.assertNotEqual(one[-16:], two[-16:])

    def test_short_input(self):
        for size in range(16):
            with self.assertRaises(AuthenticationFailed):
                self.open(_KEY, _NONCE, b"", bytes(size))

    def test_lengths(self):
        for size in (0, 1, 15, 16, 17, 63, 64, 65, 255):
            text = bytes(i & 255 for i in range(size))
            sealed = self.seal(_KEY, _NONCE, text, text)
            self.assertEqual(len(sealed), size + 16)
            self.assertEqual(self.open(_KEY, _NONCE, text, sealed), text)

    def test_mutable_arguments(self):
        text = bytearray(b"text")
        sealed = self.seal(bytearray(_KEY), bytearray(_NONCE), bytearray(b"ad"), text)
        self.assertEqual(self.open(_KEY, _NONCE, b"ad", bytearray(sealed)), b"text")
        self.assertEqual(text, b"text")


class CompatTest(_AeadMixin, unittest.TestCase):
    def setUp(self):
        self.seal, self.open = compat.aead_seal, compat.aead_open


class PortableTest(_AeadMixin, unittest.TestCase):
    def setUp(self):
        aead = ChaCha20Poly1305(chacha20_xor, poly1305)
        self.seal, self.open = aead.seal, aead.open


class EqualTest(unittest.TestCase):
    def test_equal(self):
        for equal in (equal_bytes, compat.constant_time_equal):
            self.assertTrue(equal(b"", b""))
            self.assertTrue(equal(b"same", b"same"))
            self.assertTrue(equal(b"same", bytearray(b"same")))
            self.assertFalse(equal(b"same", b"Same"))
            self.assertFalse(equal(b"same", b"samE"))
            self.assertFalse(equal(b"same", b"sam"))
            self.assertFalse(equal(b"", b"s"))
