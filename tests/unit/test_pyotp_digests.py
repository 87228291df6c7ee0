# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""SHA-512 and HMAC against the vectors of FIPS 180-4, RFC 2202 and RFC 4231."""

import hashlib
import unittest

from pyotp import sha512, sha512_portable
from pyotp.digests import Hmac, constructor, hmac_digest, name_of
from pyotp.sha512 import Sha512

# FIPS 180-4 examples (NIST, "SHA512.pdf"), and the empty message
SHA512_VECTORS = (
    (
        b"",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
    (
        b"abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (
        b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
        b"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
        "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
    ),
)

RFC4231_LONG = (
    b"This is a test using a larger than block-size key and a larger than block-size data. "
    b"The key needs to be hashed before being used by the HMAC algorithm."
)

# RFC 2202, section 3: key, message, HMAC-SHA-1
RFC2202 = (
    (
        b"\x0b" * 20,
        b"Hi There",
        "b617318655057264e28bc0b6fb378c8ef146be00",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
    ),
    (
        b"\x0c" * 20,
        b"Test With Truncation",
        "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
    ),
    (
        b"\xaa" * 80,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "aa4ae5e15272d00e95705637ce8a3b55ed402112",
    ),
    (
        b"\xaa" * 80,
        b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
        "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
    ),
)

# RFC 4231, section 4: key, message, HMAC-SHA-256, HMAC-SHA-512 (case 5, which the RFC truncates, in full)
RFC4231 = (
    (
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
        "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
        "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
        "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
    ),
    (
        b"\x0c" * 20,
        b"Test With Truncation",
        "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5",
        "415fad6271580a531d4179bc891d87a650188707922a4fbb36663a1eb16da008"
        "711c5b50ddd0fc235084eb9d3364a1454fb2ef67cd1d29fe6773068ea266e96b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
        "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
    ),
    (
        b"\xaa" * 131,
        RFC4231_LONG,
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
        "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
    ),
)


class Sha512Test(unittest.TestCase):
    def test_fips_180_vectors(self):
        for message, digest in SHA512_VECTORS:
            self.assertEqual(Sha512(message).digest().hex(), digest)

    def test_every_length_around_a_block_in_pieces(self):
        message = bytes([i * 7 & 255 for i in range(300)])
        for length in list(range(0, 20)) + list(range(108, 132)) + list(range(236, 260)):
            whole = Sha512(message[:length]).digest()
            for step in (1, 50, 128):
                if step == 1 and length > 20:
                    continue  # the same tail handling, at a hundred times the cost
                pieces = Sha512()
                for start in range(0, length, step):
                    pieces.update(message[start : min(start + step, length)])
                self.assertEqual(pieces.digest(), whole)

    def test_digest_changes_nothing_and_copies_are_independent(self):
        first = Sha512(b"a" * 100)
        first.digest()
        second = first.copy()
        first.update(b"b" * 100)
        self.assertEqual(first.digest(), Sha512(b"a" * 100 + b"b" * 100).digest())
        self.assertEqual(second.digest(), Sha512(b"a" * 100).digest())

    def test_buffers_as_input(self):
        block = bytearray(range(200))
        self.assertEqual(Sha512(memoryview(block)).digest(), Sha512(bytes(block)).digest())

    def test_fastest_compression_agrees_with_the_portable_one(self):
        # On 32-bit MicroPython these are two functions; carries are what they could differ in.
        data = bytearray(256)
        for i in range(256):
            data[i] = 255 - (i * i & 3)
        one = bytearray(range(64))
        two = bytearray(range(64))
        for _ in range(20):
            sha512.compress(one, data, 128)
            sha512_portable.compress(two, data, 128)
            self.assertEqual(one, two)
            data[128:192] = one

    def test_attributes(self):
        self.assertEqual((Sha512.name, Sha512.block_size, Sha512.digest_size), ("sha512", 128, 64))


class HmacTest(unittest.TestCase):
    def check(self, key, message, name, digest):
        self.assertEqual(hmac_digest(key, message, name).hex(), digest)
        mac = Hmac(key, name)
        self.assertEqual(mac.digest_size, len(digest) // 2)
        self.assertNotEqual(mac.digest(b"another message").hex(), digest)
        self.assertEqual(mac.digest(message).hex(), digest)
        self.assertEqual(mac.digest(message).hex(), digest)

    def test_rfc2202(self):
        for key, message, digest in RFC2202:
            self.check(key, message, "sha1", digest)

    def test_rfc4231(self):
        for key, message, sha256, sha512_digest in RFC4231:
            self.check(key, message, "sha256", sha256)
            self.check(key, message, "sha512", sha512_digest)

    def test_rfc4231_with_our_sha512(self):
        for key, message, _, digest in RFC4231:
            self.check(key, message, Sha512, digest)

    def test_names_and_constructors(self):
        self.assertIs(constructor("sha1"), hashlib.sha1)
        self.assertIs(constructor("SHA256"), hashlib.sha256)
        self.assertIs(constructor(hashlib.sha256), hashlib.sha256)
        for name in ("sha1", "sha256", "sha512"):
            self.assertEqual(name_of(name), name)
            self.assertEqual(name_of(constructor(name)), name)
        self.assertEqual(name_of(Sha512), "sha512")

    def test_unknown_digests(self):
        with self.assertRaises(ValueError):
            Hmac(b"key", "nonsense")
        with self.assertRaises(TypeError):
            Hmac(b"key", "")
        with self.assertRaises(AttributeError):
            Hmac(b"key", 5)


if __name__ == "__main__":
    unittest.main()
