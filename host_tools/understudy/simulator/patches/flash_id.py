# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The flash chip's unique id (command 0x4B: opcode, four dummy bytes, eight bytes of id; W25Q16JV data sheet
8.2.30).

Without it `machine.unique_id()`, and with it the USB serial number, is ff..ff on every device.
"""

from rp2040py.rp2040 import RP2040

from .hooks import AnyCallable, wrap

ID_SIZE = 8
_CMD_READ_UNIQUE_ID = 0x4B
_HEADER = 5


def install(mcu: RP2040, unique_id: bytes) -> None:
    """Make the flash answer with `unique_id`.

    :raises ValueError: not eight bytes
    """
    if len(unique_id) != ID_SIZE:
        raise ValueError(f"a flash unique id has {ID_SIZE} bytes, not {len(unique_id)}")
    ssi = mcu.ssi

    def make(original: AnyCallable) -> AnyCallable:
        def shift_byte(byte_out: int) -> int:
            answer = int(original(byte_out))
            sent = ssi._tx_buffer
            if sent[0] == _CMD_READ_UNIQUE_ID and len(sent) > _HEADER:
                return unique_id[(len(sent) - _HEADER - 1) % ID_SIZE]
            return answer

        return shift_byte

    wrap(ssi, "_shift_byte", make)
