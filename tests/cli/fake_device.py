# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""A peer on a pty that answers frames as a test likes: a liar, a silent one, one of another version."""

import json
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from understudy.simulator.pty_port import PtyPort
from understudy_device import wire

Answer = Callable[[int, bytes], list[tuple[int, bytes]]]

HELLO = {
    "protocol": 1,
    "oldest": 1,
    "device": "0011223344556677",
    "board": "fake",
    "firmware": "9.9",
    "state": "open",
    "locked": True,
    "display": False,
}


def hello(**changes: Any) -> bytes:
    """A hello's payload."""
    return json.dumps({**HELLO, **changes}).encode()


@contextmanager
def fake_device(answer: Answer) -> Iterator[str]:
    """While inside, frames sent to the port (the value) are answered by `answer(kind, payload)`."""
    stopped = threading.Event()
    with PtyPort() as port:

        def serve() -> None:
            reader = wire.LineReader()
            while not stopped.is_set():
                if not select.select([port], [], [], 0.05)[0]:
                    continue
                for line in reader.feed(port.read()):
                    for reply in answer(*(wire.decode(line) or (0, b""))):
                        port.write(wire.encode(*reply))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port.path
        finally:
            stopped.set()
            thread.join()
