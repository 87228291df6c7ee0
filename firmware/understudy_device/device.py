# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's parts put together from what a board gives, and the little state they share."""

from . import records
from .clock import Clock
from .credentials import Credentials
from .entropy import Pool
from .errors import StoreDamaged, Throttled
from .pairing import key_id
from .protocol import DAMAGED, DEFAULTS, FIRMWARE, MAX_PAIRINGS, OPEN, SEALED, UNCLAIMED, VERSION
from .store import Store
from .vault import Vault


class Device:
    """`board` is a port's Board: see ports/__init__.py for what it gives."""

    def __init__(self, board):
        self.board = board
        self.store = Store(board.flash, records.SECRET_KINDS)
        self.pool = Pool(
            board.random,
            lambda: self.store.get(records.SEED),
            lambda seed: self.store.put(records.SEED, 0, seed),
        )
        self.vault = Vault(self.store, self.pool)
        self.credentials = Credentials(self.store, self.vault)
        self.damage = None  # the message of what is wrong with the whole store
        self._pairings = (0, 0)  # (minute of uptime, handshakes in it)
        self.pairing_window = None  # (role, uptime at which it closes)
        self.faults = 0  # errors of our own that were survived since power-up
        try:
            self.store.open()
            self._check_whole()
        except StoreDamaged as error:
            self.damage = error.message
        self.clock = self._make_clock()

    def _check_whole(self):
        """A store that has lost its identity or its hosts must not pass for a new device."""
        claimed = self.store.has(records.SETTING, records.CLOCK, records.CREDENTIAL, records.USE)
        if (claimed and not self.store.has(records.HOST)) or (
            self.store.has(records.HOST) and not self.store.has(records.IDENTITY)
        ):
            raise StoreDamaged("the store has lost the device's identity or its hosts")

    def _make_clock(self):
        saved = self.store.get(records.CLOCK)
        clock = Clock(self.board.uptime, *(records.unpack_clock(saved) if saved else ()))
        self.board.start_clock(clock)
        return clock

    def set_clock(self, time, source, back=False):
        """Set the clock, on flash first: a full flash must not leave a time that a restart forgets."""
        self.store.put(records.CLOCK, 0, records.pack_clock(*self.clock.setting(time, back)))
        self.clock.set(time, source, back)

    def save_clock(self):
        """Put the clock's floor and spans on flash."""
        clock = self.clock
        self.store.put(records.CLOCK, 0, records.pack_clock(clock.floor, clock.run, clock.began, clock.spans))

    def count_pairing(self):
        """Raise Throttled when there were too many pairing handshakes in this minute."""
        minute = self.board.uptime() // 60
        if minute != self._pairings[0]:
            self._pairings = (minute, 0)
        if self._pairings[1] >= MAX_PAIRINGS:
            raise Throttled()
        self._pairings = (minute, self._pairings[1] + 1)

    def show(self, lines):
        """Put lines on the screen; whatever is wrong with it must not change an answer."""
        try:
            self.board.show(lines)
        except Exception:  # a driver's, a closed pipe's
            self.faults += 1

    @property
    def settings(self):
        """The device's settings, every key of protocol.SETTINGS."""
        saved = self.store.get(records.SETTING)
        return records.unpack_settings(saved) if saved else dict(DEFAULTS)

    @property
    def state(self):
        """One word for the hello, the status and the screen."""
        if self.damage is not None:
            return DAMAGED
        if not self.vault.claimed:
            return UNCLAIMED
        return OPEN if self.vault.is_open else SEALED

    def id(self):
        """8 bytes that name this device; they come from its static key, which is made when first asked
        for."""
        return key_id(self.vault.identity().public)

    def hello(self):
        """What anyone may know."""
        return {
            "protocol": VERSION,
            "oldest": VERSION,
            "device": self.id().hex() if self.damage is None else "",
            "board": self.board.info["id"],
            "firmware": FIRMWARE,
            "state": self.state,
            "locked": self.board.locked,
            "display": bool(self.board.info.get("display")),
        }
