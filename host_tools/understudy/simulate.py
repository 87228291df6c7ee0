# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Runs a simulated device and serves its port: the Linux build as a process, or the Pico in an emulator."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from understudy.device_process import command, environment
from understudy.discovery import announced, running
from understudy.files import make_private_dir, try_lock
from understudy.paths import build_dir, firmware_dir, state_dir
from understudy.simulator.pty_port import PtyPort
from understudy.simulator.stop_signals import StopSignals
from understudy_device.errors import NoDevice, PortBusy, UnderstudyError

BOARDS = ("linux", "rpi_pico")
INTERPRETERS = ("cpython", "micropython")

_POLL_SECONDS = 0.1
_STOP_SECONDS = 3.0


@dataclass(frozen=True)
class Plan:
    """What to simulate.

    `clock` is `host`, `unset`, `ntp:` and servers, or a Unix time in seconds, and of use to the Linux board
    only, as is `screen`, a file in the place of a display of text; `display` tells whether the Pico has one.
    """

    board: str
    interpreter: str = "cpython"
    state: Path | None = None
    link: Path | None = None
    clock: str = "host"
    image: Path | None = None
    free: bool = False
    display: bool = True
    screen: Path | None = None

    @property
    def folder(self) -> Path:
        """Where the simulated flash lives on."""
        return self.state or state_dir() / "simulator" / self.board


def run(plan: Plan, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    `on_ready` gets the port's path. PortBusy when another simulator has the state.
    """
    if plan.link is not None and os.path.abspath(plan.link) in running():
        raise PortBusy(f"Another simulator serves {plan.link}; stop it, or choose another --link.")
    make_private_dir(plan.folder)
    lock = try_lock(plan.folder / "lock")
    if lock is None:
        raise PortBusy(f"Another simulator runs on {plan.folder}; stop it, or choose another --state.")
    try:
        with StopSignals() as stop:
            if plan.board == "linux":
                _run_linux(plan, on_ready, stop, lock)
            else:
                _run_pico(plan, on_ready, stop)
    finally:
        os.close(lock)


def _run_linux(plan: Plan, on_ready: Callable[[str], None], stop: StopSignals, lock: int) -> None:
    with PtyPort(plan.link) as port:
        # Blocking for the device's process, which waits for input in a read; we only keep the port open.
        os.set_blocking(port.fileno(), True)
        process = _start(plan, port, lock)
        try:
            name = str(plan.link or port.path)
            with announced(os.path.abspath(name)):
                on_ready(name)
                while not stop() and not process.poll():
                    if process.returncode == 0:  # it wants to start anew, after a factory reset
                        process = _start(plan, port, lock)
                    time.sleep(_POLL_SECONDS)
        finally:
            _stop(process)
    if not stop():
        raise UnderstudyError(f"The simulated device has stopped with exit code {process.returncode}.")


def _start(plan: Plan, port: PtyPort, lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        linux_command(plan),
        stdin=port.fileno(),
        stdout=port.fileno(),
        env=environment(),
        cwd=firmware_dir(),
        start_new_session=True,  # Ctrl-C is for us; we then stop it
        pass_fds=(lock,),  # or a new simulator could meet the device of one that was killed
    )


def linux_command(plan: Plan) -> list[str]:
    """The command line of the Linux board's process."""
    options: dict[str, object] = {"--flash": plan.folder.absolute() / "flash.bin", "--clock": plan.clock}
    options["--screen"] = "text" if plan.screen is None else plan.screen.absolute()
    return command("linux", options, [] if plan.interpreter == "cpython" else [_micropython()])


def _micropython() -> str:
    built = build_dir() / "micropython/unix/micropython"
    found = os.environ.get("UNDERSTUDY_MICROPYTHON") or (
        str(built) if built.exists() else shutil.which("micropython")
    )
    if not found:
        raise NoDevice(
            "There is no micropython here; `make interpreter` builds it, or use --interpreter cpython."
        )
    return found


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _run_pico(plan: Plan, on_ready: Callable[[str], None], stop: StopSignals) -> None:
    # Imported here: the emulator is large, and the other board needs none of it.
    from understudy.pico_board import serve_pico  # noqa: PLC0415

    def ready(path: str) -> None:
        name = str(plan.link or path)
        notes.enter_context(announced(os.path.abspath(name)))
        on_ready(name)

    with ExitStack() as notes:
        serve_pico(plan, ready, stop)
