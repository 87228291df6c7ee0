# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An SNTP client (RFC 4330, RFC 5905): asks all servers at once, and takes the time that most agree on.

MicroPython's `ntptime` can't be used: it asks one server, takes any 48 bytes for an answer (no check of mode,
stratum, leap or origin), tells no error, and waits on the socket while nobody else is served.

The network is handed in, and never waits: `servers`, their names; `send(server, data)`;
`receive() -> (server, data)` or None. Both may raise OSError.
"""

import struct

from .compat import const

_PACKET = const(48)  # bytes, without extensions
_FIRST = const(0x23)  # leap 0, version 4, mode 3 (client)
_SERVER = const(4)
_UNSYNCHRONISED = const(3)
_MAX_STRATUM = const(15)
_MAX_DISTANCE = const(1)  # s, half the root delay plus the root dispersion; RFC 5905's MAXDIST is 1.5
_NONCE = const(8)
_DRAINED = const(500)  # datagrams
# 1900 to 1970 in seconds, taken off in the era that puts the time into 1970 to 2106 (RFC 4330, section 3).
_EPOCH = const(2208988800)
_ERA = const(0xFFFFFFFF)

_WAIT = const(5)  # s for the answers
_POLL = const(1024)  # s; 64 to 1024 are usual, and the crystal loses 50 ms in that
_FIRST_RETRY = const(16)  # s; RFC 4330, section 10: never less than 15
# Whole seconds everywhere: uptime has none smaller, and the time is rounded to the nearest.
_ROUNDING = const(2)


def request(nonce):
    """The 48 bytes to send.

    `nonce`: 8 random bytes in place of our time, which is the server's to repeat: only who has seen the
    request can answer it, and it tells nothing about us (RFC 8915 recommends the same).
    """
    return bytes((_FIRST,)) + bytes(39) + nonce


def parse(data, nonce):
    """(Unix time in seconds, the server's own error in seconds) of an answer; None if it can't be believed.

    The checks of RFC 4330, section 5, and RFC 5905, section 8 and 11.2.3.
    """
    if len(data) < _PACKET:
        return None
    first, stratum, delay, dispersion = struct.unpack(">BBxxII", data[:12])
    transmitted, fraction = struct.unpack(">II", data[40:48])
    if first & 7 != _SERVER or first >> 6 == _UNSYNCHRONISED or first >> 3 & 7 not in (3, 4):
        return None
    if not 1 <= stratum <= _MAX_STRATUM:  # 0: a kiss of death
        return None
    if data[24:32] != nonce or not (transmitted or fraction):
        return None
    distance = delay // 2 + dispersion  # 16.16 seconds
    if distance > _MAX_DISTANCE << 16:
        return None
    return ((transmitted - _EPOCH) & _ERA) + (fraction >> 31), -(-distance >> 16)


def majority(samples, servers):
    """(time, error) that more than half of `servers` (a count) agree on, or None.

    `samples`: [(time, error)]. Marzullo's algorithm (RFC 5905, section 11.2.1): the interval that lies within
    the bounds of most of them.
    """
    best = None
    for low in [time - error for time, error in samples]:
        held = [(time, error) for time, error in samples if time - error <= low <= time + error]
        if 2 * len(held) > servers and (best is None or len(held) > best[0]):
            best = (len(held), low, min(time + error for time, error in held))
    if best is None:
        return None
    _, low, high = best
    middle = (low + high) // 2
    # The true time lies in it; but an interval may be narrow by chance.
    return middle, max(high - middle, min(error for _, error in samples))


class Sntp:
    """The client's state. `network`: see above; `random(n)`: bytes; `uptime()`: seconds."""

    def __init__(self, network, random, uptime):
        self._network = network
        self._random = random
        self._uptime = uptime
        self._due = 0  # uptime
        self._retry = _FIRST_RETRY
        self._asked = None  # uptime of the requests that are out
        self._nonces = {}  # server: its nonce
        self._samples = []  # [(uptime - time, error)]
        self.state = "waiting"  # or ok, no-answer, no-majority, refused

    def tick(self):
        """Ask when it is time to; (time, error), seconds, when the answers are in and agree, else None."""
        now = self._uptime()
        if self._asked is not None:
            self._collect(now)
            if not self._nonces or now - self._asked >= _WAIT:
                return self._result(now)
        elif now >= self._due:
            self._ask(now)
        return None

    def refused(self):
        """What `tick` gave was too far away to be taken: as good as no answer."""
        self.state = "refused"
        self._back_off(self._uptime())

    def _ask(self, now):
        self._asked, self._samples = now, []
        self._drain()
        self._nonces = {}
        for server in self._network.servers:
            nonce = self._random(_NONCE)
            try:
                self._network.send(server, request(nonce))
                self._nonces[server] = nonce
            except OSError:  # no route: as one that does not answer
                pass

    def _drain(self):
        """Throw away what has come in unasked, or true answers would stand in line behind it."""
        for _ in range(_DRAINED):
            try:
                if self._network.receive() is None:
                    return
            except OSError:
                return

    def _collect(self, now):
        for _ in range(4 * len(self._network.servers)):  # whoever floods us is left for the next time
            try:
                got = self._network.receive()
            except OSError:
                return
            if got is None:
                return
            server, data = got
            sample = parse(data, self._nonces[server]) if server in self._nonces else None
            if sample is not None:
                del self._nonces[server]  # its first good answer
                time, error = sample
                trip = now - self._asked
                # It was right at some moment between the request and now.
                self._samples.append((time + (trip + 1) // 2 - now, error + (trip + 2) // 2 + _ROUNDING))

    def _result(self, now):
        found = majority(self._samples, len(self._network.servers))
        self._asked = None
        if found is None:
            self.state = "no-majority" if self._samples else "no-answer"
            self._back_off(now)
            return None
        self.state, self._retry, self._due = "ok", _FIRST_RETRY, now + _POLL
        return found[0] + now, found[1]

    def _back_off(self, now):
        self._due = now + self._retry
        self._retry = min(2 * self._retry, _POLL)
