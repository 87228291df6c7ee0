# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The options that every command takes, and the wrapper that gives them to it."""

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.cli.output import Answer
from understudy.paths import default_identity

SECONDS = 60.0

Port = Annotated[
    str | None,
    typer.Option(
        "--port",
        metavar="URL",
        help="The device's port, such as /dev/ttyACM0. Else UNDERSTUDY_PORT, else the configuration's, else "
        "it is looked for.",
    ),
]
Device = Annotated[
    str | None, typer.Option("--device", metavar="ID", help="The device's id, when there are several.")
]
IdentityFile = Annotated[
    Path | None,
    typer.Option("--identity", metavar="FILE", help="This host's key file. Else UNDERSTUDY_IDENTITY."),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.1,
        help=f"How long the device may take. By default {SECONDS:.0f}.",
    ),
]
Json = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON object.")]
Debug = Annotated[bool, typer.Option("--debug", metavar="", help="Show where an error comes from.")]

# Of the commands that ask before they do what can't be undone.
Yes = Annotated[bool, typer.Option("--yes", "-y", metavar="", help="Do not ask.")]

COMMON: dict[str, tuple[Any, Any]] = {
    "port": (Port, None),
    "device": (Device, None),
    "identity": (IdentityFile, None),
    "timeout": (Timeout, None),
    "json": (Json, False),
    "debug": (Debug, False),
}


@dataclass(frozen=True)
class Options:
    """What was given of the common options; `None` and False mean: not given."""

    port: str | None = None
    device: str | None = None
    identity: Path | None = None
    timeout: float | None = None
    json: bool = False
    debug: bool = False

    @property
    def seconds(self) -> float:
        """How long the device may take for a request."""
        return self.timeout or SECONDS

    @property
    def port_url(self) -> str | None:
        """The port that was named, or None: to be found.

        The order is --port, environment; `connect` goes on with the configuration.
        """
        return self.port or os.environ.get("UNDERSTUDY_PORT") or None

    @property
    def identity_path(self) -> Path:
        """The identity file: --identity, environment, the usual place."""
        named = self.identity or os.environ.get("UNDERSTUDY_IDENTITY")
        return Path(named) if named else default_identity()


Body = Callable[..., Answer]


def command(app: typer.Typer, name: str, *, examples: tuple[str, ...]) -> Callable[[Body], Body]:
    """Register `body(options, ...) -> Answer` as the command `name`, with the common options.

    Its help ends with `examples`.
    """

    def register(body: Body) -> Body:
        app.command(name, epilog=_epilog(examples))(_wrapped(body))
        return body

    return register


def callback(app: typer.Typer, *, examples: tuple[str, ...]) -> Callable[[Body], Body]:
    """Register `body` for the group itself: it runs when no verb is given.

    The options before a verb count for the verb.
    """

    def register(body: Body) -> Body:
        app.callback(invoke_without_command=True, epilog=_epilog(examples))(_wrapped(body))
        return body

    return register


def _epilog(examples: tuple[str, ...]) -> str:
    return "\n".join(("Examples:", *(f"  {one}" for one in examples)))


def _wrapped(body: Body) -> Callable[..., Answer | None]:
    own = list(inspect.signature(body).parameters.values())[1:]
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in COMMON.items()
    ]
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [context, *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own), *common]

    @functools.wraps(body)
    def run(ctx: typer.Context, **arguments: Any) -> Answer | None:
        options = _merged(ctx.obj, Options(**{name: arguments.pop(name) for name in COMMON}))
        ctx.obj = options
        if ctx.invoked_subcommand is not None:
            _refuse_unused(ctx, arguments)
            return None
        return body(options, **arguments)

    del run.__wrapped__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _refuse_unused(ctx: typer.Context, arguments: dict[str, Any]) -> None:
    """A group's own options count for the group only; before a verb they would do nothing."""
    for name in arguments:
        source = ctx.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"--{name} does not go before {ctx.invoked_subcommand}")


def _merged(outer: Options | None, inner: Options) -> Options:
    given = {one.name: getattr(inner, one.name) for one in fields(inner)}
    return replace(outer or Options(), **{name: value for name, value in given.items() if value})
