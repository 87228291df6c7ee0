# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device: compose and run. The same file on every interpreter and board."""

import sys

# Before anything else can fail on a board: from here on Ctrl-C is data, not a way to a prompt.
if sys.platform in ("rp2", "esp32"):
    from ports.micropython import Board
else:
    from ports.linux import Board

from understudy_device import wire
from understudy_device.device import Device
from understudy_device.service import Service
from understudy_device.session import Session


def run(board, device):
    """Answer frames for as long as the link is there."""
    session = Session(device, Service(device))
    reader = wire.LineReader()
    device.reset_if_held()
    board.settle()
    device.tick()
    while not device.is_leaving:
        chunk = board.read()
        if chunk == b"":
            return
        for line in reader.feed(chunk or b""):
            frame = wire.decode(line)
            answer = session.handle(*frame) if frame is not None else None
            if answer is not None:
                board.write(wire.encode(*answer))
        session.tidy()
        device.tidy()
        device.tick()


def main(argv):
    """However it ends, by a fault or a closed link, a board starts anew instead of falling to a prompt."""
    board = Board(argv)
    cause = "fault"
    try:
        device = Device(board)
        try:
            run(board, device)
            cause = "asked"
        except Exception as error:
            device.fault(error)
            device.tidy()  # on flash, while there is time
            raise
    finally:
        board.leave(cause)


main(sys.argv[1:])
