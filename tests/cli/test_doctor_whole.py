# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Who would be locked out; all checks together; the command."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.cli.made_host import PORT, SELF, Made, by_id, severities
from tests.cli.support import Cli
from tests.cli.test_doctor import SERVER, STATUS, told

from understudy.configuration import Configuration, parse
from understudy.doctor.checks_device import Told
from understudy.doctor.checks_users import check_users, covered, people
from understudy.doctor.examine import Seen, examine, worst
from understudy.doctor.findings import HINT, OK, PROBLEM, WARNING
from understudy_device.errors import (
    ConfigError,
    IdentityError,
    NoBroker,
    NoDevice,
    NotPaired,
    UnderstudyError,
)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def state_of(**users: tuple[str, bool, int]) -> Callable[[str], Mapping[str, Any]]:
    """A device's `user_state`."""
    known = {name: {"state": one[0], "usable": one[1], "wait": one[2]} for name, one in users.items()}
    return lambda user: known.get(user, {"state": "unknown", "usable": False, "wait": 0})


def test_who_can_log_in(made: Made) -> None:
    made.write(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\nalice:x:1000:1000:::/bin/sh\n"
        "old:x:7:7::/:\nsync:x:4:4::/:/bin/sync\nnot a line\n",
    )
    assert people(made.host) == ["root", "alice", "old"]
    configuration = parse('[cover]\ngroups = ["staff"]\nexcept_users = ["root"]\n', "test")
    groups = {"alice": ["staff"], "root": ["staff"], "old": []}
    assert covered(people(made.host), configuration, groups.__getitem__) == ["alice"]
    assert covered(["alice"], parse("mfa = false", "test"), groups.__getitem__) == []


def test_who_would_be_locked_out() -> None:
    known = state_of(
        alice=("active", True, 0),
        bob=("pending", False, 0),
        carol=("active", True, 40),
        dave=("disabled", True, 0),
        erin=("unconfirmed", False, 0),
    )
    everybody = ("alice", "bob", "carol", "dave", "erin", "root")

    def looked(text: str) -> dict[str, str]:
        return severities(check_users(everybody, parse(text, "test"), known))

    always = {"users-enrolled": OK, "users-waiting": HINT, "users-disabled": HINT}
    assert looked("") == always | {
        "users-pending": HINT,
        "users-unknown": PROBLEM,
        "users-unconfirmed": PROBLEM,
    }
    assert looked("[login]\nenrol = false")["users-pending"] == PROBLEM
    assert looked("[login]\nnullok = true")["users-unknown"] == WARNING
    assert looked(SERVER)["users-unknown"] == WARNING
    assert severities(check_users((), Configuration(), known)) == {"users": WARNING}

    def away(_user: str) -> Mapping[str, Any]:
        raise NoDevice()

    assert severities(check_users(everybody, Configuration(), away)) == {"users": HINT}


# All of it.


def seen(made: Made, device: Told | UnderstudyError, **other: Any) -> Seen:
    usual: dict[str, Any] = {
        "host": made.host,
        "path": Path("/c.toml"),
        "configuration": parse('[cover]\nusers = ["alice"]\n' + SERVER, "test"),
        "broker": STATUS,
        "port": PORT,
        "device": device,
        "role": "verifier",
        "is_broker_role": True,
        "state_of": state_of(alice=("active", True, 0)),
        "groups_of": lambda user: [],
        "host_synchronised": True,
        "mark": "ab12",
        "own_pid": SELF,
        "is_root": True,
        "days_left": lambda host, port, ca, verify: 100.0,
    }
    return Seen(**{**usual, **other})


def test_a_whole_machine(made: Made) -> None:
    made.plugged()
    made.write("/etc/passwd", "alice:x:1000:1000:::/bin/sh\n")
    found = examine(seen(made, told()))
    assert not worst(found)
    assert {
        "port",
        "clock",
        "role",
        "broker",
        "upstream",
        "certificate",
        "pam",
        "sshd",
        "users-enrolled",
    } <= set(by_id(found))
    assert worst(examine(seen(made, NotPaired())))
    unread = by_id(examine(seen(made, IdentityError("No."), is_root=False)))
    assert (unread["device"].severity, unread["holder"].severity) == (HINT, HINT)
    none = examine(seen(made, NoDevice(), configuration=ConfigError("bad"), broker=NoBroker(), port=None))
    assert {"port", "device", "configuration", "pam"} <= set(by_id(none)) and "broker" not in by_id(none)


def test_the_command_tells_all_and_how_it_ended(cli: Cli) -> None:
    done = cli("doctor", "--json")
    assert done.code == 3 and done.json["status"] == "findings"
    assert {"port", "device", "configuration"} <= {one["id"] for one in done.json["findings"]}
    shown = cli("doctor").out
    assert "PROBLEM " in shown and "$ understudy" in shown
    wrong = cli("doctor", "--rehearse", "rain")
    assert wrong.code == 2 and "everything-gone" in wrong.err
    assert cli("doctor", "--rehearse", "device-gone").code == 59
