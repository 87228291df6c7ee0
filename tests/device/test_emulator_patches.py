# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Every correction to rp2040py, with it and without it: the second half shows that the first can fail."""

from collections.abc import Callable

import pytest

from understudy.simulator.errors import SimulationTimeout
from understudy.simulator.flash_layout import FLASH_SIZE
from understudy.simulator.i2c_bus import I2CBus, I2CTarget
from understudy.simulator.littlefs_image import install_files
from understudy.simulator.pico import Pico
from understudy.simulator.raw_repl import RawRepl
from understudy.simulator.uart_line import UartLine

MakePico = Callable[..., Pico]
BLANK = b"\xff" * FLASH_SIZE
EARLY_PRINT = {"main.py": b"import sys\nprint('early bird')\nsys.stdin.readline()\n"}
URANDOM = "import os\nprint(os.urandom(16).hex())"
UNIQUE_ID = "import machine\nprint(machine.unique_id().hex())"


class Memory(I2CTarget):
    """A 16-byte memory: the first byte written sets the address."""

    def __init__(self, address: int) -> None:
        super().__init__(address)
        self.data = bytearray(16)
        self._pointer = 0
        self._first = False

    def begin(self, read: bool) -> None:
        self._first = not read

    def write(self, value: int) -> bool:
        if self._first:
            self._pointer, self._first = value % 16, False
        else:
            self.data[self._pointer] = value
            self._pointer = (self._pointer + 1) % 16
        return True

    def read(self) -> int:
        value = self.data[self._pointer]
        self._pointer = (self._pointer + 1) % 16
        return value


def count_empty_packets(pico: Pico, microseconds: int) -> int:
    """Packets of no bytes that the guest's serial port gets in so much simulated time."""
    sizes: list[int] = []
    done = pico.mcu.usb_ctrl.endpoint_read_done

    def counted(endpoint: int, buffer: bytes, delay: int | None = None) -> None:
        sizes.append(len(buffer))
        done(endpoint, buffer, delay)

    pico.mcu.usb_ctrl.endpoint_read_done = counted  # type: ignore[method-assign]
    pico.run_us(microseconds)
    return sizes.count(0)


def test_idle_guest_gets_no_empty_packets(stock_pico: MakePico) -> None:
    assert count_empty_packets(stock_pico(), 50_000) == 0
    assert count_empty_packets(stock_pico(without={"nak"}), 50_000) > 100


def test_text_printed_before_dtr_arrives(stock_pico: MakePico) -> None:
    flash = install_files(BLANK, EARLY_PRINT)
    pico = stock_pico(flash=flash)
    pico.expect(b"early bird\r\n", sim_us=2_000_000)
    deaf = stock_pico(flash=flash, without={"sof"})
    with pytest.raises(SimulationTimeout):
        deaf.expect(b"early bird\r\n", sim_us=2_000_000)


def test_random_differs_by_seed(stock_pico: MakePico) -> None:
    def drawn(**options: object) -> str:
        return RawRepl(stock_pico(**options)).exec(URANDOM)

    assert drawn(seed=1) == drawn(seed=1)
    assert drawn(seed=1) != drawn(seed=2)
    assert drawn(seed=None) != drawn(seed=None)
    assert len(set(bytes.fromhex(drawn(without={"rosc"})))) == 1


def test_random_goes_on_over_a_reset(stock_pico: MakePico) -> None:
    pico = stock_pico()
    first = RawRepl(pico).exec(URANDOM)
    pico.reset()
    pico.boot()
    assert RawRepl(pico).exec(URANDOM) != first


def test_unique_id(stock_pico: MakePico) -> None:
    unique_id = bytes.fromhex("e661a4d417612345")
    assert RawRepl(stock_pico(unique_id=unique_id)).exec(UNIQUE_ID) == "e661a4d417612345\n"
    assert RawRepl(stock_pico(without={"flash-id"})).exec(UNIQUE_ID) == "ff" * 8 + "\n"


def test_flash_is_busy(stock_pico: MakePico) -> None:
    write = "import rp2\nrp2.Flash().writeblocks(300, bytearray(4096))"

    def cost_us(**options: object) -> int:
        pico = stock_pico(**options)
        repl = RawRepl(pico)
        start = pico.micros
        repl.exec(write)
        return pico.micros - start

    busy = 45_000 + 16 * 700
    assert busy < cost_us() < busy + 10_000
    assert cost_us(without={"flash-time"}) < 10_000


UART_ECHO = """
from machine import UART, Pin
u = UART(0, 115200, tx=Pin(0), rx=Pin(1), rxbuf=512, timeout=100)
u.write('hello')
u.flush()
print('sent')
"""


def test_uart_both_ways(stock_pico: MakePico) -> None:
    line = UartLine(0)
    pico = stock_pico(devices=[line])
    repl = RawRepl(pico)
    start = pico.micros
    assert repl.exec(UART_ECHO) == "sent\n"
    assert pico.micros - start > 5 * 10 * 1_000_000 // 115_200
    assert line.received == b"hello"
    message = bytes(range(256))
    line.send(message)
    pico.run_us(256 * 87 + 5000)
    assert repl.exec("print(u.read().hex())") == message.hex() + "\n"
    assert line.overruns == 0


def test_uart_hangs_without_its_patch(stock_pico: MakePico) -> None:
    pico = stock_pico(without={"uart"})
    RawRepl(pico).start(UART_ECHO)
    with pytest.raises(SimulationTimeout):
        pico.expect(b"sent", sim_us=100_000)


SCAN = "from machine import I2C, Pin\ni = I2C(0, sda=Pin(4), scl=Pin(5), freq=400_000)\nprint(i.scan())"


def test_i2c_scan(stock_pico: MakePico) -> None:
    targets = [Memory(0x20), Memory(0x68)]
    targets[1].present = False
    repl = RawRepl(stock_pico(devices=[I2CBus(0, targets, pins=(4, 5))]))
    assert repl.exec(SCAN) == "[32]\n"
    targets[1].present = True
    assert repl.exec("print(i.scan())") == "[32, 104]\n"
    without_pins = RawRepl(stock_pico(devices=[I2CBus(0, targets)]))
    assert without_pins.exec(SCAN) == "[]\n"


def test_i2c_read_and_write_take_wire_time(stock_pico: MakePico) -> None:
    memory = Memory(0x20)
    pico = stock_pico(devices=[I2CBus(0, [memory], pins=(4, 5))])
    repl = RawRepl(pico)
    repl.exec(SCAN)
    start = pico.micros
    assert repl.exec("i.writeto_mem(32, 3, b'abc')\nprint(i.readfrom_mem(32, 2, 5))") == "b'\\x00abc\\x00'\n"
    assert memory.data[3:6] == b"abc"
    assert pico.micros - start > (5 + 8) * 9 * 2.5


ABSENT = """
import time
t = time.ticks_us()
try:
    i.writeto(0x33, b'x')
except OSError as e:
    print(e.errno, time.ticks_diff(time.ticks_us(), t) < 5000)
"""


def test_absent_i2c_address_is_eio_at_once(stock_pico: MakePico) -> None:
    def answer(**options: object) -> str:
        repl = RawRepl(stock_pico(devices=[I2CBus(0, [], pins=(4, 5))], **options))
        repl.exec(SCAN)
        return repl.exec(ABSENT)

    assert answer() == "5 True\n"
    assert answer(without={"i2c"}) == "110 False\n"


def test_unknown_patch_is_refused() -> None:
    with pytest.raises(ValueError, match="no such patch: sofa"):
        Pico(None, without={"sofa"})
