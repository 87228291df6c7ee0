# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""X25519: RFC 7748's vectors and edge values, for our own module and for whatever this interpreter uses."""

import unittest

from understudy_device import compat, x25519
from understudy_device.errors import AuthenticationFailed

_BASE = b"\x09" + bytes(31)
# RFC 7748 section 5.2: scalar, u coordinate, result.
_VECTORS = (
    (
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ),
    (
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ),
)
# RFC 7748 section 6.1.
_ALICE = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
_ALICE_PUBLIC = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
_BOB = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
_BOB_PUBLIC = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
_SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
# u coordinates of points whose order divides 8: 0, 1, two more, p - 1; and p, p + 1, which mean 0 and 1.
SMALL_ORDER = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


class _VectorMixin:
    """What every back end must do; `back_end` has x25519 and x25519_base."""

    back_end = compat

    def test_section_5_2(self):
        for scalar, u, result in _VECTORS:
            self.assertEqual(self.back_end.x25519(bytes.fromhex(scalar), bytes.fromhex(u)).hex(), result)

    def test_one_iteration(self):
        result = self.back_end.x25519(_BASE, _BASE).hex()
        self.assertEqual(result, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")

    def test_section_6_1(self):
        alice, bob = (_ALICE, _ALICE_PUBLIC, _BOB_PUBLIC), (_BOB, _BOB_PUBLIC, _ALICE_PUBLIC)
        for own, own_public, other_public in (alice, bob):
            self.assertEqual(self.back_end.x25519_base(bytes.fromhex(own)).hex(), own_public)
            shared = self.back_end.x25519(bytes.fromhex(own), bytes.fromhex(other_public))
            self.assertEqual(shared.hex(), _SHARED)

    def test_small_order_is_refused(self):
        for u in SMALL_ORDER:
            for top in (0, 0x80):
                public = bytearray(bytes.fromhex(u))
                public[31] |= top
                with self.assertRaises(AuthenticationFailed):
                    self.back_end.x25519(bytes.fromhex(_ALICE), bytes(public))

    def test_coordinates_above_p_are_reduced(self):
        p = (1 << 255) - 19
        scalar = bytes.fromhex(_ALICE)
        for u in range(2, 19):
            reduced = self.back_end.x25519(scalar, u.to_bytes(32, "little"))
            self.assertEqual(self.back_end.x25519(scalar, (p + u).to_bytes(32, "little")), reduced)

    def test_top_bit_is_ignored(self):
        public = bytearray(bytes.fromhex(_BOB_PUBLIC))
        public[31] |= 0x80
        self.assertEqual(self.back_end.x25519(bytes.fromhex(_ALICE), bytes(public)).hex(), _SHARED)

    def test_sizes(self):
        for size in (0, 31, 33):
            with self.assertRaises(ValueError):
                self.back_end.x25519(bytes(32), bytes(size))
            with self.assertRaises(ValueError):
                self.back_end.x25519(bytes(size), _BASE)

    def test_arguments_stay_as_they_are(self):
        private, public = bytearray(bytes.fromhex(_ALICE)), bytearray(bytes.fromhex(_BOB_PUBLIC))
        self.back_end.x25519(private, public)
        self.assertEqual(private.hex(), _ALICE)
        self.assertEqual(public.hex(), _BOB_PUBLIC)


class CompatTest(_VectorMixin, unittest.TestCase):
    back_end = compat


class PortableTest(_VectorMixin, unittest.TestCase):
    back_end = x25519
