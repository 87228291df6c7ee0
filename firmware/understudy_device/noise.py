# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Noise Protocol Framework, revision 34: patterns XX and KK with 25519, ChaChaPoly and SHA256.

Both ends run this file. Names are those of the Noise document. Whatever goes wrong with a peer's message
raises AuthenticationFailed, and ends the state it happened in: nothing can be tried twice.
"""

import struct

from .compat import aead_open, aead_seal, const, micropython, sha256, x25519, x25519_base
from .errors import AuthenticationFailed
from .hashes import hkdf

KEY_SIZE = 32
TAG_SIZE = 16
MAX_MESSAGE = const(65535)

# Far below the 2^64 - 1 of the document (section 5.1), and still a small integer on a 32-bit interpreter.
MAX_NONCE = const(0x3FFFFFFF)

_E = "e"
_S = "s"

# The messages' tokens by pattern (section 7.5); the initiator writes the first message, then they take turns.
_MESSAGES = {
    "XX": (("e",), ("e", "ee", "s", "es"), ("s", "se")),
    "KK": (("e", "es", "ss"), ("e", "ee", "se")),
}


class KeyPair:
    """A private key and its public key, 32 bytes each; the public one is computed unless it is given."""

    def __init__(self, private: bytes, public: bytes = b"") -> None:
        self.private = private
        self.public = public or x25519_base(private)


def generate_keypair(random) -> KeyPair:
    """Return a new KeyPair; random(n) gives n bytes that nobody can guess."""
    return KeyPair(random(KEY_SIZE))


class CipherState:
    """A key and a nonce that counts the messages under it (section 5.1)."""

    def __init__(self, key: bytes = b"") -> None:
        self.initialize_key(key)

    def initialize_key(self, key: bytes) -> None:
        """Take a 32-byte key, or the empty one: no encryption yet."""
        self._key = key
        self._nonce = 0
        self._failed = False
        # ChaChaPoly's nonce: four zero bytes, then the counter, little-endian (section 12.3).
        self._nonce_bytes = bytearray(12)

    def has_key(self) -> bool:
        """Return whether messages are encrypted."""
        return bool(self._key)

    @micropython.native
    def _next_nonce(self) -> bytes:
        count = self._nonce
        if self._failed or count >= MAX_NONCE:
            raise AuthenticationFailed("the session has ended")
        struct.pack_into("<I", self._nonce_bytes, 4, count)
        self._nonce = count + 1
        return self._nonce_bytes

    @micropython.native
    def encrypt_with_ad(self, ad: bytes, plaintext: bytes) -> bytes:
        """Return ciphertext and tag, or the plaintext itself while there is no key."""
        if not self._key:
            return plaintext
        return aead_seal(self._key, self._next_nonce(), ad, plaintext)

    @micropython.native
    def decrypt_with_ad(self, ad: bytes, ciphertext: bytes) -> bytes:
        """Return the plaintext; AuthenticationFailed is final, every later call raises it too."""
        if not self._key:
            return ciphertext
        nonce = self._next_nonce()
        self._failed = True
        plaintext = aead_open(self._key, nonce, ad, ciphertext)
        self._failed = False
        return plaintext


class SymmetricState:
    """The chaining key, the handshake hash and a CipherState (section 5.2)."""

    def __init__(self, protocol_name: bytes) -> None:
        padding = KEY_SIZE - len(protocol_name)
        self.handshake_hash = sha256(protocol_name) if padding < 0 else protocol_name + bytes(padding)
        self._chaining_key = self.handshake_hash
        self._cipher = CipherState()

    def mix_key(self, key_material: bytes) -> None:
        """Fold the outcome of a Diffie-Hellman into the chaining key and take a new encryption key."""
        output = hkdf(self._chaining_key, key_material, b"", 2 * KEY_SIZE)
        self._chaining_key = output[:KEY_SIZE]
        self._cipher.initialize_key(output[KEY_SIZE:])

    def mix_hash(self, data: bytes) -> None:
        """Fold public data into the handshake hash."""
        self.handshake_hash = sha256(self.handshake_hash + data)

    def has_key(self) -> bool:
        """Return whether encrypt_and_hash encrypts by now."""
        return self._cipher.has_key()

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        """Encrypt, bound to everything said so far."""
        ciphertext = self._cipher.encrypt_with_ad(self.handshake_hash, plaintext)
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """Decrypt what encrypt_and_hash of the other side made, or raise AuthenticationFailed."""
        plaintext = self._cipher.decrypt_with_ad(self.handshake_hash, ciphertext)
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple:
        """Return the two CipherStates of the session: for the initiator's messages, for the responder's."""
        output = hkdf(self._chaining_key, b"", b"", 2 * KEY_SIZE)
        return CipherState(output[:KEY_SIZE]), CipherState(output[KEY_SIZE:])


class HandshakeState:
    """One side of a handshake (section 5.3).

    pattern is "XX" or "KK"; s this side's static KeyPair; rs the other side's static public key (KK only);
    prologue what both sides must have seen alike; random(n) gives n bytes for the ephemeral key.
    """

    def __init__(
        self, pattern: str, initiator: bool, s: KeyPair, rs: bytes = b"", prologue: bytes = b"", random=None
    ) -> None:
        self._messages = _MESSAGES[pattern]
        if (pattern == "KK") != bool(rs):
            raise ValueError("KK, and only KK, takes the remote static key")
        self._symmetric = SymmetricState(b"Noise_" + pattern.encode() + b"_25519_ChaChaPoly_SHA256")
        self._initiator = initiator
        self._keys = {"s": s}
        self._remote = {"s": bytes(rs)} if rs else {}
        self._random = random
        self._turn = 0
        self._failed = False
        self._symmetric.mix_hash(prologue)
        if rs:
            # Pre-messages "-> s" and "<- s", the initiator's first.
            for key in (s.public, rs) if initiator else (rs, s.public):
                self._symmetric.mix_hash(key)

    @property
    def handshake_hash(self) -> bytes:
        """The 32 bytes that name this handshake; final once `finished` (section 11.2)."""
        return self._symmetric.handshake_hash

    @property
    def remote_static(self) -> bytes:
        """The other side's static public key, empty while it is unknown."""
        return self._remote.get("s", b"")

    @property
    def finished(self) -> bool:
        """Whether the last message has been written or read, so that split() may be called."""
        return self._turn == len(self._messages)

    def _begin(self, writing: bool) -> tuple:
        """Check whose turn it is; return the tokens. The state counts as failed until the message is done."""
        my_turn = (self._turn % 2 == 0) == self._initiator
        if self._failed or self.finished or my_turn != writing:
            raise AuthenticationFailed("handshake message out of turn")
        self._failed = True
        return self._messages[self._turn]

    def _end(self) -> None:
        self._turn += 1
        self._failed = False

    def _mix_dh(self, token: str) -> None:
        # The token's first letter is the initiator's key, the second the responder's.
        own, remote = (token[0], token[1]) if self._initiator else (token[1], token[0])
        self._symmetric.mix_key(x25519(self._keys[own].private, self._remote[remote]))

    def write_message(self, payload: bytes = b"") -> bytes:
        """Return this side's next message.

        Raises AuthenticationFailed out of turn or for a peer's key of small order, ValueError if it gets too
        long.
        """
        parts = []
        for token in self._begin(True):
            if token == _E:
                self._keys["e"] = generate_keypair(self._random)
                parts.append(self._keys["e"].public)
                self._symmetric.mix_hash(parts[-1])
            elif token == _S:
                parts.append(self._symmetric.encrypt_and_hash(self._keys["s"].public))
            else:
                self._mix_dh(token)
        parts.append(self._symmetric.encrypt_and_hash(payload))
        message = b"".join(parts)
        if len(message) > MAX_MESSAGE:
            raise ValueError("payload too long")
        self._end()
        return message

    def _read_key(self, token: str, message: bytes) -> int:
        """Take the key of token from the front of message; return how many bytes it used."""
        size = KEY_SIZE
        if token == _S and self._symmetric.has_key():
            size += TAG_SIZE
        if len(message) < size:
            raise AuthenticationFailed("handshake message too short")
        data = bytes(message[:size])
        if token == _E:
            self._symmetric.mix_hash(data)
        else:
            data = self._symmetric.decrypt_and_hash(data)
        self._remote[token] = data
        return size

    def read_message(self, message: bytes) -> bytes:
        """Return the payload of the other side's message; AuthenticationFailed ends the handshake."""
        tokens = self._begin(False)
        if len(message) > MAX_MESSAGE:
            raise AuthenticationFailed("handshake message too long")
        message = bytes(message)
        used = 0
        for token in tokens:
            if token in (_E, _S):
                used += self._read_key(token, message[used:])
            else:
                self._mix_dh(token)
        payload = self._symmetric.decrypt_and_hash(message[used:])
        self._end()
        return payload

    def split(self) -> tuple:
        """Return (send, receive): the CipherStates of this side's and of the other side's messages."""
        if self._failed or not self.finished:
            raise AuthenticationFailed("the handshake is not finished")
        first, second = self._symmetric.split()
        return (first, second) if self._initiator else (second, first)
