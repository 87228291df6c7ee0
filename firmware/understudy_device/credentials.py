# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The users' credentials, sealed at rest, found by a tag of the name; and the last step each has used."""

from . import records
from .errors import AlreadyExists, NotFound, StoreFull, UnknownUser

_TAG = 8  # bytes
_MAX = 0x10000  # credential numbers


def _binding(number, tag):
    return b"credential%d" % number + tag


class Credentials:
    """Over a `store` and an open `vault`; the index by name is built at the first look after power-up."""

    def __init__(self, store, vault):
        self._store = store
        self._vault = vault
        self._numbers = None  # tag: number

    def _index(self):
        if self._numbers is None:
            get = self._store.get
            self._numbers = {
                get(records.CREDENTIAL, n)[:_TAG]: n for n in self._store.numbers(records.CREDENTIAL)
            }
        return self._numbers

    def _load(self, number):
        record = self._store.get(records.CREDENTIAL, number)
        tag = record[:_TAG]
        return records.Credential.unpack(self._vault.open(_binding(number, tag), record[_TAG:]))

    def __len__(self):
        return len(self._store.numbers(records.CREDENTIAL))

    def find(self, user):
        """(number, Credential) of a user; raises UnknownUser, or Sealed."""
        number = self._index().get(self._vault.tag(user))
        if number is None:
            raise UnknownUser()
        return number, self._load(number)

    def add(self, credential):
        """Store a new credential.

        One that was never confirmed gives way; AlreadyExists otherwise; StoreFull.
        """
        index = self._index()
        tag = self._vault.tag(credential.user)
        number = index.get(tag)
        if number is None:
            taken = set(index.values())
            number = next((n for n in range(_MAX) if n not in taken), None)
            if number is None:
                raise StoreFull()
        elif self._load(number).confirmed:
            raise AlreadyExists("user %s is enrolled already; remove the user first" % credential.user)
        # Written now, so that there is room for it later: a full flash must not refuse a right code. And a
        # step left over from an earlier credential of this number would refuse the new one's codes, or worse.
        self.use(number, records.Use())
        self._put(number, tag, credential)
        index[tag] = number

    def update(self, number, credential):
        """Store a changed credential under its number."""
        self._put(number, self._vault.tag(credential.user), credential)

    def _put(self, number, tag, credential):
        sealed = self._vault.seal(_binding(number, tag), credential.pack())
        self._store.put(records.CREDENTIAL, number, tag + sealed)

    def remove(self, user):
        """Forget a user; NotFound if there is none."""
        index = self._index()
        tag = self._vault.tag(user)
        if tag not in index:
            raise NotFound("no user %s on this device" % user)
        number = index[tag]
        # First, so that a cut between the two leaves no credential without its step.
        self._store.delete(records.CREDENTIAL, number)
        del index[tag]
        self._store.delete(records.USE, number)

    def after(self, number, count):
        """Up to `count` (number, Credential) with a number greater than `number`, and whether more follow."""
        rest = [n for n in self._store.numbers(records.CREDENTIAL) if n > number]
        return [(n, self._load(n)) for n in rest[:count]], len(rest) > count

    def uses(self, number):
        """The records.Use of a credential."""
        data = self._store.get(records.USE, number)
        return records.Use() if data is None else records.Use.unpack(data)

    def use(self, number, use):
        """Burn a step: the records.Use is on flash when this returns."""
        self._store.put(records.USE, number, use.pack())
