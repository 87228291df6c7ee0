# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The raw flash region as the log uses it: its errors made ours, and its erases counted."""

from .compat import const
from .errors import FlashFailed
from .sectors import PAGE, SECTOR

ERASES = const(2)  # that one request waits for at most
_WITHOUT_END = const(0x3FFFFFFF)
_BLANK_PAGE = b"\xff" * 256


class Region:
    """Over a `flash` as `log` describes it. `erases_left`: that the present request may still wait for."""

    def __init__(self, flash):
        self._flash = flash
        self.sectors = flash.size // SECTOR
        self.readinto = flash.readinto
        self.erases_left = _WITHOUT_END

    def begin(self):
        """A request begins: it will not wait for more erases than this, however much it appends."""
        self.erases_left = ERASES

    def program(self, offset, data):
        """Write `data` anywhere, a page at a time. Raises FlashFailed."""
        done = 0
        try:
            while done < len(data):
                room = PAGE - (offset + done) % PAGE
                self._flash.program(offset + done, data[done : done + room])
                done += room
        except OSError as error:
            raise FlashFailed("the flash can't be written (error %s)" % error.args[0])

    def erase(self, index):
        """Erase a sector. Raises FlashFailed."""
        self.erases_left -= 1
        try:
            self._flash.erase(index * SECTOR)
        except OSError as error:
            raise FlashFailed("the flash can't be erased (error %s)" % error.args[0])

    def is_blank(self, index):
        """Whether a sector holds nothing.

        A page at a time: there is no second sector of RAM.
        """
        page = bytearray(PAGE)
        for offset in range(index * SECTOR, (index + 1) * SECTOR, PAGE):
            self._flash.readinto(offset, page)
            if page != _BLANK_PAGE:
                return False
        return True
