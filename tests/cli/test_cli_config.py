# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""config check, apply, show and default; apply killed at each of its system calls; the port from the file."""

import signal
import stat
import subprocess
from pathlib import Path
from typing import IO

import pytest
from tests.cli.support import SECONDS, UNDERSTUDY, Cli, Done

from understudy.configuration import parse
from understudy.configuration_file import last_good_path
from understudy.configuration_kinds import keys
from understudy.configuration_text import default_text
from understudy.statuses import exit_code

OLD, NEW = "mfa = false\n", '[service.sshd]\ntext = "Code for ssh: "\nmfa = true\n'
BAD = '[login]\ntxt = "a"\n\ndeadline = 0\n'


@pytest.fixture
def in_force(cli: Cli) -> Path:
    """A configuration that holds OLD."""
    cli.configuration.parent.mkdir()
    cli.configuration.write_text(OLD)
    return cli.configuration


@pytest.fixture
def new(cli: Cli) -> Path:
    """A file that holds NEW."""
    path = cli.folder / "new.toml"
    path.write_text(NEW)
    return path


def refused(done: Done, *words: str) -> None:
    assert done.code == exit_code("config") == 59 and done.out == "", done
    assert done.err.startswith("understudy: ") and all(word in done.err for word in words), done


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def identity(path: Path) -> tuple[int, ...]:
    """The same for as long as nobody has written to the file or put another in its place."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


# The commands.


def test_default_is_a_good_beginning(cli: Cli) -> None:
    refused(cli("config", "check"), str(cli.configuration), "understudy config default")
    refused(cli("config", "show"), str(cli.configuration))
    text = cli.ok("config", "default").out
    assert text == default_text() == cli.json("config", "default")["toml"]
    (cli.folder / "first.toml").write_text(text)
    assert f"Saved as {cli.configuration}." in cli.ok("config", "apply", "first.toml").out
    assert cli.configuration.read_text() == text
    assert "is a good configuration" in cli.ok("config", "check").out


def test_check_says_all_that_is_wrong_and_changes_nothing(cli: Cli, in_force: Path) -> None:
    (cli.folder / "bad.toml").write_text(BAD)
    done = cli("config", "check", "bad.toml")
    refused(
        done, "bad.toml has 2 errors:", "line 2: [login] has no key txt; the nearest is text.", "line 4: "
    )
    assert done.err.count("\n") == 3
    as_json = cli("config", "check", "bad.toml", "--json")
    assert as_json.code == done.code and as_json.json["status"] == "config"
    assert [line.split(":")[0] for line in as_json.json["findings"]] == ["line 2", "line 4"]
    assert cli.json("config", "check") == {"status": "ok", "file": str(in_force)}
    # One that is not in force may be anybody's.
    (cli.folder / "bad.toml").write_text(NEW)
    (cli.folder / "bad.toml").chmod(0o666)
    cli.ok("config", "check", "bad.toml")
    in_force.chmod(0o666)
    refused(cli("config", "check"), f"chmod go-w {in_force}")


def test_apply_saves_and_keeps_the_last_good_one(cli: Cli, in_force: Path, new: Path) -> None:
    done = cli.ok("config", "apply", str(new))
    assert in_force.read_text() == NEW and last_good_path(in_force).read_text() == OLD
    assert "systemctl reload understudyd" in done.out
    again = cli.json("config", "apply", "new.toml")
    kept = str(last_good_path(in_force))
    assert again == {
        "status": "ok",
        "file": str(in_force),
        "changed": False,
        "reloaded": False,
        "last_good": kept,
    }
    new.write_text('[broker]\nsocket = "/run/other.sock"\n')
    assert "systemctl restart understudyd" in cli.ok("config", "apply", str(new)).out
    cli.ok("config", "apply", kept)  # and the way back
    assert in_force.read_text() == NEW


def test_apply_of_a_bad_one_changes_nothing(cli: Cli, in_force: Path, new: Path) -> None:
    before = identity(in_force)
    new.write_text(BAD)
    refused(cli("config", "apply", str(new)), str(new), "line 2")
    refused(cli("config", "apply", "nowhere.toml"), "nowhere.toml")
    assert identity(in_force) == before and names(in_force) == [in_force.name]


def test_show_tells_what_holds_and_from_where(cli: Cli, in_force: Path) -> None:
    in_force.write_text(NEW + '[cover]\nusers = ["SITE\\\\bob"]\n[device]\nport = "/dev/ttyACM0"\n')
    rows = [line.split() for line in cli.ok("config", "show").out.splitlines()]
    assert rows[0] == ["KEY", "VALUE", "FROM"]
    assert ["mfa", "true", "default"] in rows and ["device.port", '"/dev/ttyACM0"', "file"] in rows
    assert ["service.sshd.mfa", "true", "file"] in rows and ["cover.users", '["SITE\\\\bob"]', "file"] in rows
    shown = cli.json("config")
    assert shown["login"]["text"] == "Code: " and shown["service"]["sshd"]["text"] == "Code for ssh: "
    assert (
        shown["cover"]["users"] == ["SITE\\bob"]
        and shown["broker"]["socket"] == "/run/understudy/broker.sock"
    )


def test_show_resolves_a_service(cli: Cli, in_force: Path) -> None:
    in_force.write_text(OLD + "[login]\ndeadline = 5\n" + NEW)
    found = cli.ok("config", "show", "--service", "sshd").out
    lines = [line.split() for line in found.splitlines()]
    assert ["mfa", "true", "[service.sshd]"] in lines and ["deadline", "5.0", "file"] in lines
    assert ["echo", "false", "default"] in lines
    resolved = parse(in_force.read_text(), "").for_service("sshd")
    fields = cli.json("config", "show", "--service", "sshd")
    assert {name: fields[name] for name in vars(resolved)} == vars(resolved) and fields["service"] == "sshd"
    assert set(keys(type(resolved))) < set(fields)
    assert cli.json("config", "show", "--service", "cron")["mfa"] is False


def test_apply_has_a_running_broker_read_it(cli: Cli, in_force: Path, new: Path) -> None:
    socket = f'[broker]\nsocket = "{cli.folder}/run/broker.sock"\n'
    in_force.write_text(socket)
    new.write_text(OLD + socket)
    broker = cli.start("serve", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert broker.stderr is not None
    try:
        read_until(broker.stderr, "ready")
        done = cli.json("config", "apply", str(new))
        assert done["changed"] and done["reloaded"]
        read_until(broker.stderr, "reloaded")
        assert "The broker reads it now." in cli.ok("config", "apply", str(new)).out
        read_until(broker.stderr, "reloaded")
    finally:
        broker.terminate()
        broker.communicate(timeout=SECONDS)


def read_until(lines: IO[str], word: str) -> None:
    """Read a log up to the line with `word`; the test's own time limit is the deadline."""
    for line in lines:
        if word in line:
            return
    raise AssertionError(f"the log ended without {word}")


