# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""One thin module per platform. Each has `Board(argv)`, which gives the core all that is hardware:

info: dict            the board's data (boards/<id>/board.json)
i2c                   the bus of a display and a clock chip, with the methods of CircuitPython's busio.I2C, or
                      None
open_display()        the display, or None where there can't be one; an exception of any kind if it does
                      not answer. It has `buffer`, laid out as understudy_device.canvas says, `show()`, which
                      sends it, and `is_on()`, False if it has to be opened again; or it has a `buffer` of
                      None and `show_lines(lines)`
network               datagrams to time servers, see understudy_device.sntp; None or not there: no network
system_clock          an operating system's clock: `error()` in seconds, or None while that does not know the
                      time; `read()` -> Unix seconds; None or not there: no such clock, or one to be believed
                      as `start_clock` says
locked: bool          whether there is no way to a MicroPython prompt
flash                 the store's region, see understudy_device.log
flash_kind: str       "raw", or "file" on a file system
random(n) -> bytes    from the platform's best source
uptime() -> int       seconds since power-up, never going back
memory() -> int|None  free bytes of the heap after a collection, where that means something
start_clock(clock)    tell a clock.Clock what the platform knows of the time
settle()              start-up is over: make the heap ready for requests
read() -> bytes|None  wait for bytes of the link; None when a second went by without any, b"" when it is
                      closed for good
write(data)           send bytes
leave(cause)          the firmware has ended: restart, where nothing else would see to it; `cause`, "fault" or
                      "asked", is what `restarted` then is
restarted: str|None   why the firmware was started again with the power on: "watchdog", "fault" or "asked";
                      None for anything else
nap()                 let a tenth of a second go by
feed()                what now runs is no hang (a watchdog, where there is one, bites after eight seconds)
blink(pattern)        play a pattern of understudy_device.lights on the LED, if there is one
button() -> bool|None whether the button is or was pressed since it was last asked for; None if there is none
"""
