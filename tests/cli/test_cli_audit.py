# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The audit log of a real device process: attacks on what was exported and on the flash, following, times."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import SECONDS, Cli, code, first_line, wait_for

from understudy.client import Client
from understudy.deadline import Deadline
from understudy.identity import load_identity
from understudy.link import Connection, Link
from understudy.statuses import exit_code
from understudy.transport import Port

Document = dict[str, Any]
Attack = Callable[[Document], None]


def busy(cli: Cli) -> None:
    """Some events of each kind."""
    cli.add("alice")
    used = code()
    cli.ok("verify", "alice", used)
    assert cli("verify", "alice", used).code == exit_code("replayed")
    for group in ("staff", "night", "day"):
        cli.ok("group", "add", group, "alice")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cli, Document]:
    """A host that has exported the log of a device."""
    cli = Cli(tmp_path_factory.mktemp("audit") / "host")
    with cli.simulator():
        cli.ok("claim", "--yes", "--name", "nas")
        busy(cli)
        return cli, cli.json("audit", "--count", "0")


def check(cli: Cli, document: Document, tmp_path: Path) -> Any:
    path = tmp_path / "audit.json"
    path.write_text(json.dumps(document))
    done = cli("audit", "verify", "--file", str(path), "--json")
    return {**done.json, "code": done.code}


def test_an_untouched_file_is_fine(exported: tuple[Cli, Document], tmp_path: Path) -> None:
    cli, document = exported
    said = check(cli, document, tmp_path)
    assert (said["code"], said["events"], said["head"]) == (0, len(document["events"]), document["head"])
    # How a program lays it out, and what is not the device's, does not matter.
    path = tmp_path / "indented.json"
    path.write_text(json.dumps(document, indent=4, sort_keys=True))
    assert "holds together" in cli.ok("audit", "verify", "--file", str(path)).out


def alter(number: int, **fields: Any) -> Attack:
    return lambda document: document["events"][number].update(fields)


def alter_byte(number: int) -> Attack:
    def attack(document: Document) -> None:
        event = document["events"][number]
        event["data"] = event["data"][:-1] + ("0" if event["data"][-1] != "0" else "1")

    return attack


def without_hashes(attack: Attack) -> Attack:
    def both(document: Document) -> None:
        attack(document)
        for event in document["events"]:
            event["after"] = None

    return both


def on_events(change: Callable[[list[Document]], object]) -> Attack:
    return lambda document: void(change(document["events"]))


def void(_result: object) -> None:
    """For its effect only."""


def swap_numbers(events: list[Document]) -> None:
    for name in ("data", "event", "time", "after"):
        events[2][name], events[3][name] = events[3][name], events[2][name]