# Apply, killed. strace sends the signal as the process enters the call, which then does not happen.


def traced(cli: Cli, injection: str, *words: str) -> int:
    """Run a command under an injection of strace(1); the exit code, negative for a signal."""
    call = injection.partition(":")[0]
    command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={injection}"]
    done = subprocess.run(
        [*command, *UNDERSTUDY, *words], cwd=cli.folder, env=cli.env, capture_output=True, timeout=SECONDS
    )
    return done.returncode


# How often `apply` calls each, at least: the last good one and the new one are written alike.
TIMES = {"write": 2, "fsync": 4, "fchmod": 2, "rename": 2}


def killed(cli: Cli, call: str, number: int, new: Path) -> bool:
    """Kill `apply` on entering a `call` for the time `number`; False when it has done without."""
    code = traced(cli, f"{call}:signal=KILL:when={number}", "config", "apply", str(new))
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.parametrize("call", TIMES)
def test_apply_killed_at_any_call_leaves_the_old_or_the_new_one(
    cli: Cli, in_force: Path, new: Path, call: str
) -> None:
    contents = (default_text(), NEW)
    in_force.write_text(contents[0])
    number = 1
    while killed(cli, call, number, new):
        assert in_force.read_text() == contents[0] or in_force.read_text() == contents[1]
        assert stat.S_IMODE(in_force.stat().st_mode) == 0o644
        # Whatever was left behind, the next one works, and cleans up.
        cli.ok("config", "apply", str(new))
        assert in_force.read_text() == NEW and last_good_path(in_force).read_text() in contents
        assert names(in_force) == [in_force.name, last_good_path(in_force).name]
        in_force.write_text(contents[0])
        last_good_path(in_force).unlink()
        number += 1
    assert number > TIMES[call]


