# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Runs on the Pico, sent there by bench.py: the device as main.py composes it, with a stopwatch around each
stage.

A stage's time is what it takes itself, without the stages inside it; `status` answers with the table.
"""

import gc
import time

import micropython

import pyotp
from ports.micropython import Board
from understudy_device import code_commands, commands, directory, noise, service, session, wire
from understudy_device.device import Device

SPENT = {}
PREVIOUS = {}  # what the request before this one has spent
_INNER = [0]
PLAIN_SECRET = "GEYTCMJRGEYTCMJRGEYTCMJRGEYTCMJR"


def timed(stage, owner, name):
    """Put a stopwatch around a function of a module or class."""
    whole = getattr(owner, name)

    def watched(*args):
        _INNER.append(0)
        start = time.ticks_us()
        try:
            return whole(*args)
        finally:
            took = time.ticks_diff(time.ticks_us(), start)
            SPENT[stage] = SPENT.get(stage, 0) + took - _INNER.pop()
            _INNER[-1] += took

    setattr(owner, name, watched)


def plain():
    """A verify as a script with pyotp does it, window 1: base32, three codes, compare.

    Returns us, the median of nine.
    """
    times = []
    for _ in range(9):
        gc.collect()
        start = time.ticks_us()
        right = pyotp.TOTP(PLAIN_SECRET).verify("000000", for_time=1700000000, valid_window=1)
        times.append(time.ticks_diff(time.ticks_us(), start))
    if right:
        raise ValueError("an unlikely code was right")
    return sorted(times)[4]


def table(_device, _caller, _fields):
    """In the place of `status`."""
    return {"stages": dict(PREVIOUS)}


def serve():
    """main.py's loop."""
    micropython.kbd_intr(-1)  # running this by the prompt has made Ctrl-C a key again
    board = Board([])
    device = Device(board)
    channel = session.Session(device, service.Service(device))
    reader = wire.LineReader()
    board.settle()
    while True:
        for line in reader.feed(board.read() or b""):
            answer = channel.handle(*wire.decode(line))
            board.write(wire.encode(*answer))
            PREVIOUS.clear()
            PREVIOUS.update(SPENT)
            SPENT.clear()
        channel.tidy()
        device.tidy()
        device.tick()
        SPENT.clear()


commands.status = table
for stage, owner, name in (
    ("frame in", wire.LineReader, "feed"),
    ("frame in", wire, "decode"),
    ("dispatch", session.Session, "handle"),
    ("decrypt", noise.CipherState, "decrypt_with_ad"),
    ("parse and check", service, "_parse"),
    ("parse and check", service, "check_fields"),
    ("seen before?", code_commands, "answered"),
    ("look up, unseal", directory.Directory, "look_up"),
    ("last used steps", directory.Directory, "state"),
    ("codes, compare", code_commands, "decide"),
    ("burn the step", code_commands, "keep"),
    ("reply", service, "_dump"),
    ("encrypt", noise.CipherState, "encrypt_with_ad"),
    ("frame out", wire, "encode"),
):
    timed(stage, owner, name)
