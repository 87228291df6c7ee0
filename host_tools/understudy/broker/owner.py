# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The thread that owns the device: requests wait in line for it, and outlive an unplug, a restart, a lost
reply."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from understudy.broker.fair import FairQueue
from understudy.broker.journal import INFO, WARNING, Journal
from understudy.client import Client, Fields
from understudy.deadline import Deadline
from understudy.statuses import explain
from understudy_device.errors import (
    AuthenticationFailed,
    Busy,
    LinkTimeout,
    NoDevice,
    NoSession,
    NotPaired,
    NotYours,
    PortBusy,
    Unclaimed,
    UnderstudyError,
)

_WAITING = 64  # requests under one key
_GONE_SECONDS = 5.0  # a device that has been away for so long is not waited for
_RETRY_SECONDS = 0.2  # between looks for a device that is away
_IDLE_SECONDS = 1.0  # between looks at a port on which nothing happens
_END_SECONDS = 3.0
_CONNECT_SECONDS = 60.0  # for a hello and a handshake; an emulated Pico takes its time

# What may be otherwise after another connection; anything else is the device's answer.
_LOST = (AuthenticationFailed, LinkTimeout, NoDevice, NoSession, NotPaired, NotYours, PortBusy, Unclaimed)


class Open(Protocol):
    """An open device; closed by `close`."""

    client: Client

    def idle(self) -> None:
        """Look whether it is still there. NoDevice when it is not."""

    def relay(self, line: bytes, deadline: Deadline) -> bytes:
        """Send somebody else's line, and return the line that answers it; nothing when none does."""

    def close(self) -> None:
        """Let the port go."""


@dataclass
class Job:
    """Something to do with the device; `work` gets an open one and gives the result."""

    work: Callable[[Open], Any]
    deadline: Deadline
    result: "Future[Any]" = field(default_factory=Future)
    once: bool = False  # not again over another connection


class Owner(threading.Thread):
    """Serves jobs one at a time, in turn by their key."""

    def __init__(self, connect: Callable[[Deadline], Open], journal: Journal) -> None:
        """`connect` finds and opens the device, whatever the configuration says then; it may raise any
        UnderstudyError."""
        super().__init__(name="device", daemon=True)
        self._connect = connect
        self._journal = journal
        self._jobs: FairQueue[Job] = FairQueue(_WAITING)
        self._open: Open | None = None
        self._gone_since: float | None = time.monotonic()  # None while it is there
        self._trouble: UnderstudyError = NoDevice()
        self._told = ""
        self._ended = False
        self._stale = False

    # For other threads.

    def ask(self, key: str, command: str, fields: Fields, number: str, deadline: Deadline) -> "Future[Any]":
        """Ask the device under the request id `number`; the reply's fields, or the error, in a Future."""
        return self.put(
            key, Job(lambda device: device.client.ask(command, fields, number, deadline), deadline)
        )

    def put(self, key: str, job: Job) -> "Future[Any]":
        """Have a job done. Busy, in the Future, when too many of the key wait."""
        if not self._jobs.put(key, job):
            job.result.set_exception(Busy())
        return job.result

    def reconnect(self) -> None:
        """Open the device anew before the next job: the configuration names another, perhaps."""
        self._stale = True
        self._jobs.nudge()

    def end(self) -> None:
        """Close the device, and no more. One that does not answer is left to the end of the process."""
        self._ended = True
        self._jobs.nudge()
        self.join(_END_SECONDS)

    def is_open(self) -> bool:
        """Whether the device is open now."""
        return self._open is not None

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return len(self._jobs)

    def state(self) -> dict[str, Any]:
        """Whether the device is there, and which, or why not."""
        device, trouble = self._open, self._trouble
        if device is None:
            return {"connected": False, "status": trouble.status, "message": explain(trouble)}
        connection = device.client.connection
        return {"connected": True, "port": connection.url, "device": connection.hello.device}

    # The thread.

    def run(self) -> None:
        """Serve until `end`."""
        while not self._ended:
            job = self._jobs.get(_IDLE_SECONDS if self._open is not None else _RETRY_SECONDS)
            if self._stale:
                self._stale = False
                self._close(None)
            if job is None:
                self._look()
            elif job.result.set_running_or_notify_cancel():
                self._do(job)
        self._close(None)

    def _look(self) -> None:
        """Nobody waits: see whether the device is (still) there."""
        try:
            if self._open is None:
                self._opened()
            else:
                self._open.idle()
        except UnderstudyError as error:
            self._close(error)
        except Exception as error:  # must not take the broker away from everybody
            self._unexpected(error)

    def _do(self, job: Job) -> None:
        try:
            job.result.set_result(self._persist(job))
        except UnderstudyError as error:
            job.result.set_exception(error)
        except Exception as error:
            self._unexpected(error)
            job.result.set_exception(UnderstudyError())

    def _persist(self, job: Job) -> Any:
        """The job's result, over as many connections as it takes; the same request id each time."""
        while not job.deadline.passed:
            try:
                device = self._opened()
                if not job.deadline.passed:
                    return job.work(device)
            except _LOST as error:
                self._close(error)
                # Just before the deadline, so that whoever asked is told what is the matter.
                if self._is_long_gone() or job.once or job.deadline.left <= _RETRY_SECONDS:
                    raise
                time.sleep(_RETRY_SECONDS)
        raise LinkTimeout()

    def _opened(self) -> Open:
        # By no job's deadline: opening may take longer than a login may, and must not begin anew with each.
        if self._open is None:
            device = self._connect(Deadline(_CONNECT_SECONDS))
            self._open, self._gone_since, self._told = device, None, ""
            connection = device.client.connection
            self._journal.write(INFO, "device", port=connection.url, device=connection.hello.device)
        return self._open

    def _close(self, error: UnderstudyError | None) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
            self._gone_since = time.monotonic()
        if error is not None:
            self._trouble = error
            if error.status != self._told:
                self._told = error.status
                self._journal.write(WARNING, "no-device", status=error.status, reason=explain(error))

    def _is_long_gone(self) -> bool:
        return self._gone_since is not None and time.monotonic() - self._gone_since > _GONE_SECONDS

    def _unexpected(self, error: Exception) -> None:
        # The type only: its text may quote what it choked on.
        self._journal.write(WARNING, "fault", kind=type(error).__name__)
        self._close(UnderstudyError())
