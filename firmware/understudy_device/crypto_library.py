# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The cryptographic back end of a host: the `cryptography` package behind our own modules' signatures."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .errors import AuthenticationFailed


def x25519(private: bytes, public: bytes) -> bytes:
    """Return the 32-byte shared secret; AuthenticationFailed if it is all zeros (RFC 7748 section 6.1)."""
    key = X25519PrivateKey.from_private_bytes(bytes(private))
    peer = X25519PublicKey.from_public_bytes(bytes(public))
    try:
        return key.exchange(peer)
    except ValueError:
        raise AuthenticationFailed("the public key has small order") from None


def x25519_base(private: bytes) -> bytes:
    """Return the 32-byte public key of a 32-byte private key."""
    return X25519PrivateKey.from_private_bytes(bytes(private)).public_key().public_bytes_raw()


def aead_seal(key: bytes, nonce: bytes, ad: bytes, plaintext: bytes) -> bytes:
    """Return ciphertext and 16-byte tag (AEAD_CHACHA20_POLY1305, RFC 8439); key has 32 bytes, nonce 12."""
    return ChaCha20Poly1305(bytes(key)).encrypt(nonce, plaintext, ad)


def aead_open(key: bytes, nonce: bytes, ad: bytes, data: bytes) -> bytes:
    """Return the plaintext of ciphertext and tag; raises AuthenticationFailed if it is not authentic."""
    try:
        return ChaCha20Poly1305(bytes(key)).decrypt(nonce, data, ad)
    except InvalidTag:
        raise AuthenticationFailed("message not authentic") from None
