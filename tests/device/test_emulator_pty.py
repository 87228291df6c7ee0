# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The emulated Pico as a serial port for another process."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from understudy.simulator import pty_server
from understudy.simulator.errors import StateError
from understudy.simulator.flash_state import FlashStateFile
from understudy.simulator.littlefs_image import read_littlefs
from understudy.simulator.pico import Pico
from understudy.simulator.pty_port import PtyPort
from understudy.simulator.pty_server import PtyServer

# Answers each JSON line; {"write": n} is acknowledged only once n is in a file, {"burn": ms} twice, as it
# begins and at its end.
GUEST = """
import sys, json, time, os, micropython
micropython.kbd_intr(-1)
print('ready')
while True:
    line = sys.stdin.buffer.readline(600)
    if line.startswith(b'raw'):
        print(json.dumps({'raw': line.hex()}))
        continue
    request = json.loads(line)
    if 'write' in request:
        with open('t', 'w') as f: f.write(str(request['write']))
        os.rename('t', 'state')
    if 'burn' in request:
        print('{}')
        t = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), t) < request['burn']: pass
    request['us'] = time.ticks_us()
    print(json.dumps(request))
"""

LATE = 0.05  # seconds that the device's clock may be off when it is asked


class Server:
    """`python -m understudy.simulator` in a process of its own."""

    def __init__(self, image: Path, folder: Path, *options: str) -> None:
        self.state, self.link = folder / "flash.img", folder / "port"
        main = folder / "main.py"
        main.write_text(GUEST)
        command = [sys.executable, "-m", "understudy.simulator", "--image", str(image), "--main", str(main)]
        command += ["--state", str(self.state), "--link", str(self.link), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.path = self.process.stdout.readline().strip()
        assert self.path, "the simulator did not come up"

    def open(self) -> serial.Serial:
        return serial.Serial(str(self.link), 115_200, timeout=30, write_timeout=30)

    def stop(self, number: int) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def server(stock_image: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(stock_image, tmp_path)
    yield server
    server.close()


def ask(port: serial.Serial, **request: object) -> dict[str, int]:
    port.write(json.dumps(request).encode() + b"\n")
    answer = read_answer(port)
    return {str(key): int(value) for key, value in answer.items()}


def read_answer(port: serial.Serial) -> dict[str, object]:
    """The next JSON line; what the guest printed at its start is passed over."""
    while True:
        line = port.readline()
        assert line.endswith(b"\n"), f"no answer, but {line!r}"
        if line.startswith(b"{"):
            answer = json.loads(line)
            assert isinstance(answer, dict)
            return answer


def test_answers_and_survives_clients_that_go(server: Server) -> None:
    for number in range(3):
        with server.open() as port:
            assert ask(port, n=number)["n"] == number
    assert Path(os.readlink(server.link)) == Path(server.path)


def test_bytes_pass_unchanged(server: Server) -> None:
    """Raw mode: no echo, no CR/LF mapping, no signals. Not with pyserial, which would set it itself."""
    handle = os.open(server.link, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(handle, b'{"n": 1}\n')  # answered once main.py has switched Ctrl-C off
        while not read_line(handle).startswith(b"{"):
            pass
        message = b"raw" + bytes(code for code in range(256) if code != ord("\n")) + b"\n"
        os.write(handle, message)
        assert read_line(handle) == json.dumps({"raw": message.hex()}).encode() + b"\r\n"
    finally:
        os.close(handle)


def read_line(handle: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        assert select.select([handle], [], [], 20)[0], f"no answer, but {line!r}"
        line += os.read(handle, 1)
    return line


def test_sigterm_saves_and_removes_the_link(server: Server) -> None:
    with server.open() as port:
        ask(port, write=41)
    assert server.stop(signal.SIGTERM) == 0
    assert not os.path.lexists(server.link)
    assert read_littlefs(server.state.read_bytes())["/state"] == b"41"


def test_kill_loses_nothing_acknowledged(stock_image: Path, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        server = Server(stock_image, tmp_path)
        try:
            with server.open() as port:
                ask(port, write=number)
                server.stop(signal.SIGKILL)
            assert read_littlefs(server.state.read_bytes())["/state"] == str(number).encode()
        finally:
            server.close()


def test_same_board_after_a_restart(stock_image: Path, tmp_path: Path) -> None:
    with FlashStateFile(tmp_path / "a.img") as state:
        first = state.unique_id()
    with FlashStateFile(tmp_path / "a.img") as state, FlashStateFile(tmp_path / "b.img") as other:
        assert state.unique_id() == first != other.unique_id()


def test_second_simulator_on_one_state_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flash.img"
    with FlashStateFile(path), pytest.raises(StateError, match="in use"), FlashStateFile(path):
        pytest.fail("two at once")
    with FlashStateFile(path) as state:
        assert state.load() is None
        path.write_bytes(b"short")
        with pytest.raises(StateError, match="5 bytes"):
            state.load()
        assert path.read_bytes() == b"short"


def test_state_is_saved_before_the_answer_leaves(stock_pico: Callable[..., Pico], tmp_path: Path) -> None:
    """With a state file that cannot be written, the answer stays here."""

    class Full(FlashStateFile):
        def save(self, flash: bytes) -> None:
            raise OSError("no space")

    pico = stock_pico()
    with PtyPort() as port, Full(tmp_path / "flash.img") as state:
        client = os.open(port.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
        server = PtyServer(pico, port, pace=False, state=state)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not pico.stalled:
            server.turn()
        drain(client)
        os.write(
            client, b"\r\x03\x01with open('f', 'w') as f: f.write('x')\nprint('ack' + 'nowledged')\n\x04"
        )
        with pytest.raises(OSError, match="no space"):
            while time.monotonic() < deadline:
                server.turn()
        assert b"acknowledged" not in drain(client)
        os.close(client)


def drain(handle: int) -> bytes:
    data = b""
    while True:
        try:
            data += os.read(handle, 4096)
        except BlockingIOError:
            return data


def asked(port: serial.Serial) -> tuple[float, float, float]:
    """The device's clock, and this host's before it was asked and after, in seconds: however busy the machine
    is, the device has looked at its own between the two."""
    before = time.monotonic()
    us = ask(port)["us"]
    return us / 1e6, before, time.monotonic()


def test_idle_device_keeps_time_and_costs_little(server: Server) -> None:
    with server.open() as port:
        ask(port)  # boots: computing, so late
        first, first_from, first_to = asked(port)
        cpu = server.cpu_s()
        time.sleep(4)
        cpu = server.cpu_s() - cpu
        last, last_from, last_to = asked(port)
    assert cpu < 0.1 * 4
    assert last_from - first_to - LATE < last - first < last_to - first_from + LATE


def test_device_clock_catches_up_after_computing(server: Server) -> None:
    """80 ms of computing take a second; a request that comes meanwhile meets a clock that has caught up."""
    with server.open() as port:
        ask(port)
        first, first_from, _ = asked(port)
        port.write(b'{"burn": 80}\n')
        read_answer(port)  # it is computing now
        time.sleep(0.1)  # until its clock is late by as much
        port.write(b'{"n": 2}\n')
        burnt, last = (float(str(read_answer(port)["us"])) / 1e6 for _ in range(2))
        last_to = time.monotonic()
    # By far more than the answer takes; the machine had to be ten times as fast for it to be less.
    assert last - burnt > LATE
    assert last - first < last_to - first_from + LATE


def test_unpaced_device_stands_still_while_idle(stock_image: Path, tmp_path: Path) -> None:
    server = Server(stock_image, tmp_path, "--free")
    try:
        with server.open() as port:
            before, cpu = ask(port)["us"], server.cpu_s()
            time.sleep(1)
            assert server.cpu_s() - cpu < 0.2
            assert ask(port)["us"] - before < 500_000
    finally:
        server.close()


def test_link_is_never_put_over_a_file(tmp_path: Path) -> None:
    link = tmp_path / "port"
    link.write_text("precious")
    with pytest.raises(FileExistsError):
        PtyPort(link)
    assert link.read_text() == "precious"
    link.unlink()
    link.symlink_to("/nowhere")  # left behind by a kill
    with PtyPort(link) as port:
        assert os.readlink(link) == port.path
    assert not os.path.lexists(link)


def test_client_that_never_reads_does_not_stop_the_device(
    stock_pico: Callable[..., Pico], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(PtyPort):
        def write(self, data: bytes | bytearray) -> int:
            return 0

    monkeypatch.setattr(pty_server, "_OUTPUT_LIMIT", 4096)
    pico = stock_pico()
    with Stuck() as port, FlashStateFile(tmp_path / "flash.img") as state:
        server = PtyServer(pico, port, pace=False, state=state)
        pico.send(b"\r\x03\x01for i in range(40): print('x' * 500)\nprint('e' + 'nd')\n\x04")
        deadline = time.monotonic() + 60
        while b"end" not in server._output and time.monotonic() < deadline:
            server.turn()
        assert b"end" in server._output
        assert server.dropped > 10_000
