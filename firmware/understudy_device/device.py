# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's parts put together from what a board gives, and the little state they share."""

from . import records
from .clock import Clock
from .credentials import Credentials
from .entropy import Pool
from .errors import StoreDamaged
from .pairing import key_id
from .protocol import DAMAGED, DEFAULTS, FIRMWARE, OPEN, SEALED, UNCLAIMED, VERSION
from .store import Store
from .vault import Vault


class Device:
    """`board` is a port's Board: see ports/__init__.py for what it gives."""

    def __init__(self, board):
        self.board = board
        self.store = Store(board.flash)
        self.pool = Pool(
            board.random,
            lambda: self.store.get(records.SEED),
            lambda seed: self.store.put(records.SEED, 0, seed),
        )
        self.vault = Vault(self.store, self.pool)
        self.credentials = Credentials(self.store, self.vault)
        self.damage = None  # the message of what is wrong with the whole store
        self.pairing_window = None  # (role, uptime at which it closes)
        try:
            self.store.open()
        except StoreDamaged as error:
            self.damage = error.message
        self.clock = self._make_clock()

    def _make_clock(self):
        saved = self.store.get(records.CLOCK)
        clock = Clock(self.board.uptime, *(records.unpack_clock(saved) if saved else ()))
        self.board.start_clock(clock)
        return clock

    def save_clock(self):
        """Put the clock's floor and leaps on flash."""
        self.store.put(records.CLOCK, 0, records.pack_clock(self.clock.floor, self.clock.leaps))

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
