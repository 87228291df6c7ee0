# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Our Noise against an independent one, the `noiseprotocol` package, in both roles. CPython only."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st
from noise.connection import Keypair, NoiseConnection
from noise.exceptions import NoiseInvalidMessage

from understudy_device import noise
from understudy_device.crypto_library import x25519_base
from understudy_device.errors import AuthenticationFailed

# What either side may say to a message that is not authentic.
REFUSALS = (AuthenticationFailed, NoiseInvalidMessage, InvalidTag)

KEYS = st.binary(min_size=32, max_size=32)
TEXTS = st.lists(st.binary(max_size=200), min_size=8, max_size=8)


class Theirs:
    """The other implementation behind the four calls of ours that a handshake needs."""

    def __init__(self, pattern, initiator, private, remote, prologue):
        self._noise = NoiseConnection.from_name(f"Noise_{pattern}_25519_ChaChaPoly_SHA256".encode())
        self._noise.set_prologue(prologue)
        self._noise.set_keypair_from_private_bytes(Keypair.STATIC, private)
        if remote:
            self._noise.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, remote)
        if initiator:
            self._noise.set_as_initiator()
        else:
            self._noise.set_as_responder()
        self._noise.start_handshake()

    def write_message(self, payload):
        return bytes(self._noise.write_message(payload))

    def read_message(self, message):
        return bytes(self._noise.read_message(message))

    @property
    def finished(self):
        return self._noise.handshake_finished

    @property
    def handshake_hash(self):
        return self._noise.get_handshake_hash()

    def seal(self, text):
        return self._noise.encrypt(text)

    def open(self, message):
        return self._noise.decrypt(message)


class Ours(noise.HandshakeState):
    def __init__(self, pattern, initiator, private, remote, prologue, ephemeral):
        super().__init__(
            pattern, initiator, noise.KeyPair(private), remote, prologue, random=lambda n: ephemeral[:n]
        )
        self._session = None

    def _states(self):
        self._session = self._session or self.split()
        return self._session

    def seal(self, text):
        return self._states()[0].encrypt_with_ad(b"", text)

    def open(self, message):
        return self._states()[1].decrypt_with_ad(b"", message)


def build(pattern, we_start, keys, prologue):
    """Return (ours, theirs) with static keys keys[0] and keys[1]."""
    known = pattern == "KK"
    ours = Ours(pattern, we_start, keys[0], x25519_base(keys[1]) if known else b"", prologue, keys[2])
    theirs = Theirs(pattern, not we_start, keys[1], x25519_base(keys[0]) if known else b"", prologue)
    return ours, theirs


@pytest.mark.parametrize("pattern", ["XX", "KK"])
@pytest.mark.parametrize("we_start", [True, False])
@settings(max_examples=30, deadline=None)
@given(keys=st.tuples(KEYS, KEYS, KEYS), prologue=st.binary(max_size=100), texts=TEXTS)
def test_whole_session(pattern, we_start, keys, prologue, texts):
    ours, theirs = build(pattern, we_start, keys, prologue)
    writer, reader = (ours, theirs) if we_start else (theirs, ours)
    texts = iter(texts)
    while not reader.finished:
        text = next(texts)
        assert reader.read_message(writer.write_message(text)) == text
        writer, reader = reader, writer
    assert ours.finished and ours.remote_static == x25519_base(keys[1])
    assert ours.handshake_hash == theirs.handshake_hash
    for text in texts:
        assert theirs.open(ours.seal(text)) == text
        assert ours.open(theirs.seal(text)) == text


@pytest.mark.parametrize("pattern", ["XX", "KK"])
def test_other_prologue_is_refused_by_both(pattern):
    keys = (bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34)))
    ours, _ = build(pattern, True, keys, b"one")
    _, theirs = build(pattern, True, keys, b"two")
    first = ours.write_message(b"")
    if pattern == "KK":
        with pytest.raises(REFUSALS):
            theirs.read_message(first)
    else:
        theirs.read_message(first)
        with pytest.raises(AuthenticationFailed):
            ours.read_message(theirs.write_message(b""))


@settings(max_examples=100, deadline=None)
@given(pattern=st.sampled_from(["XX", "KK"]), we_start=st.booleans(), data=st.data())
def test_a_changed_byte_never_gives_a_session(pattern, we_start, data):
    keys = (bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34)))
    ours, theirs = build(pattern, we_start, keys, b"")
    writer, reader = (ours, theirs) if we_start else (theirs, ours)
    changed = data.draw(st.integers(0, 1 if pattern == "KK" else 2), label="message to change")
    with pytest.raises(REFUSALS):
        for turn in range(3):
            message = bytearray(writer.seal(b"") if writer.finished else writer.write_message(b"payload"))
            if turn == changed:
                position = data.draw(st.integers(0, len(message) - 1), label="byte to change")
                message[position] ^= data.draw(st.integers(1, 255), label="bits to flip")
            if reader.finished:
                reader.open(bytes(message))
            else:
                reader.read_message(bytes(message))
            writer, reader = reader, writer


@settings(deadline=None)
@given(st.sampled_from(["XX", "KK"]), st.binary(max_size=300))
def test_garbage_raises_the_one_error(pattern, garbage):
    keys = (bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34)))
    ours, theirs = build(pattern, True, keys, b"")
    ours.write_message(b"")
    with pytest.raises(AuthenticationFailed):
        ours.read_message(garbage)
    with pytest.raises(AuthenticationFailed):
        ours.read_message(garbage)
