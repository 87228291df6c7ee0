# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The DS3231 clock chip (Maxim's data sheet 19-5170, rev 10) on an I2C bus that is handed in.

The bus has the methods of CircuitPython's busio.I2C. Its OSError goes through to the caller: no chip there,
or none that answers any more.
"""

from .compat import const

_ADDRESS = const(0x68)
_TIME = const(0x00)  # to 0x06: seconds, minutes, hours, day of the week, date, month, year, in BCD
_TIME_SIZE = const(7)
_CONTROL = const(0x0E)
_CONTROL_SET = const(0x04)  # no square wave, and EOSC clear: the oscillator runs on the battery, too
_STATUS = const(0x0F)
_STOPPED = const(0x80)  # OSF, the oscillator-stop flag; only clearing it has an effect
_CENTURY = const(0x80)  # in the month's register
_DAY = const(86400)
# What each register may hold; none has a bit set that the others of its kind don't use: 24 hours, always.
_LOW = (0, 0, 0, 1, 1, 1, 0)
_HIGH = (59, 59, 23, 7, 31, 12, 99)

PPM_HALVES = const(7)  # +-3.5 ppm from -40 to 85 degrees (+-2 from 0 to 40): in halves, to stay with integers


class Nonsense(Exception):
    """The registers hold what the chip never would."""


def _days(year, month, day):
    """Days since 1970 of a date of the Gregorian calendar: years begin in March here, so that a leap day is
    their last."""
    if month < 3:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719469


def _date(days):
    """(year, month, day) of days since 1970."""
    year = 1970 + days // 366  # at most a few too early
    while _days(year + 1, 1, 1) <= days:
        year += 1
    month = 12
    while _days(year, month, 1) > days:
        month -= 1
    return year, month, days - _days(year, month, 1) + 1


def _from_bcd(value):
    if value & 0x0F > 9 or value >> 4 > 9:
        raise Nonsense("%02x is no BCD" % value)
    return (value >> 4) * 10 + (value & 0x0F)


def _to_bcd(value):
    return value // 10 << 4 | value % 10


def decode(registers):
    """Unix seconds of the seven registers of the time (data sheet, figure 1); raises Nonsense."""
    century = registers[5] & _CENTURY
    values = [_from_bcd(registers[i] & (0x7F if i == 5 else 0xFF)) for i in range(_TIME_SIZE)]
    for value, low, high in zip(values, _LOW, _HIGH):
        if not low <= value <= high:
            raise Nonsense("%d is not in %d to %d" % (value, low, high))
    second, minute, hour, _, day, month, year = values
    year += 2100 if century else 2000
    days = _days(year, month, day)
    if _date(days) != (year, month, day):
        raise Nonsense("%d-%02d has no day %d" % (year, month, day))
    return days * _DAY + hour * 3600 + minute * 60 + second


def encode(time):
    """The seven registers of Unix seconds, which lie in 2000 to 2199."""
    days, rest = time // _DAY, time % _DAY
    year, month, day = _date(days)
    values = (rest % 60, rest // 60 % 60, rest // 3600, (days + 3) % 7 + 1, day, month, year % 100)
    registers = bytearray(_to_bcd(value) for value in values)
    if year >= 2100:
        registers[5] |= _CENTURY
    return registers


class DS3231:
    """The chip on `bus`."""

    def __init__(self, bus):
        self._bus = bus

    def _read(self, register, count):
        data = bytearray(count)
        self._locked()
        try:
            self._bus.writeto_then_readfrom(_ADDRESS, bytes((register,)), data)
        finally:
            self._bus.unlock()
        return data

    def _write(self, register, data):
        self._locked()
        try:
            self._bus.writeto(_ADDRESS, bytes((register,)) + bytes(data))
        finally:
            self._bus.unlock()

    def _locked(self):
        if not self._bus.try_lock():
            raise OSError("the bus is taken")

    def time(self):
        """Unix seconds, rounded down; None if the oscillator has stopped since it was set (data sheet, OSF),
        for then nobody knows for how long. Raises Nonsense."""
        if self._read(_STATUS, 1)[0] & _STOPPED:
            self._check(self._read(_TIME, _TIME_SIZE))
            return None
        return decode(self._check(self._read(_TIME, _TIME_SIZE)))

    @staticmethod
    def _check(registers):
        if bytes(registers) == b"\xff" * _TIME_SIZE:
            raise Nonsense("nothing but ff")
        return registers

    def set(self, time):
        """Set it to Unix seconds: writing the seconds begins a new one, and then the stop flag is cleared."""
        self._write(_TIME, encode(time))
        self._write(_CONTROL, (_CONTROL_SET,))
        self._write(_STATUS, (self._read(_STATUS, 1)[0] & ~_STOPPED & 0xFF,))