ATTACKS: dict[str, tuple[Attack, str, int]] = {
    "a byte": (alter_byte(2), "changed", 2),
    "a byte, without the hashes": (without_hashes(alter_byte(2)), "changed", 0),
    "the kind that people read": (alter(3, event="accepted"), "changed", 3),
    "the time that people read": (alter(3, time=1_000_000_000), "changed", 3),
    "dropped": (on_events(lambda events: events.pop(2)), "dropped", 2),
    "dropped from the front": (on_events(lambda events: events.pop(0)), "dropped", 0),
    "cut off": (on_events(lambda events: events.pop()), "cut-off", 6),
    "cut off, and the end changed": (
        lambda document: void((document["events"].pop(), document.update(next=6))),
        "changed",
        6,
    ),
    "reordered": (on_events(lambda events: events.insert(1, events.pop(3))), "reordered", 3),
    "reordered and renumbered": (on_events(swap_numbers), "changed", 2),
    "duplicated": (on_events(lambda events: events.insert(2, events[2])), "duplicated", 2),
    "the head": (lambda document: document.update(head="00" * 32), "changed", 7),
    "the checkpoint": (alter(0, before="11" * 32), "changed", 0),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attacked_file_is_found_out(exported: tuple[Cli, Document], tmp_path: Path, name: str) -> None:
    attack, how, number = ATTACKS[name]
    cli, original = exported
    document = json.loads(json.dumps(original))
    attack(document)
    said = check(cli, document, tmp_path)
    assert (said["code"], said["status"]) == (55, "audit-broken"), said
    assert (said["how"], said["number"]) == (how, number), said
    assert str(number) in said["message"]


@pytest.mark.parametrize(
    "attack",
    [
        lambda document: document.pop("events"),
        lambda document: document.pop("device"),
        lambda document: document.update(device="../../../etc/passwd"),
        lambda document: document.update(first=-1),
        lambda document: document["events"][0].pop("data"),
        lambda document: document["events"][0].update(data="xyz"),
        lambda document: document["events"][0].update(data="00"),
        lambda document: document["events"][0].update(number="0"),
        lambda document: document["events"][0].update(before="00"),
        lambda document: document["events"].insert(0, None),
    ],
)
def test_a_mangled_file_is_broken_and_no_traceback(
    exported: tuple[Cli, Document], tmp_path: Path, attack: Attack
) -> None:
    cli, original = exported
    document = json.loads(json.dumps(original))
    attack(document)
    assert check(cli, document, tmp_path)["status"] == "audit-broken"


def test_a_forged_file_does_not_hold_what_was_verified(cli: Cli, device: str, tmp_path: Path) -> None:
    busy(cli)
    old = cli.json("audit", "--count", "0")
    cli.ok("audit", "verify")
    cli.ok("user", "disable", "alice")
    new = cli.json("audit", "--count", "0")
    assert check(cli, old, tmp_path)["known_held"] is True
    assert check(cli, new, tmp_path)["known_held"] is True
    # A log that holds together, made up anew: who has never looked at the real one can't tell.
    path = Path(cli.folder / f"state/understudy/audit/{new['device']}.json")
    kept = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600 and kept["number"] == len(old["events"]) - 1
    path.write_text(json.dumps({**kept, "hash": "00" * 32}))
    said = check(cli, new, tmp_path)
    assert (said["status"], said["how"]) == ("audit-broken", "rolled-back")
    path.write_text("{}")
    assert "--forget" in cli("audit", "verify").err
    cli.ok("audit", "verify", "--forget")
    cli.ok("audit", "verify")
    assert cli("audit", "verify", "--forget", "--file", "x").code == 2


def test_a_flash_that_was_rolled_back_is_found_out(cli: Cli) -> None:
    state, copy = cli.folder / "device", cli.folder / "copy"
    with cli.simulator("--state", str(state)):
        cli.ok("claim", "--yes")
        cli.add("alice")
    shutil.copytree(state, copy)
    with cli.simulator("--state", str(state)):
        cli.ok("verify", "alice", code())
        cli.ok("user", "disable", "alice")
        verified = cli.json("audit", "verify")
        assert cli.json("audit", "verify")["known"] == verified["next"] - 1
    shutil.rmtree(state)
    shutil.copytree(copy, state)
    with cli.simulator("--state", str(state)):
        done = cli("audit", "verify", "--json")
        assert (done.code, done.json["how"]) == (55, "rolled-back")
        # And gone on with, until there are as many events again.
        while cli.json("status")["audit"]["next"] <= verified["next"]:
            cli.ok("user", "enable", "alice")
        done = cli("audit", "verify")
        assert done.code == 55 and f"the event {verified['next'] - 1}" in done.err
        assert "rolled back" in done.err
        cli.ok("audit", "verify", "--forget")
        cli.ok("audit", "verify")


def test_a_changed_flash_is_found_out(cli: Cli) -> None:
    state = cli.folder / "device"
    with cli.simulator("--state", str(state)):
        cli.ok("claim", "--yes", "--name", "nas")
        busy(cli)
        newest = cli.json("audit", "--count", "1")["events"][0]
        cli.ok("audit", "verify")
    (flash,) = [path for path in state.rglob("*") if path.is_file() and path.stat().st_size > 1 << 20]
    image, event = flash.read_bytes(), bytes.fromhex(newest["data"])
    assert image.count(event) == 1
    flash.write_bytes(image.replace(event, bytes(len(event))))  # its check sum is wrong now
    with cli.simulator("--state", str(state)):
        done = cli("audit", "verify")
        assert done.code == 55, done


def test_logins_that_others_have_decided(cli: Cli, device: str) -> None:
    cli.add("alice")
    used = code()
    with Port(device) as port:
        link = Link(port)
        client = Client(Connection(link, link.hello(Deadline(SECONDS))), load_identity(cli.identity), SECONDS)
        assert client.request("burn", user="alice", code=used)["used"] is False
        client.request("report", event="emergency", user="alice", time=1_700_000_000)
        client.request("report", event="local-bypass", user="root", time=1_700_000_060)
    assert cli("verify", "alice", used).code == exit_code("replayed")
    rows = [line.split()[2:] for line in cli.ok("audit").out.splitlines()[-4:]]
    assert rows == [
        ["burnt", "alice", "phone", "test", "host"],
        ["emergency", "alice", "-", "test", "host", "at", "2023-11-14T22:13:20Z"],
        ["local-bypass", "root", "-", "test", "host", "at", "2023-11-14T22:14:20Z"],
        ["replayed", "alice", "phone", "test", "host"],
    ]
    (last, *_) = cli.json("audit", "--count", "2")["events"]
    assert (last["user"], last["detail"]) == ("root", "1700000060")


@pytest.mark.parametrize("as_json", [False, True])
def test_following(cli: Cli, device: str, as_json: bool) -> None:
    words = ("audit", "--follow", "--every", "0.1", "--count", "1", *(["--json"] if as_json else []))
    process = cli.start(*words, stdin=subprocess.DEVNULL)
    line = first_line(process)
    if not as_json:
        assert line.startswith("NUMBER") and process.stdout is not None
        line = process.stdout.readline()
    assert "claimed" in line

    def done(*words: str, stdin: str = "") -> None:
        # The port is taken for a moment now and then, by the one who follows.
        wait_for(lambda: cli(*words, stdin=stdin).code != exit_code("port-busy"))

    done("user", "add", "alice", "--import-secret", "-", "--no-confirm", stdin="A" * 32)
    line = first_line(process)
    assert "user-added" in line and "alice" in line and "test host" in line
    if as_json:
        assert json.loads(line)["number"] == 1
    done("user", "remove", "alice", "--yes")
    assert "user-removed" in first_line(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (130, "", "")


def test_since(cli: Cli) -> None:
    with cli.simulator("--clock", "1900000000"):
        cli.ok("claim", "--yes")
        cli.add("alice")
        for _ in range(5):
            cli.ok("group", "add", "staff", "alice")
            cli.ok("group", "remove", "staff", "alice")
        cli.ok("clock", "set", "--time", "1900010000")
        cli.ok("group", "add", "late", "alice")

        def events(*words: str) -> list[int]:
            return [one["number"] for one in cli.json("audit", *words)["events"]]

        every = events("--count", "0")
        assert every == list(range(len(every)))
        assert events("--since", "1h") == events("--since", "2030-03-17T19:00Z") == every[-1:]
        assert events("--since", "2030-03-17") == every
        assert events("--since", "30d", "--count", "2") == every[-2:]
        assert events("--since", "2030-03-17T20:30+01:00") == every[-1:]
        assert events("--since", "2031-01-01") == []
        assert events("--count", "3") == every[-3:]
        assert events() == every


def test_a_log_of_many_pages(cli: Cli, device: str) -> None:
    with Port(device) as port:
        link = Link(port)
        client = Client(Connection(link, link.hello(Deadline(SECONDS))), load_identity(cli.identity), SECONDS)
        for number in range(130):
            client.request("settings_set", window=number % 3)
    said = cli.json("audit", "verify")
    assert said["events"] == said["next"] > 130
    events = cli.json("audit", "--since", "1h")["events"]
    assert [one["number"] for one in events] == list(range(said["next"]))
    assert len(cli.json("audit")["events"]) == 50
    assert cli.ok("audit").out.count("\n") == 51
