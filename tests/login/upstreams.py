# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""An upstream as the configuration makes it, and what it says to one login."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests.cli.support import SECONDS

from understudy.configuration import parse
from understudy.upstream import Login, Says
from understudy.upstream.build import build
from understudy.upstream.health import Watched
from understudy_device.errors import Unreachable

SLACK = 10.0  # seconds past its deadline that a busy machine may take; less than any hang
LONG = 10.0  # seconds; what ends before does not end by its deadline
ENOUGH = 4.0  # seconds, for an answer that is not believed: it has to come, and all of them have to pass
SHORT = 1.0  # where nothing comes

T = TypeVar("T")


def upstream(kind: str, **keys: Any) -> Watched:
    """Of [upstream] with these keys; a value is written as TOML has it, text without its quotes."""
    lines = [f'kind = "{kind}"', "retry = 0"]
    for name, value in keys.items():
        shown = str(value).lower() if isinstance(value, bool) else value
        plain = isinstance(value, (bool, int, float, list))
        lines.append(f"{name} = {shown}" if plain else f'{name} = "{shown}"')
    settings = parse("[upstream]\n" + "\n".join(lines), "the test's").upstream
    made = build(settings, time.monotonic, lambda state, reason: None)
    assert made is not None
    return made


def run(work: Awaitable[T]) -> T:
    """The result of `work`; fails if it hangs, or if something goes wrong where nobody waits for it."""
    astray: list[dict[str, Any]] = []

    async def bounded() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: astray.append(context))
        return await asyncio.wait_for(work, SECONDS)

    result = asyncio.run(bounded())
    assert not astray
    return result


def login(user: str, code: str, state: bytes | None = None) -> Login:
    """At sshd, from elsewhere."""
    return Login(user, code, "sshd", "192.0.2.7", state)


async def outcome(made: Watched, asked: Login, seconds: float = LONG) -> Says | str:
    """What it says, or the reason why it says nothing, by its deadline. The connections are let go."""
    try:
        return await asyncio.wait_for(made.check(asked, seconds), seconds + SLACK)
    except Unreachable as error:
        assert asked.code not in error.message or not asked.code
        return str(error.fields["reason"])
    finally:
        await made.close()


def said(make: Callable[[], Watched], asked: Login, seconds: float = LONG) -> Says | str:
    """The same in an event loop of its own, of an upstream of its own."""
    return run(outcome(make(), asked, seconds))
