# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Takes over what a store of schema 1 holds: one credential a user, in a single stream.

All that is current is brought into sectors of the present schema, as it is; then one user after the other is
written anew, and what stood for that user before is deleted. A power cut on the way does no harm: the next
unsealing goes on.
"""

import struct

from .compat import const
from .errors import AuthenticationFailed, StoreDamaged
from .protocol import ALGORITHMS
from .records import OLD_CREDENTIAL, OLD_USE, STATE
from .users import Credential, State, TotpUse, User

_TAG = const(8)
_HEAD = ">BBHBB"  # flags, digits, interval, window, algorithm; then user, secret, issuer, label
_HEAD_SIZE = const(6)
_USE = ">QQI"  # last step plus one, recent step plus one, run
_FOLLOW = const(0xFF)
_CONFIRMED = const(1)
_MOST = const(0xFFFFFFFE)  # steps, as they are kept now


def convert(store, vault, directory, feed):
    """Write anew what an open store has in schema 1; whether there was anything.

    It may take minutes: `feed()` is called all the while.
    """
    if not store.log.has_old and not store.has(OLD_CREDENTIAL, OLD_USE):
        return False
    while store.log.has_old:
        feed()
        store.tidy()
    for number in store.numbers(OLD_CREDENTIAL):
        store.log.begin()  # each may take as long as a request
        feed()
        try:
            _convert_user(store, vault, directory, number)
        except (AuthenticationFailed, StoreDamaged):  # it loses itself only
            store.log.damaged += 1
            continue
        store.delete(OLD_CREDENTIAL, number)
        store.delete(OLD_USE, number)
    for number in store.numbers(OLD_USE):
        if not store.get(OLD_CREDENTIAL, number):  # the power was cut before the last line
            store.delete(OLD_USE, number)
    return True


def _convert_user(store, vault, directory, old):
    record = store.get(OLD_CREDENTIAL, old)
    tag = record[:_TAG]
    data = vault.open(b"credential%d" % old + tag, record[_TAG:])
    flags, digits, interval, window, algorithm = struct.unpack(_HEAD, data[:_HEAD_SIZE])
    texts, rest = [], data[_HEAD_SIZE:]
    for _ in range(2):
        texts.append(rest[1 : 1 + rest[0]])
        rest = rest[1 + rest[0] :]
    name = texts[0].decode()
    number, user = directory.look_up(name)
    if number != directory.nobody:
        return  # done before the power was cut
    user = User(name)
    credential = Credential("totp", "phone", texts[1], digits, interval)
    credential.window = None if window == _FOLLOW else window
    credential.algorithm = ALGORITHMS[algorithm]
    credential.confirmed = bool(flags & _CONFIRMED)
    user.put(credential)
    number = directory.free_number()
    store.journal([(STATE, number, _state(store.get(OLD_USE, old), credential).pack())])
    directory.put(number, directory.prepare(number, user))


def _state(use, credential):
    state = State()
    if use is not None:
        last, recent, run = struct.unpack(_USE, use)
        kept = TotpUse(min(last, _MOST) - 1, 0, min(recent, _MOST) - 1, run)
        state.uses[credential.id] = kept.pack()
    return state
