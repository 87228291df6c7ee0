# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A model of the DS3231 clock chip (Maxim's data sheet 19-5170, rev 10) for the emulated I2C bus, or for a
bus of a test's own."""

import datetime
from collections.abc import Callable

from .i2c_bus import I2CTarget

ADDRESS = 0x68
_SIZE = 0x13  # registers
_CONTROL, _STATUS, _AGING, _TEMPERATURE = 0x0E, 0x0F, 0x10, 0x11
_STOPPED = 0x80
_CENTURY = 0x80
_POWER_UP = 946684800  # 2000-01-01T00:00:00Z, what the registers hold when power comes the first time
_MILLION = 1_000_000


def _bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


def _number(value: int) -> int:
    return (value >> 4) * 10 + (value & 15)


class DS3231(I2CTarget):
    """Keeps time by the simulated clock, `drift_ppm` too fast.

    As on the chip: the time is latched at a start condition, the day of the week only counts, writing the
    seconds begins a new one, the stop flag can only be cleared. `stuck`: a time that it gives for ever;
    `nonsense`: seven bytes that it gives for the time.
    """

    def __init__(self, time: int | None = None, drift_ppm: float = 0.0, quarters: int = 100) -> None:
        """
        :param time: Unix seconds that it was set to before the power came, with the stop flag clear; None for
            a chip that never was
        :param quarters: of a degree Celsius
        """
        super().__init__(ADDRESS)
        self.drift_ppm = drift_ppm
        self.stuck: int | None = None
        self.nonsense: bytes | None = None
        self._registers = bytearray(_SIZE)
        self._registers[_CONTROL] = 0x1C
        self._registers[_STATUS] = 0 if time is not None else _STOPPED
        self._registers[_TEMPERATURE] = quarters >> 2 & 0xFF
        self._registers[_TEMPERATURE + 1] = (quarters & 3) << 6
        self._micros: Callable[[], float] = lambda: 0.0
        self._set = float(_POWER_UP if time is None else time)  # Unix seconds at `_at`
        self._at = 0.0  # us
        self._weekday = 1
        self._latched = bytes(7)
        self._written: dict[int, int] = {}
        self._pointer: int | None = None

    # What a test does to it.

    @property
    def now(self) -> int:
        """What it takes for the time, Unix seconds."""
        return int(self._time())

    @property
    def stopped(self) -> bool:
        """The oscillator-stop flag."""
        return bool(self._registers[_STATUS] & _STOPPED)

    def lose_power(self) -> None:
        """Main power and battery were gone."""
        self._begin_at(_POWER_UP)
        self._registers[_STATUS] |= _STOPPED

    def move(self, seconds: float) -> None:
        """Time went by, or a step in its oscillator: `seconds` further."""
        self._set += seconds

    def on_battery(self, micros: Callable[[], float]) -> None:
        """The Pico lost its power; from here on time is counted by another clock."""
        self._begin_at(self._time())
        self._micros, self._at = micros, micros()

    # The bus.

    def attached(self, micros: Callable[[], float]) -> None:
        """See I2CTarget."""
        self.on_battery(micros)

    def begin(self, read: bool) -> None:
        """See I2CTarget."""
        self._latch()
        if not read:
            self._pointer = None

    def write(self, value: int) -> bool:
        """The register's number, then what goes into it."""
        if self._pointer is None:
            self._pointer = value % _SIZE
            return True
        if self._pointer < 7:
            self._written[self._pointer] = value
        elif self._pointer == _STATUS:
            flag = self._registers[_STATUS] & value & _STOPPED
            self._registers[_STATUS] = value & ~_STOPPED | flag
        elif self._pointer < _TEMPERATURE:
            self._registers[self._pointer] = value
        self._pointer = (self._pointer + 1) % _SIZE
        return True

    def read(self) -> int:
        """The next register."""
        pointer = self._pointer or 0
        self._pointer = (pointer + 1) % _SIZE
        if pointer >= 7:
            return self._registers[pointer]
        return self.nonsense[pointer] if self.nonsense is not None else self._latched[pointer]

    def end(self) -> None:
        """See I2CTarget."""
        if self._written:
            registers = bytearray(self._latched)
            for register, value in self._written.items():
                registers[register] = value
            self._written = {}
            self._weekday = registers[3]
            self._begin_at(self._parsed(registers))

    # Time.

    def _time(self) -> float:
        if self._registers[_STATUS] & _STOPPED and self._registers[_CONTROL] & 0x80:
            return self._set
        return self._set + (self._micros() - self._at) / _MILLION * (1 + self.drift_ppm / _MILLION)

    def _begin_at(self, time: float) -> None:
        self._set, self._at = float(time), self._micros()

    def _latch(self) -> None:
        time = self._time() if self.stuck is None else self.stuck
        moment = datetime.datetime.fromtimestamp(int(time), datetime.UTC)
        self._latched = bytes(
            (
                _bcd(moment.second),
                _bcd(moment.minute),
                _bcd(moment.hour),
                self._weekday,
                _bcd(moment.day),
                _bcd(moment.month) | (_CENTURY if moment.year >= 2100 else 0),
                _bcd(moment.year % 100),
            )
        )

    @staticmethod
    def _parsed(registers: bytearray) -> float:
        second, minute, hour = (_number(value) for value in registers[:3])
        century = 2100 if registers[5] & _CENTURY else 2000
        day, month, year = _number(registers[4]), _number(registers[5] & 0x7F), _number(registers[6])
        moment = datetime.datetime(century + year, month, day, hour, minute, second, tzinfo=datetime.UTC)
        return moment.timestamp()
