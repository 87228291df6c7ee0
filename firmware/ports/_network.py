# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Time servers over UDP, for a process and for a board with Wi-Fi."""

import errno
import socket

_NTP_PORT = "123"
_MAX_PORT = 65535
_DATAGRAM = 512  # bytes


def check_servers(hosts):
    """Raise ValueError unless `hosts` is a list of name or name:port, and not empty."""
    if not hosts:
        raise ValueError("no time server")
    for host in hosts:
        name, colon, port = host.partition(":")
        if not name or (colon and not (port.isdigit() and 0 < int(port) <= _MAX_PORT)):
            raise ValueError("time server: " + repr(host))


def _here(work):
    work()


class Network:
    """UDP to a few servers, see understudy_device.sntp; never waits, but for names.

    `hosts`: as for `check_servers`. `run(work)` calls `work()`, now or beside what goes on: a look-up of a
    name takes as long as it likes. Names that were not found are looked up again with each round of requests.
    """

    def __init__(self, hosts, run=_here):
        check_servers(hosts)
        self.servers = hosts
        self._run = run
        self._is_looking = False
        self._missing = list(hosts)
        self._addresses = {}  # replaced and never changed, as `run` may be another thread
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def _look_up(self):
        """All that are missing, up to the first that is not found: without a name service each would take its
        time. That one is the last in the next round."""
        try:
            for _ in range(len(self._missing)):
                host = self._missing.pop(0)
                name, _, port = host.partition(":")
                try:
                    found = socket.getaddrinfo(
                        name, int(port or _NTP_PORT), socket.AF_INET, socket.SOCK_DGRAM
                    )
                except (OSError, ValueError):  # ValueError: what can't be a name
                    self._missing.append(host)
                    return
                addresses = self._addresses.copy()
                addresses[host] = found[0][-1]
                self._addresses = addresses
        finally:
            self._is_looking = False

    def send(self, server, data):
        """Send a datagram; OSError when it can't be."""
        if server == self.servers[0] and self._missing and not self._is_looking:
            self._is_looking = True
            self._run(self._look_up)
        if server not in self._addresses:
            raise OSError(errno.ENOENT)
        self._socket.sendto(data, self._addresses[server])

    def receive(self):
        """(server, datagram), or None when there is none."""
        try:
            data, address = self._socket.recvfrom(_DATAGRAM)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise
        for server, known in self._addresses.items():
            if known == address:
                return server, data
        return "", data
