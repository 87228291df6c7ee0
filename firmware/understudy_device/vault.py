# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Keys at rest: the device's identity, the paired hosts, and the data key that only they can unwrap.

The data key is made when the device is claimed and never stands on flash but wrapped, once per host, under a
secret that the host derives from its own private key. After power-up it is not there (the device is sealed)
until a host brings its secret.
"""

from . import records
from .compat import aead_open, aead_seal, const, hmac_sha256, sha256
from .errors import AlreadyExists, AuthenticationFailed, LastAdmin, NotFound, NotPaired, Sealed, StoreFull
from .noise import KeyPair
from .pairing import key_id
from .protocol import ADMIN, KEY, MAX_HOSTS

_NONCE = const(12)  # bytes, ChaCha20-Poly1305
TAG = const(8)  # bytes


class Vault:
    """`store` holds the records; `pool` gives randomness."""

    def __init__(self, store, pool):
        self._store = store
        self._pool = pool
        self._data_key = self._tag_key = self._mark_key = None
        self._proven = set()  # public keys of the hosts whose wrap was opened since power-up
        self._identity = None
        self.pairings = 0  # goes up when a host is unpaired, which ends its sessions

    def identity(self):
        """The device's static key pair (noise.KeyPair), made at the first call of its life."""
        if self._identity is None:
            private = self._store.get(records.IDENTITY)
            if private is None:
                private = self._pool.take(KEY)
                self._store.put(records.IDENTITY, 0, private)
            self._identity = KeyPair(private)
        return self._identity

    # Hosts.

    def hosts(self):
        """All paired hosts as (number, Host)."""
        return [
            (n, records.Host.unpack(self._store.get(records.HOST, n), n))
            for n in self._store.numbers(records.HOST)
        ]

    def find_host(self, wanted):
        """(number, Host) of a key id (8 bytes); NotPaired if there is none."""
        for number, host in self.hosts():
            if key_id(host.public_key) == wanted:
                return number, host
        raise NotPaired()

    @property
    def claimed(self):
        """Whether the device has an admin."""
        return bool(self._store.numbers(records.HOST))

    def add_host(self, public_key, role, name, wrap, announce):
        """Pair a host key and wrap the data key for it under `wrap` (32 bytes). The first one makes the data
        key. `announce(host)` is called before it is written.

        Raises AlreadyExists for a key that is paired already, StoreFull over MAX_HOSTS, Sealed without the
        data key.
        """
        hosts = self.hosts()
        if any(host.public_key == public_key for _, host in hosts):
            raise AlreadyExists("this host key is paired already")
        if len(hosts) >= MAX_HOSTS:
            raise StoreFull("%d hosts are paired already; unpair one first" % MAX_HOSTS)
        data_key = self._pool.take(KEY) if not hosts else self._key()
        nonce = self._pool.take(_NONCE)
        host = records.Host(public_key, role, name, nonce, b"")
        host.wrapped = aead_seal(wrap, nonce, _binding(host), data_key)
        taken = self._store.numbers(records.HOST)
        host.number = next(n for n in range(MAX_HOSTS) if n not in taken)
        announce(host)
        self._store.put(records.HOST, host.number, host.pack())
        self._open(data_key)
        self._proven.add(public_key)

    def remove_host(self, wanted, announce):
        """Unpair a key id; raises NotFound, or LastAdmin when no admin would be left. `announce(host)` is
        called before."""
        hosts = self.hosts()
        gone = [(number, host) for number, host in hosts if key_id(host.public_key) == wanted]
        if not gone:
            raise NotFound("no host of that id is paired")
        number, host = gone[0]
        if host.role == ADMIN and sum(1 for _, other in hosts if other.role == ADMIN) == 1:
            raise LastAdmin()
        announce(host)
        self.pairings += 1  # first: whatever becomes of the rest, no session of that host goes on
        self._store.delete(records.HOST, number)

    # The data key.

    @property
    def is_open(self):
        """Whether the data key is there."""
        return self._data_key is not None

    def unseal(self, host, wrap):
        """Unwrap the data key with that host's secret (32 bytes).

        AuthenticationFailed when it is not the right one.
        """
        data_key = aead_open(wrap, host.nonce, _binding(host), host.wrapped)
        if self._data_key is not None and data_key != self._data_key:
            raise AuthenticationFailed()
        self._open(data_key)
        self._proven.add(host.public_key)

    def is_proven(self, host):
        """Whether this host has opened its wrap since power-up: only that shows its role to be the one it was
        given."""
        return host.public_key in self._proven

    def _open(self, data_key):
        self._data_key = data_key
        self._tag_key = hmac_sha256(data_key, b"index")
        self._mark_key = hmac_sha256(data_key, b"request")

    def _key(self):
        if self._data_key is None:
            raise Sealed()
        return self._data_key

    def tag(self, name):
        """8 bytes by which a name is found at rest, meaningless without the data key.

        One hash over the secret key and the name: of the 32 bytes too few are given away to extend it.
        """
        self._key()
        return sha256(self._tag_key + name.encode())[:TAG]

    def request_digest(self, caller_key, request):
        """32 bytes by which a request of a host is known again, over restarts, too."""
        self._key()
        return sha256(self._mark_key + caller_key + request)

    def seal(self, binding, data):
        """Nonce and AEAD of `data`.

        `binding` (bytes) says which record it is, so that records can't be swapped.
        """
        nonce = self._pool.take(_NONCE)
        return nonce + aead_seal(self._key(), nonce, binding, data)

    def open(self, binding, sealed):
        """The reverse of `seal`; AuthenticationFailed on anything else."""
        return aead_open(self._key(), sealed[:_NONCE], binding, sealed[_NONCE:])


def _binding(host):
    # The role is bound in: one raised by writing to the flash does not open, see `is_proven`.
    return host.public_key + host.role.encode()
