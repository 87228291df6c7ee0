# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Time servers over UDP, for a device that is a process."""

import errno
import socket

_NTP_PORT = "123"
_DATAGRAM = 512  # bytes


class Network:
    """UDP to a few servers, see understudy_device.sntp; never waits.

    `hosts`: name or name:port. Names are looked up once, here, for a look-up takes as long as it likes; one
    that is not found then is a server that does not answer.
    """

    def __init__(self, hosts):
        self.servers = hosts
        self._addresses = {}
        for host in hosts:
            name, _, port = host.partition(":")
            try:
                found = socket.getaddrinfo(name, int(port or _NTP_PORT), socket.AF_INET, socket.SOCK_DGRAM)
                self._addresses[host] = found[0][-1]
            except OSError:
                pass
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, server, data):
        """Send a datagram; OSError when it can't be."""
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
