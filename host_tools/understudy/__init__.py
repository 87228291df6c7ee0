# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Understudy's host side: the command line, the client for the device, the simulator.

Imports point one way: `cli -> discovery, client, simulate, qr -> session -> link -> transport`. From the
firmware only `protocol`, `wire`, `noise`, `pairing` and `errors` are used: the protocol is written down once.
"""

from understudy_device.protocol import FIRMWARE as __version__

__all__ = ["__version__"]
