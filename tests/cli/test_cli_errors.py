# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Each thing that can go wrong has its status, its exit code and a message that says what to do."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.fake_device import HELLO, fake_device, hello
from tests.cli.support import Cli, Done, code

from understudy.statuses import EXIT_USAGE, exit_code
from understudy.transport import Port
from understudy_device import protocol
from understudy_device.pairing import key_id


def refused(done: Done, status: str, *words: str) -> None:
    """The command failed with `status`, in one line that has these words."""
    assert done.code == exit_code(status), done
    assert done.out == "" and done.err.startswith("understudy: ") and done.err.count("\n") == 1, done
    for word in words:
        assert word in done.err


def refused_json(done: Done, status: str) -> None:
    assert done.code == exit_code(status), done
    assert done.json["status"] == status and done.json["message"], done


def test_no_device(cli: Cli) -> None:
    refused(cli("status"), "no-device", "--port")
    refused(cli("status", "--port", "/dev/nonexistent"), "no-device", "/dev/nonexistent")
    refused(cli("status", "--port", os.devnull), "no-device", "not a serial port")
    refused(cli("status", "--port", "nonsense://x"), "no-device", "nonsense://x")
    refused(cli("status", "--port", "socket://127.0.0.1:1"), "no-device")
    refused_json(cli("status", "--json"), "no-device")
    assert cli.json("devices")["devices"] == []


def test_port_busy(cli: Cli, device: str) -> None:
    with Port(device):
        refused(cli("status", "--port", device), "port-busy", device)
        assert [one["status"] for one in cli.json("devices")["devices"]] == ["port-busy"]
    cli.ok("status")


def test_unclaimed_and_claimed(cli: Cli, new_device: str) -> None:
    refused(cli("status"), "unclaimed", "understudy claim")
    refused(cli("pair", "--join", "--port", new_device), "unclaimed")
    cli.ok("claim", "--yes")
    refused(cli("claim", "--yes", "--port", new_device), "claimed")
    refused_json(cli("claim", "--yes", "--port", new_device, "--json"), "claimed")


def test_not_yours(cli: Cli, device: str, tmp_path: Path) -> None:
    stranger = Cli(tmp_path / "stranger")
    refused(stranger("status", "--port", device), "not-yours", "understudy pair")
    refused(cli("status", "--port", device, "--device", "0" * 16), "not-yours", "0" * 16)
    refused(cli("status", "--device", "0" * 16), "not-yours", "0" * 16)
    with cli.simulator("--state", "second"):
        refused(cli("status", "--device", "0" * 16), "no-device", "understudy devices")
        cli.ok("status")  # the one of the two that this host is paired with
        cli.ok("claim", "--yes")
        refused(cli("status"), "no-device", "--device")


def test_a_person_who_sees_other_digits_pairs_nothing(cli: Cli, new_device: str) -> None:
    for answer in ("n\n", ""):
        refused_last_line(cli("claim", stdin=answer), "handshake-failed", "Nothing was paired")
    assert not json.loads(cli.identity.read_text())["devices"]
    assert "same six digits" in cli.ok("claim", stdin="yes\n").err


def refused_last_line(done: Done, status: str, word: str) -> None:
    assert done.code == exit_code(status), done
    assert done.err.splitlines()[-1].startswith("understudy: ") and word in done.err.splitlines()[-1]


def test_roles(cli: Cli, device: str) -> None:
    identity = str(cli.folder / "verifier.json")
    cli.ok("pair", "--new-identity", identity, "--role", "verifier", "--name", "web", "--yes")
    cli.add("alice")
    cli.ok("verify", "alice", code(), "--identity", identity)
    refused(cli("user", "list", "--identity", identity), "denied", "admin")
    hosts = {one["name"]: one for one in cli.json("hosts")["hosts"]}
    assert (hosts["web"]["role"], hosts["web"]["this"]) == ("verifier", False)
    refused(cli("unpair", hosts["test host"]["host"], "--yes"), "last-admin")
    cli.ok("unpair", hosts["web"]["host"], "--yes")
    refused(cli("status", "--identity", identity), "not-paired")
    refused(cli("unpair", "0" * 16, "--yes"), "not-found")


