# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The 2FA server that the configuration names, ready to be asked."""

import re
import socket
import ssl
from collections.abc import Callable

import httpx

from understudy.configuration import Upstream as Settings
from understudy.upstream import Upstream
from understudy.upstream.health import Clock, Watched
from understudy.upstream.key import read_key, read_line
from understudy.upstream.names import Names
from understudy.upstream.privacyidea import PrivacyIdea
from understudy.upstream.radius import PORT, Radius, Server
from understudy_device.errors import ConfigError

_SERVER = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<name>[^:]+))(?::(?P<port>[0-9]+))?")
_MAX_PORT = 65535


def build(settings: Settings, clock: Clock, tell: Callable[[str, str], None]) -> Watched | None:
    """The server of [upstream], None when there is none. ConfigError, also when a file can't be read.

    `clock`: monotonic seconds; `tell(state, reason)` hears when it goes "down" or comes "up".
    """
    makers: dict[str, Callable[[Settings], Upstream]] = {"privacyidea": _privacyidea, "radius": _radius}
    if settings.kind is None:
        return None
    return Watched(makers[settings.kind](settings), settings.retry, clock, tell)


def _privacyidea(settings: Settings) -> Upstream:
    url = settings.url or ""
    if url.startswith("http:") and settings.verify:
        raise ConfigError(
            f"[upstream] url = {url}: over http nobody knows who answers. Use https, or set verify = false."
        )
    try:
        return PrivacyIdea(
            url,
            context=_context(settings),
            key=read_line(settings.key_file) if settings.key_file else None,
            service_id=settings.service_id,
            realm=settings.realm,
            names=Names(),
        )
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigError(f"[upstream] url = {url} is no address.") from error


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:  # an SSLError is one, too
        raise ConfigError(f"{settings.ca_file} can't be used: {error.strerror or error}") from error
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _radius(settings: Settings) -> Upstream:
    if settings.key_file is None or not settings.servers:
        raise ConfigError("[upstream] of kind radius needs servers and key_file.")
    servers = [_server(text) for text in settings.servers]
    nas = settings.service_id or socket.gethostname()
    return Radius(servers, read_key(settings.key_file), nas, Names())


def _server(text: str) -> Server:
    parts = _SERVER.fullmatch(text)
    port = int(parts["port"] or PORT) if parts else 0
    if parts is None or not 1 <= port <= _MAX_PORT:
        raise ConfigError(f"[upstream] servers: {text} has no port of 1 to {_MAX_PORT}.")
    return Server(parts["ipv6"] or parts["name"], port)
