# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Running Python on an emulated Pico whose image has a REPL (MicroPython's raw REPL protocol)."""

from .errors import GuestError
from .pico import Pico

_WALL_S = 900.0  # what hangs is given up; a busy machine takes its time


class RawRepl:
    """Interrupts whatever the guest runs and takes over its prompt."""

    def __init__(self, pico: Pico, *, wall_s: float = _WALL_S) -> None:
        """
        :param pico: booted
        :param wall_s: how long each step may take, in seconds of wall time
        :raises SimulationTimeout: there is no prompt to be had
        """
        self._pico, self._wall_s = pico, wall_s
        pico.received.clear()
        pico.send(b"\r\x03\x03\x01")
        pico.expect(b"raw REPL; CTRL-B to exit\r\n>", wall_s=wall_s)

    def start(self, source: str) -> None:
        """Start `source`, which goes on for ever: from here on the port is its own.

        :raises SimulationTimeout: the guest did not take it
        """
        self._pico.received.clear()
        self._pico.send(source.encode() + b"\x04")
        self._pico.expect(b"OK", wall_s=self._wall_s)

    def exec(self, source: str) -> str:
        """Run `source`.

        :return: what it printed, with \\n line ends
        :raises GuestError: it raised
        :raises SimulationTimeout: it did not end
        """
        pico = self._pico
        self.start(source)
        output = pico.expect(b"\x04", wall_s=self._wall_s)[:-1]
        error = pico.expect(b"\x04", wall_s=self._wall_s)[:-1]
        pico.expect(b">", wall_s=self._wall_s)
        if error:
            raise GuestError(error.decode(errors="replace").strip())
        return output.decode().replace("\r\n", "\n")