def test_pairing_on_two_hosts(cli: Cli, device: str, tmp_path: Path) -> None:
    other = Cli(tmp_path / "other")
    refused_last_line(other("pair", "--join", "--yes", "--port", device), "pairing-closed", "admin")
    assert not json.loads(other.identity.read_text())["devices"]
    assert cli.json("pair", "--open", "--role", "admin", "--seconds", "300")["role"] == "admin"
    assert other.json("pair", "--join", "--yes", "--port", device)["role"] == "admin"
    assert other.json("status", "--port", device)["hosts"] == 2


def test_requests_that_can_not_be(cli: Cli, device: str) -> None:
    cli.add("alice")
    refused(cli("settings", "set", "--digits", "9"), "usage", "digits", "6, 7, 8, 10")
    refused(cli("user", "show", "x" * 65), "usage", "user")
    refused(cli("unpair", "xyz", "--yes"), "usage", "16 lower-case hex digits")
    refused(cli("user", "show", "bob"), "not-found", "bob")
    refused(cli("user", "remove", "bob", "--yes"), "not-found", "bob")
    refused(cli("user", "remove", "alice", stdin="n\n"), "usage", "--yes")
    assert [one["user"] for one in cli.json("user", "list")["users"]] == ["alice"]
    again = cli("user", "add", "alice", "--import-secret", "-", "--no-confirm", stdin="A" * 32 + "\n")
    refused(again, "exists")


@pytest.mark.parametrize("secret", ["", "not base32!", "AAAA", "A" * 200, "JBSWY3DPEHPK3PX1"])
def test_a_bad_secret_is_not_quoted(cli: Cli, secret: str) -> None:
    done = cli("user", "add", "alice", "--import-secret", "-", "--debug", "--port", "x", stdin=secret)
    assert done.code == EXIT_USAGE
    assert not secret or secret not in done.err.replace("A to Z", "")


def test_verdicts(cli: Cli, device: str) -> None:
    cli.add("alice")

    def verdict(typed: str) -> str:
        done = cli("verify", "alice", typed)
        said = done.out.split(":")[0]
        assert (done.code, done.err) == (protocol.STATUSES[said][0], "")
        return said

    right = code()
    wrong = next(f"{n:06d}" for n in range(10) if f"{n:06d}" not in {code(s) for s in range(-3, 4)})
    assert [verdict(x) for x in ("abc", "", "\x1b[31m", wrong, right, right)] == [
        *("malformed", "malformed", "malformed", "rejected", "accepted", "replayed")
    ]
    assert verdict(code(1)) == "accepted"
    refused_verdict = cli("verify", "nobody", right, "--json")
    assert (refused_verdict.code, refused_verdict.json["status"]) == (15, "unknown-user")
    assert cli("verify", "alice").code == 17  # nobody typed one


def test_clock(cli: Cli) -> None:
    with cli.simulator("--clock", "unset"):
        cli.ok("claim", "--yes")
        refused(cli("user", "add", "alice", "--qr-file", "a.png"), "clock-unset", "clock set --from-host")
        assert cli.json("user", "list")["users"] == []
        cli.add("alice")
        assert cli("verify", "alice", code()).out.startswith("clock-unset")
        assert cli.json("clock")["state"] == "unset"
        shown = cli.json("clock", "set", "--from-host")
        assert (shown["state"], shown["source"]) == ("synced", "admin")
        cli.ok("verify", "alice", code())
        refused(cli("clock", "set", "--time", "2001-01-01T00:00:00Z"), "clock-refused", "--back")
        assert cli.json("clock", "set", "--time", "2001-01-01T00:00:00+00:00", "--back")["time"] in range(
            978307200, 978307300
        )


def test_a_first_code_that_never_comes_leaves_no_user(cli: Cli, device: str) -> None:
    done = cli("user", "add", "alice", "--qr-file", "a.png", stdin="abc\n")
    assert done.code == 17 and "was not kept" in done.err
    assert cli.json("user", "list")["users"] == []


