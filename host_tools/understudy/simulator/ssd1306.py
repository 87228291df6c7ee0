# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The SSD1306, a controller of 128 by 64 OLED pixels, as a chip on a modelled I2C bus.

Numbers in brackets are sections and tables of Solomon Systech's data sheet, revision 1.1.
"""

from typing import Final

from .i2c_bus import I2CTarget

WIDTH: Final = 128
HEIGHT: Final = 64
_PAGES: Final = HEIGHT // 8
_HORIZONTAL, _VERTICAL, _PAGE = range(3)  # addressing modes (10.1.3)

# Bytes of argument that a command takes (table 9-1); the others take none.
_ARGUMENTS: Final = {
    0x20: 1,  # addressing mode
    0x21: 2,  # column range
    0x22: 2,  # page range
    0x26: 6,  # scrolling
    0x27: 6,
    0x29: 5,
    0x2A: 5,
    0x81: 1,  # contrast
    0x8D: 1,  # charge pump (application note)
    0xA3: 2,  # scroll area
    0xA8: 1,  # multiplex ratio
    0xAD: 1,  # current reference (later revisions)
    0xD3: 1,  # display offset
    0xD5: 1,  # clock
    0xD9: 1,  # pre-charge
    0xDA: 1,  # wiring of the COM pins
    0xDB: 1,  # deselect level
}


class Ssd1306(I2CTarget):
    """The chip with its panel. `present = False` unplugs it; plugging it in again is a power-up."""

    def __init__(self, address: int = 0x3C) -> None:
        super().__init__(address)
        self.nak_after: int | None = None
        """Take so many more bytes, and acknowledge none after them."""
        self._present = True
        self.power_up()

    @property
    def present(self) -> bool:
        """Whether it is plugged in."""
        return self._present

    @present.setter
    def present(self, plugged: bool) -> None:
        if plugged and not self._present:
            self.power_up()
        self._present = plugged

    def power_up(self) -> None:
        """What holds after a reset (8.5); the RAM holds anything, here a chequered pattern."""
        self.ram = bytearray(b"\xaa\x55" * (WIDTH * _PAGES // 2))
        self.on = self.inverted = self.all_lit = self.charge_pump = False
        self.contrast = 0x7F
        self._mode = _PAGE
        self._columns, self._page_range = (0, WIDTH - 1), (0, _PAGES - 1)
        self._column = self._page = 0
        self._start_line = self._offset = 0
        self._ratio = HEIGHT
        self._remapped = self._reversed = False
        self._control: int | None = None
        self._command: list[int] = []

    # The bus.

    def begin(self, read: bool) -> None:
        """A transfer starts with a control byte (8.1.5.2)."""
        self._control = None

    def write(self, value: int) -> bool:
        """A control byte, or what it announced: Co = 1 is for one byte, D/C# = 1 for the RAM."""
        if self.nak_after is not None:
            if self.nak_after == 0:
                return False
            self.nak_after -= 1
        if self._control is None:
            self._control = value
            return True
        if self._control & 0x40:
            self._put(value)
        else:
            self._take(value)
        if self._control & 0x80:
            self._control = None
        return True

    def read(self) -> int:
        """The status: bit 6 is set while the display is off (table 9-2)."""
        return 0x00 if self.on else 0x40

    # The RAM.

    def _put(self, value: int) -> None:
        self.ram[self._page * WIDTH + self._column] = value
        first, last = self._columns if self._mode != _PAGE else (0, WIDTH - 1)
        if self._mode == _VERTICAL:
            if self._next_page():
                self._column = first if self._column == last else self._column + 1
        elif self._column == last:
            self._column = first
            if self._mode == _HORIZONTAL:
                self._next_page()
        else:
            self._column = (self._column + 1) % WIDTH

    def _next_page(self) -> bool:
        """Whether that was the last one."""
        first, last = self._page_range
        over = self._page == last
        self._page = first if over else (self._page + 1) % _PAGES
        return over

    # Commands.

    def _take(self, value: int) -> None:
        self._command.append(value)
        code, *arguments = self._command
        if len(arguments) < _ARGUMENTS.get(code, 0):
            return
        self._command = []
        if arguments:
            self._do_long(code, arguments)
        else:
            self._do_short(code)

    def _do_long(self, code: int, arguments: list[int]) -> None:
        first, last = arguments[0], arguments[-1]
        match code:
            case 0x20:
                self._mode = first & 3
            case 0x21:
                self._columns = (first & 0x7F, last & 0x7F)
                self._column = first & 0x7F
            case 0x22:
                self._page_range = (first & 7, last & 7)
                self._page = first & 7
            case 0x81:
                self.contrast = first
            case 0x8D:
                self.charge_pump = bool(first & 4)
            case 0xA8:
                self._ratio = (first & 0x3F) + 1
            case 0xD3:
                self._offset = first & 0x3F

    def _do_short(self, code: int) -> None:
        match code:
            case _ if code < 0x10:  # column of page addressing, its lower half
                self._column = self._column & 0x70 | code
            case _ if code < 0x20:
                self._column = self._column & 0x0F | (code & 7) << 4
            case _ if 0x40 <= code < 0x80:
                self._start_line = code & 0x3F
            case 0xA0 | 0xA1:
                self._remapped = bool(code & 1)
            case 0xA4 | 0xA5:
                self.all_lit = bool(code & 1)
            case 0xA6 | 0xA7:
                self.inverted = bool(code & 1)
            case 0xAE | 0xAF:
                self.on = bool(code & 1)
            case _ if 0xB0 <= code < 0xB8:
                self._page = code & 7
            case _ if 0xC0 <= code < 0xD0:
                self._reversed = bool(code & 8)

    # What is to be seen.

    @property
    def lit(self) -> bool:
        """Whether anything can be seen at all: it is on, and its charge pump gives the voltage for that."""
        return self.present and self.on and self.charge_pump

    def picture(self) -> list[list[bool]]:
        """The panel's pixels from the top left, as it is mounted on the usual modules: the first segment and
        the first row are at the bottom right unless both directions are turned around, as drivers do."""
        if not self.lit:
            return [[False] * WIDTH for _ in range(HEIGHT)]
        rows = []
        for y in range(HEIGHT):
            com = y if self._reversed else HEIGHT - 1 - y
            line = (com + self._start_line + self._offset) % HEIGHT
            rows.append([self._pixel(x, line, com) for x in range(WIDTH)])
        return rows

    def _pixel(self, x: int, line: int, com: int) -> bool:
        if com >= self._ratio:
            return False
        column = x if self._remapped else WIDTH - 1 - x
        stored = bool(self.ram[line // 8 * WIDTH + column] >> line % 8 & 1)
        return self.all_lit or stored != self.inverted
