# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The users on the device: sealed at rest, found by a tag of the name."""

from .compat import const
from .errors import NotFound, StoreFull
from .records import STATE, USER
from .sectors import MAX_RECORD
from .users import MAX_USE, Credential, State, User
from .vault import TAG

_SEALING = const(36)  # bytes: tag of the name, nonce, tag of the AEAD


def _binding(number, tag):
    return b"user%d" % number + tag


class Directory:
    """Over a `store` and an open `vault`."""

    def __init__(self, store, vault):
        self._store = store
        self._vault = vault
        # Who is nobody: what is asked about a name that is not there is worked out on this user, so that it
        # takes the same work.
        self.nobody = store.users_max

    def __len__(self):
        return self._store.index.users

    def make_nobody(self, secret, settings):
        """Write the user that stands for all names that are not there; `secret`: as long as most are."""
        user = User("nobody....")
        user.put(Credential("totp", "phone", secret, settings["digits"]))
        self._store.journal([(STATE, self.nobody, State().pack())])
        self.put(self.nobody, self.prepare(self.nobody, user))

    def look_up(self, name):
        """(number, User) of a name, of `nobody` when there is none. Raises Sealed."""
        found = self._store.find(self._vault.tag(name))
        if found is None:
            return self.nobody, self.load(self.nobody)
        return found[0], self._unseal(*found)

    def find(self, name):
        """(number, User) of a name; NotFound, or Sealed."""
        number, user = self.look_up(name)
        if number == self.nobody:
            raise NotFound("no user %s on this device" % name)
        return number, user

    def load(self, number):
        """The User of a number."""
        return self._unseal(number, self._store.get(USER, number))

    def _unseal(self, number, record):
        tag = record[:TAG]
        return User.unpack(self._vault.open(_binding(number, tag), record[TAG:]))

    def present(self, number):
        """The User who has a number now, or None."""
        record = self._store.get(USER, number) if number < self.nobody else None
        return None if record is None else self._unseal(number, record)

    def free_number(self):
        """A number for a new user; StoreFull."""
        number = self._store.index.free_number()
        if number is None:
            raise StoreFull("%d users are as many as this flash is for" % len(self))
        return number

    def prepare(self, number, user):
        """What `put` is to write for a new or changed user. Raises StoreFull, before anything is changed."""
        data = user.pack()
        if len(data) + _SEALING > MAX_RECORD:
            raise StoreFull("user %s has too many and too long credentials and groups" % user.name)
        state = 1 + MAX_USE * len(user.credentials)
        self._store.check_room(USER, number, len(data) + _SEALING, state)
        tag = self._vault.tag(user.name)
        return tag + self._vault.seal(_binding(number, tag), data)

    def put(self, number, prepared):
        """Store a new or changed user."""
        self._store.put(USER, number, prepared)

    def remove(self, number):
        """Forget a user, and with it what was used."""
        self._store.delete(USER, number)

    def after(self, number):
        """Yield (number, User) of the numbers greater than `number`, ascending."""
        for following in self._store.index.after(number):
            yield following, self.load(following)

    def state(self, number):
        """The users.State of a number."""
        data = self._store.get(STATE, number)
        return State() if data is None else State.unpack(data)
