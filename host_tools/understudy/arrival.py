# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Waiting for a device that has just got other firmware, or was just erased, to come up."""

import time
from collections.abc import Callable

from understudy.deadline import Deadline
from understudy.discovery import Found, probe
from understudy.link import Hello
from understudy.statuses import explain
from understudy_device.errors import LinkTimeout

_PAUSE_SECONDS = 0.2


def wait_for_device(
    ports: Callable[[], list[str]], wanted: Callable[[Hello], bool], deadline: Deadline
) -> Found:
    """The first device at one of `ports()` whose hello is `wanted`; asked again and again until `deadline`.

    LinkTimeout when none is, which says what was seen instead.
    """
    seen = ""
    while True:
        for port in ports():
            found = probe(port)
            if found.hello is not None and wanted(found.hello):
                return found
            seen = _described(found)
        if deadline.passed:
            raise LinkTimeout(
                "The device did not come up as one of Understudy's in time" + (f": {seen}" if seen else ".")
            )
        time.sleep(min(_PAUSE_SECONDS, deadline.left))


def _described(found: Found) -> str:
    if found.hello is not None:
        return f"at {found.port} there is the {found.hello.board} {found.hello.device}, {found.hello.state}."
    return f"{found.port}: {explain(found.error)}" if found.error is not None else ""
