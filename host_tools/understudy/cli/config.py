# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The configuration file: config check, config apply, config show, config default."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from understudy.accounts import groups_of
from understudy.broker_client import reload_broker
from understudy.cli import text
from understudy.cli.options import Options, callback, command
from understudy.cli.output import Answer, warn
from understudy.configuration import Broker, Configuration, Service, load, parse, read, usual_path
from understudy.configuration_file import last_good_path, put_in_force
from understudy.configuration_kinds import keys, tables
from understudy.configuration_parser import SERVICE
from understudy.configuration_text import default_text, spelled
from understudy.doctor.findings import Host
from understudy.setup.others import DROP_IN, excepted
from understudy_device.errors import ConfigError

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]",
        show_default=False,
        help="By default the configuration in force: UNDERSTUDY_CONFIG, "
        "else /etc/understudy/understudy.toml.",
    ),
]
NewFile = Annotated[Path, typer.Argument(metavar="FILE", help="The new configuration.")]
ServiceName = Annotated[
    str | None, typer.Option("--service", metavar="NAME", help="Only what holds at this PAM service.")
]

Row = tuple[str, Any, str]  # key, value, where the value comes from


def register(app: typer.Typer) -> None:
    """Add this module's group."""
    group = typer.Typer(help="The configuration of the broker and of logins.")
    callback(group, examples=("understudy config", "understudy config check"))(config)
    command(group, "check", examples=("understudy config check", "understudy config check new.toml"))(check)
    command(group, "apply", examples=("understudy config apply new.toml",))(apply)
    command(
        group,
        "show",
        examples=("understudy config show", "understudy config show --service sshd --json"),
    )(show)
    command(group, "default", examples=("understudy config default > new.toml",))(default)
    app.add_typer(group, name="config")


def config(options: Options) -> Answer:
    """Show, check or change the configuration."""
    return show(options)


def check(options: Options, file: File = None) -> Answer:
    """Check a configuration, and change nothing.

    The one in force also has to belong to root or to you, and nobody else may be able to change it.
    """
    path = file or usual_path()
    parse(read(path, trusted=file is None), str(path))
    return Answer({"file": str(path)}, f"{path} is a good configuration.")


def apply(options: Options, file: NewFile) -> Answer:
    """Check FILE, save it as the configuration, and have the broker read it.

    A FILE that is not good changes nothing. The configuration that was in force is kept beside the new one,
    as understudy.toml.last-good.
    """
    path = usual_path()
    before = _broker(path)
    changed = put_in_force(read(file, trusted=False), str(file), path)
    reloaded = reload_broker(before.socket)
    fields = {
        "file": str(path),
        "changed": changed,
        "reloaded": reloaded,
        "last_good": str(last_good_path(path)) if last_good_path(path).exists() else None,
    }
    after = load(path)
    named = [user for user in excepted(Host()) if after.is_covered(user, groups_of)]
    if named:
        warn(
            f"{', '.join(named)}: covered, and let in by the key alone in {DROP_IN}; take out there, and "
            "reload sshd."
        )
    said = f"Saved as {path}." if changed else f"{path} was the same already."
    return Answer(fields, f"{said}\n{_broker_line(before, _broker(path), reloaded)}")


def _broker(path: Path) -> Broker:
    """Where the broker is that runs under the configuration in force."""
    try:
        return load(path).broker
    except ConfigError:
        return Broker()


def _broker_line(before: Broker, after: Broker, reloaded: bool) -> str:
    if before.socket != after.socket:
        return "The broker's socket is another now; restart it: systemctl restart understudyd"
    if reloaded:
        return "The broker reads it now."
    return "If a broker runs, have it read the file: systemctl reload understudyd"


def show(options: Options, service: ServiceName = None) -> Answer:
    """Show what holds, and which of it the file says."""
    path = usual_path()
    content = read(path, trusted=True)
    found = parse(content, str(path))
    document = tomllib.loads(content)
    if service is not None:
        rows = list(_service_rows(found, document, service))
        fields = {"service": service, **{name: value for name, value, _ in rows}}
    else:
        rows = list(_rows(found, document))
        fields = _fields(found)
    table = text.table(
        ("KEY", "VALUE", "FROM"), [(name, spelled(value), where) for name, value, where in rows]
    )
    return Answer({"file": str(path), **fields}, table)


def default(options: Options) -> Answer:
    """Print a configuration to begin with: every key, its meaning and its default."""
    return Answer({"toml": default_text()}, default_text().rstrip("\n"))


def _rows(found: Configuration, document: dict[str, Any]) -> Iterator[Row]:
    for name in keys(Configuration):
        yield name, getattr(found, name), _where(name in document)
    for table, (of, _) in tables(Configuration).items():
        for name in keys(of):
            given = name in document.get(table, {})
            yield f"{table}.{name}", getattr(getattr(found, table), name), _where(given)
    for service, overrides in found.services.items():
        for name, value in overrides.items():
            yield f"{SERVICE}.{service}.{name}", value, _where(True)


def _service_rows(found: Configuration, document: dict[str, Any], service: str) -> Iterator[Row]:
    resolved = found.for_service(service)
    overrides = found.services.get(service, {})
    for name in (*keys(Configuration), *keys(Service)):
        above = name in document or name in document.get("login", {})
        yield name, getattr(resolved, name), f"[{SERVICE}.{service}]" if name in overrides else _where(above)


def _where(given: bool) -> str:
    return "file" if given else "default"


def _fields(found: Configuration) -> dict[str, Any]:
    """The configuration for JSON, in the shape of its file."""
    fields: dict[str, Any] = {name: getattr(found, name) for name in keys(Configuration)}
    for table, (of, _) in tables(Configuration).items():
        content = getattr(found, table)
        fields[table] = {name: _plain(getattr(content, name)) for name in keys(of)}
    fields[SERVICE] = {name: dict(overrides) for name, overrides in found.services.items()}
    return fields


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
