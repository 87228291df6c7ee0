# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A user with the credentials, and what they have used, as bytes.

The `User` changes when an admin changes it and is sealed at rest; the `State` changes with every code and
holds nothing that tells who it is.
"""

import struct

from .compat import const
from .errors import NotFound
from .protocol import ALGORITHMS, KINDS

_CREDENTIAL = ">BBBBHBB"  # id, kind, flags, digits, interval, window, algorithm; then name and secret
_CREDENTIAL_SIZE = const(8)
_FOLLOW = const(0xFF)  # window: the device's setting
_CONFIRMED = const(1)
_OFF = const(2)
_AT_LOGIN = const(4)
_PENDING = const(1)
_DISABLED = const(2)
_DATES = const(4)
_IDS = const(15)

# Secrets of codes that are made here: until (4 bytes, Unix seconds, 0 for ever), salt, hashes.
SALT = const(8)
CODE_HASH = const(8)
_CODES_HEAD = const(12)

MAX_USE = const(11)  # bytes of a state that one credential takes at most
_MIN_STATE = const(8)  # bytes, see scan.scan
_TOTP = ">IbB"  # last step plus one, drift, the low byte of the clock's run
_TOTP_LONG = ">IbBI"  # and the last step plus one in that run, where it is another
_RUNS = const(0xFF)


def _pack_text(text):
    data = text if isinstance(text, bytes) else text.encode()
    return bytes((len(data),)) + data


class Credential:
    """A credential of a user: `kind` is one of protocol.KINDS; `id` (1 to 15) is its own among the user's.

    `secret`: the shared one, or the salted hashes of codes; `window`: steps, None when it follows the
    device's setting; `interval`: seconds; `at_login`: whether a login has made it (`enrol_commands`), which
    may also confirm it.
    """

    def __init__(
        self, kind, name, secret, digits, interval=30, window=None, algorithm="SHA1", confirmed=True
    ):
        self.id = 0
        self.kind = kind
        self.name = name
        self.secret = secret
        self.digits = digits
        self.interval = interval
        self.window = window
        self.algorithm = algorithm
        self.confirmed = confirmed
        self.enabled = True
        self.at_login = False

    @property
    def usable(self):
        """Whether its codes count."""
        return self.confirmed and self.enabled

    @property
    def state(self):
        """One word for people."""
        if not self.confirmed:
            return "unconfirmed"
        return "active" if self.enabled else "disabled"

    # Of codes that are made here.

    @property
    def until(self):
        """Unix seconds after which its codes are void, 0 for never."""
        return int.from_bytes(self.secret[:4], "big")

    @property
    def salt(self):
        """What goes into the hashes."""
        return self.secret[4:_CODES_HEAD]

    @property
    def hashes(self):
        """The codes' hashes, in order."""
        rest = self.secret[_CODES_HEAD:]
        return [rest[i : i + CODE_HASH] for i in range(0, len(rest), CODE_HASH)]

    def pack(self):
        """To bytes."""
        flags = (_CONFIRMED if self.confirmed else 0) | (0 if self.enabled else _OFF)
        flags |= _AT_LOGIN if self.at_login else 0
        head = struct.pack(
            _CREDENTIAL,
            self.id,
            KINDS.index(self.kind),
            flags,
            self.digits,
            self.interval,
            _FOLLOW if self.window is None else self.window,
            ALGORITHMS.index(self.algorithm),
        )
        return head + _pack_text(self.name) + _pack_text(self.secret)

    @staticmethod
    def unpack(data, at):
        """(Credential, where it ends) from `data` at `at`."""
        number, kind, flags, digits, interval, window, algorithm = struct.unpack_from(_CREDENTIAL, data, at)
        start = at + _CREDENTIAL_SIZE + 1
        end = start + data[start - 1]
        name = data[start:end].decode()
        start = end + 1
        end = start + data[end]
        one = Credential(KINDS[kind], name, data[start:end], digits, interval)
        one.id = number
        one.window = None if window == _FOLLOW else window
        one.algorithm = ALGORITHMS[algorithm]
        one.confirmed = bool(flags & _CONFIRMED)
        one.enabled = not flags & _OFF
        one.at_login = bool(flags & _AT_LOGIN)
        return one, end


def pack_codes(until, salt, hashes):
    """The secret of a credential of codes that are made here."""
    return struct.pack(">I", until) + salt + b"".join(hashes)