@pytest.mark.parametrize(
    ("call", "error"), [("write", "ENOSPC"), ("fsync", "EIO"), ("rename", "EROFS"), ("fchmod", "EPERM")]
)
def test_apply_on_a_disk_that_fails_says_so_and_cleans_up(
    cli: Cli, in_force: Path, new: Path, call: str, error: str
) -> None:
    code = traced(cli, f"{call}:error={error}:when=1", "config", "apply", str(new))
    assert code == exit_code("config")
    assert in_force.read_text() == OLD and names(in_force) == [in_force.name]


# The port and the device that the configuration names.


def test_the_port_is_the_options_then_the_environments_then_the_configurations(
    cli: Cli, in_force: Path
) -> None:
    in_force.write_text('[device]\nport = "/dev/third"\n')
    assert "/dev/third" in cli("status").err
    cli.env["UNDERSTUDY_PORT"] = "/dev/second"
    assert "/dev/second" in cli("status").err
    assert "/dev/first" in cli("status", "--port", "/dev/first").err


def test_the_configuration_chooses_among_several_devices(cli: Cli, in_force: Path) -> None:
    with cli.simulator("--state", "one") as first, cli.simulator("--state", "two") as second:
        cli.ok("claim", "--yes", "--port", first)
        cli.ok("claim", "--yes", "--port", second)
        one, two = (cli.json("status", "--port", port)["device"] for port in (first, second))
        assert cli("status").code == exit_code("no-device")  # several fit
        in_force.write_text(f'[device]\nid = "{two}"\n')
        assert cli.json("status")["device"] == two
        assert cli.json("status", "--device", one)["device"] == one
        assert cli.json("status", "--port", first)["device"] == one
        in_force.write_text(f'[device]\nport = "{first}"\n')
        assert cli.json("status")["device"] == one
        assert cli("status", "--device", two).code == exit_code("not-yours")
        in_force.write_text(f'[device]\nport = "{first}"\nid = "{two}"\n')
        wrong = cli("status")
        assert wrong.code == exit_code("not-yours") and str(in_force) in wrong.err and "--device" in wrong.err
        in_force.write_text(f'[device]\nport = "{second}"\nid = "{two}"\n')
        assert cli.json("status", "--device", one)["device"] == one  # the port is the other one's


def test_a_bad_configuration_is_warned_of_once_and_does_not_count(
    cli: Cli, in_force: Path, device: str
) -> None:
    in_force.write_text(BAD)
    done = cli.ok("status", "--json")
    assert done.json["status"] == "ok" and done.err.count("Warning: ") == 1 and str(in_force) in done.err
    assert cli.ok("status", "--port", device).err == done.err


def test_no_configuration_or_one_that_is_not_for_this_user_is_silent(cli: Cli, device: str) -> None:
    assert cli.ok("status").err == ""
    cli.configuration.parent.write_text("in its place\n")  # cannot be opened, whoever asks
    assert cli.ok("status").err == ""
