# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Our portable ciphers, HMAC and HKDF against the `cryptography` package. CPython only."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.poly1305 import Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy_device import crypto_library, hashes
from understudy_device.chacha20 import chacha20_xor
from understudy_device.chacha20poly1305 import ChaCha20Poly1305
from understudy_device.errors import AuthenticationFailed
from understudy_device.poly1305 import poly1305

KEYS = st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=12, max_size=12)
TEXTS = st.binary(max_size=300)
# Bytes of zeros and ones only are where carries run furthest.
EXTREMES = st.lists(st.sampled_from([0, 1, 0x7F, 0x80, 0xFE, 0xFF]), max_size=80).map(bytes)
AEAD = ChaCha20Poly1305(chacha20_xor, poly1305)


@settings(deadline=None)
@given(KEYS, st.integers(0, 2**32 - 10), NONCES, TEXTS)
def test_chacha20(key, counter, nonce, text):
    cipher = Cipher(algorithms.ChaCha20(key, counter.to_bytes(4, "little") + nonce), mode=None).encryptor()
    assert chacha20_xor(key, counter, nonce, text) == cipher.update(text)


@settings(max_examples=300, deadline=None)
@given(st.one_of(KEYS, EXTREMES.map(lambda key: (key + bytes(32))[:32])), st.one_of(TEXTS, EXTREMES))
def test_poly1305(key, text):
    assert poly1305(key, text) == Poly1305.generate_tag(key, text)


@settings(deadline=None)
@given(KEYS, NONCES, TEXTS, TEXTS)
def test_aead(key, nonce, ad, text):
    sealed = crypto_library.aead_seal(key, nonce, ad, text)
    assert AEAD.seal(key, nonce, ad, text) == sealed
    assert AEAD.open(key, nonce, ad, sealed) == text


@settings(deadline=None)
@given(KEYS, NONCES, TEXTS, TEXTS, st.data())
def test_aead_refuses_what_the_library_refuses(key, nonce, ad, text, data):
    sealed = bytearray(crypto_library.aead_seal(key, nonce, ad, text))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    for aead_open in (AEAD.open, crypto_library.aead_open):
        with pytest.raises(AuthenticationFailed):
            aead_open(key, nonce, ad, bytes(sealed))


@given(TEXTS, TEXTS, TEXTS, st.integers(1, 300))
def test_hkdf(salt, material, info, length):
    theirs = HKDF(SHA256(), length, salt or None, info)
    assert hashes.hkdf(salt, material, info, length) == theirs.derive(material)
