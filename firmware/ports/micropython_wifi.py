# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Time servers over a board's Wi-Fi. Not tried on a board."""

import errno

from ports._network import Network, check_servers


class Wifi:
    """A network as understudy_device.sntp has it; it joins the Wi-Fi when the first request is to be sent.

    `settings`: ssid, password ("" for an open one) and servers, see ports._network; `wlan`: a network.WLAN;
    `make(servers)`: the Network, once there is a connection. Raises KeyError, TypeError, ValueError for wrong
    settings.
    """

    def __init__(self, settings, wlan, make=Network):
        self.servers = settings["servers"]
        check_servers(self.servers)
        self._key = (settings["ssid"], settings["password"])
        self._wlan = wlan
        self._make = make
        self._network = None

    def send(self, server, data):
        """Send a datagram; OSError when it can't be: not connected (yet), say."""
        if not self._wlan.isconnected():
            if server == self.servers[0]:  # once a round, which is a quarter of a minute at least
                self._join()
            raise OSError(errno.ENOTCONN)
        if self._network is None:
            self._network = self._make(self.servers)
        self._network.send(server, data)

    def _join(self):
        """Begin to. An ESP32 that is at it already raises OSError, as good as any other reason."""
        self._wlan.active(True)
        self._wlan.connect(*self._key)

    def receive(self):
        """(server, datagram), or None when there is none."""
        return None if self._network is None else self._network.receive()
