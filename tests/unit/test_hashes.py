# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""HMAC-SHA-256 and HKDF: the RFCs' vectors."""

import unittest

from understudy_device.compat import hmac_sha256, sha256
from understudy_device.hashes import hkdf, hkdf_expand, hkdf_extract

# RFC 4231 sections 4.2 to 4.8: key, data, MAC (of 4.6 the first 16 bytes only).
_RFC4231 = (
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)

# RFC 5869 appendix A.1 to A.3: key material, salt, info, pseudo-random key, output.
_RFC5869 = (
    (
        b"\x0b" * 22,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(80)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
)


class HmacTest(unittest.TestCase):
    def test_rfc4231(self):
        for key, data, mac in _RFC4231:
            self.assertEqual(hmac_sha256(key, data).hex()[: len(mac)], mac)

    def test_key_at_the_block_size(self):
        # A key of 64 bytes is used as it is, one of 65 by its hash.
        for size in (0, 63, 64):
            key = bytes(range(size))
            padded = key + bytes(64 - size)
            inner = sha256(bytes(b ^ 0x36 for b in padded) + b"data")
            self.assertEqual(hmac_sha256(key, b"data"), sha256(bytes(b ^ 0x5C for b in padded) + inner))
        key = bytes(range(65))
        self.assertEqual(hmac_sha256(key, b"data"), hmac_sha256(sha256(key), b"data"))


class HkdfTest(unittest.TestCase):
    def test_rfc5869(self):
        for material, salt, info, key, output in _RFC5869:
            self.assertEqual(hkdf_extract(salt, material).hex(), key)
            self.assertEqual(hkdf_expand(bytes.fromhex(key), info, len(output) // 2).hex(), output)
            self.assertEqual(hkdf(salt, material, info, len(output) // 2).hex(), output)

    def test_shorter_output_is_a_prefix(self):
        whole = hkdf(b"salt", b"material", b"info", 100)
        for length in (0, 1, 31, 32, 33, 64, 99):
            self.assertEqual(hkdf(b"salt", b"material", b"info", length), whole[:length])

    def test_length_limits(self):
        self.assertEqual(len(hkdf_expand(bytes(32), b"", 255 * 32)), 255 * 32)
        for length in (-1, 255 * 32 + 1):
            with self.assertRaises(ValueError):
                hkdf_expand(bytes(32), b"", length)
