# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A device as its systemd unit starts it: the command line is the unit's own ExecStart, with the link, the
state directory and the place of the program put in."""

import configparser
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.support import SECONDS, wait_for
from tests.ports import free_port

from understudy.paths import etc_dir
from understudy.simulator.pty_port import PtyPort

UNIT = etc_dir() / "understudy-device.service"
PROGRAM = "/usr/local/bin/understudy-device"


def unit() -> configparser.ConfigParser:
    """The unit's sections; of a key that comes more than once, the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    return parser


def command(**changed: str) -> list[str]:
    """ExecStart as systemd would run it, with some of its environment `changed`."""
    service = unit()["Service"]
    known = dict(word.split("=", 1) for word in shlex.split(service["Environment"]))
    known.update(changed)
    # As systemd does it: an empty value is an argument, too.
    words = [
        re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], word)
        for word in shlex.split(service["ExecStart"])
    ]
    assert words[0] == PROGRAM
    return [str(Path(sys.executable).with_name("understudy-device")), *words[1:]]


class Service:
    """The unit's process; `log` is what the journal would have."""

    def __init__(self, folder: Path, link: str, **settings: str) -> None:
        self._folder, self._link = folder, link
        self._settings = {"CLOCK": "host", **settings}  # whether this machine's is synchronised, who knows
        (folder / "state").mkdir(mode=0o700, exist_ok=True)
        self.log = folder / "journal"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until its link is there."""
        state = str(self._folder / "state")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command(LINK=self._link, STATE_DIRECTORY=state, **self._settings),
                env={"PATH": os.environ["PATH"], "STATE_DIRECTORY": state},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: self.said("link: "))

    def said(self, text: str) -> bool:
        """Whether it has logged that, since it was started; it must not have ended."""
        assert self.process is not None and self.process.poll() is None, self.log.read_text()
        return text in self.log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """As `systemctl stop` does, or with another signal."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(SECONDS)
            assert "Traceback" not in self.log.read_text(), self.log.read_text()

    def restart(self, number: int = signal.SIGTERM) -> None:
        """It ends, and systemd starts it again."""
        self.stop(number)
        self.start()


class Cable(threading.Thread):
    """A serial cable: what the device writes into its tty comes out of `host`, and the other way round.

    The device's end, `path`, is a name that can be pulled out and plugged in again.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.path = path
        self._host = PtyPort()
        self.host = self._host.path
        self._device: PtyPort | None = PtyPort(path)
        self._lock = threading.Lock()
        self._ended = False

    def run(self) -> None:
        while not self._ended:
            with self._lock:
                ends = [end for end in (self._host, self._device) if end is not None]
                ready, _, _ = select.select(ends, [], [], 0.02)
                for end in ready:
                    data, other = end.read(), self._device if end is self._host else self._host
                    while data and other is not None:
                        select.select([], [other], [], SECONDS)
                        data = data[other.write(data) :]
            threading.Event().wait(0.001)  # lets `unplug` have its turn

    def unplug(self) -> None:
        """The device's tty goes away."""
        with self._lock:
            assert self._device is not None
            self._device.__exit__(None, None, None)
            self._device = None

    def plug(self) -> None:
        """It is there again, as another tty of the same name."""
        with self._lock:
            self._device = PtyPort(self.path)

    def end(self) -> None:
        """No more."""
        self._ended = True
        self.join(SECONDS)
        for end in (self._host, self._device):
            if end is not None:
                end.__exit__(None, None, None)


@contextmanager
def served(folder: Path, transport: str, **settings: str) -> Iterator[tuple[Service, str, Cable | None]]:
    """The service over "pty" or "socket" while inside, with `settings` as in /etc/default: it, the host's
    port, the cable if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    cable = Cable(folder / "serial0") if transport == "pty" else None
    link = str(cable.path) if cable is not None else f"socket://127.0.0.1:{free_port()}"
    service = Service(folder, link, **settings)
    if cable is not None:
        cable.start()
    try:
        service.start()
        yield service, cable.host if cable is not None else link, cable
    finally:
        service.stop()
        if cable is not None:
            cable.end()
        shutil.rmtree(folder / "state")