class User:
    """A user: `valid_from`, `valid_until` are Unix seconds, 0 for no bound; `pending`: was reset, and has to
    enrol."""

    def __init__(self, name):
        self.name = name
        self.enabled = True
        self.pending = False
        self.valid_from = 0
        self.valid_until = 0
        self.groups = []
        self.credentials = []
        self._next = 1

    @property
    def state(self):
        """One word for people."""
        if not self.enabled:
            return "disabled"
        if self.pending:
            return "pending"
        return "active" if any(one.confirmed for one in self.credentials) else "unconfirmed"

    def credential(self, name):
        """The credential of that name; NotFound."""
        for one in self.credentials:
            if one.name == name:
                return one
        raise NotFound("user %s has no credential %s" % (self.name, name))

    def put(self, credential):
        """Take a credential in, in the place of one of the same name."""
        credential.id = self._next
        self._next = self._next % _IDS + 1
        while any(one.id == self._next for one in self.credentials):
            self._next = self._next % _IDS + 1
        self.credentials = [one for one in self.credentials if one.name != credential.name] + [credential]

    def pack(self):
        """To bytes (to be sealed)."""
        flags = (_PENDING if self.pending else 0) | (0 if self.enabled else _DISABLED)
        dates = b""
        if self.valid_from or self.valid_until:
            flags |= _DATES
            dates = struct.pack(">II", self.valid_from, self.valid_until)
        out = bytes((flags, self._next)) + dates + _pack_text(self.name)
        out += bytes((len(self.groups),)) + b"".join(_pack_text(group) for group in self.groups)
        return out + b"".join(one.pack() for one in self.credentials)

    @staticmethod
    def unpack(data):
        """From bytes that `pack` has made: what was sealed is not anybody else's."""
        flags, at = data[0], 2
        dates = (0, 0)
        if flags & _DATES:
            dates, at = struct.unpack_from(">II", data, at), at + 8
        end = at + 1 + data[at]
        user = User(data[at + 1 : end].decode())
        user._next = data[1]
        user.valid_from, user.valid_until = dates
        user.enabled, user.pending = not flags & _DISABLED, bool(flags & _PENDING)
        at = end + 1
        for _ in range(data[end]):
            end = at + 1 + data[at]
            user.groups.append(data[at + 1 : end].decode())
            at = end
        while at < len(data):
            credential, at = Credential.unpack(data, at)
            user.credentials.append(credential)
        return user


class TotpUse:
    """What a TOTP credential has used: `last` step ever, -1 for none; `recent`: the last one in the clock's
    run `run` (its low byte: enough to tell a run from those next to it); `drift`: steps that its clock was
    found to be ahead of the device's."""

    def __init__(self, last=-1, drift=0, recent=-1, run=0):
        self.last = last
        self.drift = drift
        self.recent = recent
        self.run = run & _RUNS

    def pack(self):
        """To bytes; steps are kept plus one, so that 0 can say never."""
        if self.recent == self.last:
            return struct.pack(_TOTP, self.last + 1, self.drift, self.run)
        return struct.pack(_TOTP_LONG, self.last + 1, self.drift, self.run, self.recent + 1)

    @staticmethod
    def unpack(data):
        """From bytes; from none, nothing was used."""
        if not data:
            return TotpUse()
        if len(data) == 6:
            last, drift, run = struct.unpack(_TOTP, data)
            return TotpUse(last - 1, drift, last - 1, run)
        last, drift, run, recent = struct.unpack(_TOTP_LONG, data)
        return TotpUse(last - 1, drift, recent - 1, run)

    def in_run(self, run):
        """Whether `recent` belongs to the clock's run `run`."""
        return self.run == run & _RUNS


class State:
    """`failures`: wrong codes in a row; `uses`: bytes by a credential's id, a TotpUse, an HOTP counter (5
    bytes, the next one that counts) or a bit for each code used."""

    def __init__(self, failures=0, uses=None):
        self.failures = failures
        self.uses = uses or {}

    def totp(self, credential):
        """The TotpUse of a credential."""
        return TotpUse.unpack(self.uses.get(credential.id))

    def number(self, credential):
        """The HOTP counter, or the bits of the codes used."""
        return int.from_bytes(self.uses.get(credential.id, b""), "big")

    def with_use(self, credential, use):
        """A copy without failures in which the credential has used `use` (bytes)."""
        uses = dict(self.uses)
        uses[credential.id] = use
        return State(0, uses)

    def failed(self):
        """A copy with one failure more."""
        return State(self.failures + 1, self.uses)

    def only_of(self, user):
        """A copy without what belongs to credentials that the user no longer has."""
        ids = [one.id for one in user.credentials]
        return State(self.failures, {key: use for key, use in self.uses.items() if key in ids})

    def pack(self):
        """To bytes."""
        out = bytes((min(self.failures, 255),))
        for number, use in sorted(self.uses.items()):
            out += bytes((len(use) << 4 | number,)) + use
        return out + bytes(max(0, _MIN_STATE - len(out)))

    @staticmethod
    def unpack(data):
        """From bytes."""
        uses, at = {}, 1
        while at < len(data) and data[at]:
            end = at + 1 + (data[at] >> 4)
            uses[data[at] & 15] = data[at + 1 : end]
            at = end
        return State(data[0], uses)
