# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Ports for servers that a test stops and starts again at the same place."""

import itertools
import random
import socket
from contextlib import suppress

# Below those that Linux gives to whoever asks for none: between two starts no client can get it.
_FIRST, _LAST = 20000, 32000
_reserved: dict[int, socket.socket] = {}
_next = itertools.count(random.randrange(_LAST - _FIRST))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A TCP port (SOCK_DGRAM: a UDP port) of 127.0.0.1 that nobody uses, and no other test is given while
    this process lives."""
    for number in _next:
        port = _FIRST + number % (_LAST - _FIRST)
        with suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", port))
            if _reserve(port):
                return port
    raise AssertionError("never reached")


def _reserve(port: int) -> bool:
    """A name that only one process of this machine can have, and loses with its end."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0understudy-test-port-{port}")
    except OSError:
        claim.close()
        return False
    _reserved[port] = claim
    return True