def test_identity_file(cli: Cli, device: str) -> None:
    assert cli.identity.stat().st_mode & 0o777 == 0o600
    assert cli.identity.parent.stat().st_mode & 0o077 == 0
    for mode in (0o640, 0o604):
        cli.identity.chmod(mode)
        refused(cli("status"), "identity", "chmod 600")
    cli.identity.chmod(0o600)
    cli.ok("status")
    good = cli.identity.read_text()
    for bad in ("", "{}", "[]", good.replace('"version": 1', '"version": 2'), good[:-20], "null"):
        cli.identity.write_text(bad)
        refused(cli("status"), "identity", "is not an identity file")
    cli.identity.write_text(good)
    refused(cli("status", "--identity", str(cli.folder / "none.json")), "identity", "claim")
    refused(cli("status", "--identity", str(cli.folder)), "identity")


@contextmanager
def impostor(cli: Cli, state: str = "open") -> Iterator[str]:
    """A stick that says it is the device that `cli` is paired with, and answers everything."""
    known = next(iter(json.loads(cli.identity.read_text())["devices"]))
    answers = {
        protocol.HELLO: (protocol.HELLO, hello(device=known, state=state)),
        protocol.OPEN_1: (protocol.OPEN_2, bytes(48)),
    }

    def answer(kind: int, _payload: bytes) -> list[tuple[int, bytes]]:
        return [answers[kind]] if kind in answers else []

    with fake_device(answer) as port:
        yield port


def test_a_swapped_in_stick(cli: Cli, device: str) -> None:
    cli.add("alice")
    with impostor(cli) as port:
        refused(cli("verify", "alice", "123456", "--port", port), "handshake-failed")


def test_a_pairing_peer_whose_id_is_not_of_its_key(cli: Cli) -> None:
    assert key_id(bytes(32)).hex() != HELLO["device"]

    def answer(kind: int, _payload: bytes) -> list[tuple[int, bytes]]:
        return (
            [(protocol.HELLO, hello(state="unclaimed"))]
            if kind == protocol.HELLO
            else [(protocol.PAIR_2, bytes(160))]
        )

    with fake_device(answer) as port:
        refused(cli("claim", "--yes", "--port", port), "handshake-failed")


@pytest.mark.parametrize(
    "changes,word", [({"oldest": 2, "protocol": 3}, "host tool"), ({"oldest": 0, "protocol": 0}, "firmware")]
)
def test_versions_without_overlap_say_which_end_to_update(
    cli: Cli, changes: dict[str, int], word: str
) -> None:
    def answer(_kind: int, _payload: bytes) -> list[tuple[int, bytes]]:
        return [(protocol.HELLO, hello(**changes))]

    with fake_device(answer) as port:
        refused(cli("status", "--port", port), "version", f"update the {word}")


def test_a_newer_device_that_still_speaks_our_version(cli: Cli) -> None:
    def answer(_kind: int, _payload: bytes) -> list[tuple[int, bytes]]:
        return [(protocol.HELLO, hello(protocol=9, oldest=1, novelty=True))]

    with fake_device(answer) as port:
        refused(cli("status", "--port", port), "not-yours")


@pytest.mark.parametrize("board", ["\x1b[2Jfake", "x" * 99, 7, None])
def test_a_hello_that_could_steer_a_terminal_is_none(cli: Cli, board: object) -> None:
    def answer(_kind: int, _payload: bytes) -> list[tuple[int, bytes]]:
        return [(protocol.HELLO, hello(board=board)), (0, b"\x1b[2J")]

    with fake_device(answer) as port:
        refused(cli("devices", "--port", port), "timeout")


def test_a_fault_is_a_hint_and_shows_nothing_of_its_text(cli: Cli) -> None:
    def answer(_kind: int, _payload: bytes) -> list[tuple[int, bytes]]:
        return [(protocol.FAULT, b"\x1b[2Jboo")]

    with fake_device(answer) as port:
        done = cli("status", "--port", port)
    assert done.code == 70 and "boo" not in done.err


def test_a_blank_stick_in_the_place_of_ours_is_not_to_be_claimed(
    cli: Cli, device: str, tmp_path: Path
) -> None:
    other = Cli(tmp_path / "other")
    with other.simulator() as blank:
        refused(cli("status", "--port", blank), "not-yours", "swapped")
