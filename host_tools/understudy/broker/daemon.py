# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`understudyd`: composes the broker and runs it until SIGTERM; SIGHUP reads the configuration again."""

import asyncio
import os
import signal
import socket
import stat
import sys
import time
from pathlib import Path
from typing import Any

from understudy.accounts import groups_of
from understudy.broker.device import open_device, unknown_pace
from understudy.broker.journal import ALERT, INFO, NOTICE, WARNING, Journal
from understudy.broker.judge import Judge
from understudy.broker.login import Desk
from understudy.broker.outbox import Outbox
from understudy.broker.owner import Owner
from understudy.broker.server import BACKLOG, Server
from understudy.broker.systemd import Notifier, handed_socket
from understudy.client import Fields
from understudy.configuration import Configuration
from understudy.configuration_file import load_marked
from understudy.deadline import Deadline
from understudy.files import try_lock
from understudy.upstream.build import build
from understudy.upstream.health import Watched
from understudy_device.errors import LinkTimeout, PortBusy, UnderstudyError
from understudy_device.protocol import FIRMWARE

_FLUSH_SECONDS = 2.0
_SOCKET_MODE = 0o666  # whoever can reach it may ask; the kernel says who asks


class Daemon:
    """The broker of one configuration file."""

    def __init__(self, path: Path, journal: Journal, notify: Notifier) -> None:
        """ConfigError when the file is not a good configuration."""
        self._path = path
        self._journal = journal
        self._notify = notify
        self._configuration, self._mark = load_marked(path)
        self._pace = unknown_pace()
        self._owner = Owner(self._connect, journal)
        configuration, clock = self._configuration, time.monotonic
        reports = configuration.device.identity.with_name("reports.json")
        self._outbox = Outbox(reports, self._ask, clock, journal)
        upstream = self._upstream(configuration)
        self._judge = Judge(configuration, upstream, self._outbox, clock, journal, self._owner.is_open)
        self._desk = Desk(self._ask, groups_of, self._judge, self._outbox, journal)
        self._server = Server(configuration, self._desk, groups_of, self._owner, self._state, journal)
        self._start = self._loaded = clock()
        self._over = asyncio.Event()

    def _connect(self, deadline: Deadline) -> Any:
        return open_device(self._configuration.device, self._pace, self._journal, deadline)

    async def _ask(self, key: str, command: str, fields: Fields, number: str, deadline: Deadline) -> Fields:
        """The device's reply. LinkTimeout at the deadline, even while it is busy with somebody else."""
        future = asyncio.wrap_future(self._owner.ask(key, command, fields, number, deadline))
        try:
            async with asyncio.timeout(deadline.left):
                return dict(await future)
        except TimeoutError:
            raise LinkTimeout() from None

    def _upstream(self, configuration: Configuration) -> Watched | None:
        """The servers of a configuration; each change between them and the device pages somebody.

        ConfigError when they can't be asked.
        """

        def tell(state: str, reason: str) -> None:
            self._journal.write(ALERT, "upstream", state=state, reason=reason)

        return build(configuration.upstream, time.monotonic, tell)

    def _state(self) -> dict[str, Any]:
        upstream = self._judge.upstream
        return {
            "mode": self._configuration.mode,
            "loaded": int(time.monotonic() - self._loaded),
            "upstream": None if upstream is None else upstream.state(),
            "bypass": int(self._desk.bypass.left),
            "unreported": len(self._outbox),
            "version": FIRMWARE,
            "pid": os.getpid(),
            "uptime": int(time.monotonic() - self._start),
            "configuration": str(self._path),
            "mark": self._mark,
            "mfa": self._configuration.mfa,
            "waiting": self._owner.waiting,
            **self._owner.state(),
        }

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._over.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        listening, ours = _listen(self._configuration.broker.socket)
        self._owner.start()
        server = await self._server.serve(listening)
        self._journal.write(NOTICE, "ready", socket=self._configuration.broker.socket, version=FIRMWARE)
        self._notify("READY=1")
        tasks = [asyncio.create_task(self._show_life()), asyncio.create_task(self._flush())]
        try:
            await self._over.wait()
        finally:
            self._notify("STOPPING=1")
            for task in tasks:
                task.cancel()
            server.close()
            if ours:
                self._configuration.broker.socket.unlink(missing_ok=True)
            await asyncio.to_thread(self._owner.end)
            self._journal.write(NOTICE, "stopped")

    async def _show_life(self) -> None:
        while self._notify.watchdog_seconds is not None:
            self._notify("WATCHDOG=1")
            await asyncio.sleep(self._notify.watchdog_seconds)

    async def _flush(self) -> None:
        """Tell the device what it could not hear when it happened."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            if len(self._outbox) and self._owner.state()["connected"]:
                await self._outbox.flush()

    def _reload(self) -> None:
        """Take the file as it is now; one that is not good changes nothing."""
        self._notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            fresh, mark = load_marked(self._path)
            upstream = self._judge.upstream
            if fresh.upstream != self._configuration.upstream:
                upstream = self._upstream(fresh)
        except UnderstudyError as error:
            self._journal.write(WARNING, "not-reloaded", reason=error.message)
        else:
            old, self._configuration = self._configuration, fresh
            self._mark, self._loaded = mark, time.monotonic()
            self._server.configuration = self._judge.configuration = fresh
            self._judge.upstream = upstream
            if fresh.broker.socket != old.broker.socket:
                self._journal.write(WARNING, "restart-needed", key="broker.socket")
            if fresh.device != old.device:
                self._owner.reconnect()
            self._journal.write(INFO, "reloaded")
        self._notify("READY=1")


def _listen(path: Path) -> tuple[socket.socket, bool]:
    """The listening socket, and whether we have made it. PortBusy when another broker has it."""
    handed = handed_socket(os.environ, os.getpid())
    if handed is not None:
        handed.setblocking(False)
        return handed, False
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        # The lock is held for as long as the process lives: only a dead broker's socket is removed.
        if try_lock(path.with_name(path.name + ".lock")) is None:
            raise PortBusy(f"Another broker serves {path}; stop it first.")
        if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        listening.bind(str(path))
        os.chmod(path, _SOCKET_MODE)
        listening.listen(BACKLOG)
    except OSError as error:
        raise UnderstudyError(f"{path} can't be made: {error.strerror}") from error
    return listening, True


def serve(path: Path) -> None:
    """Run the broker of the configuration file `path`. Raises UnderstudyError when it can't start."""
    journal = Journal(sys.stderr, levels="JOURNAL_STREAM" in os.environ)

    async def main() -> None:
        await Daemon(path, journal, Notifier(os.environ)).run()

    asyncio.run(main())
