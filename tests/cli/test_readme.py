# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Every command in the README, run as it stands there."""

import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.bootsel_board import INFO
from tests.cli.support import SECRET, Cli, code
from tests.cli.terminal import Terminal
from tests.demo import read_qr
from tests.reference import load_pyotp
from tools.buildlib.uf2 import pack

from understudy.boards import find_board
from understudy.paths import etc_dir
from understudy.statuses import exit_code

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()
INTERVAL = 30


def commands() -> list[str]:
    """The `understudy` commands of the README in order: lines of its shell blocks, and code in its text."""
    found = re.findall(r"^(understudy [^\n#]*)|`(understudy [^`]*)`", TEXT, re.MULTILINE)
    return list(dict.fromkeys(" ".join((line or inline).split()) for line, inline in found))


def secret_code(secret: str, steps: int) -> str:
    return str(load_pyotp().TOTP(secret).at(int(time.time()) + steps * INTERVAL))


class Reader:
    """Someone who types what the README says, in order."""

    def __init__(self, cli: Cli) -> None:
        self.cli = cli
        self.secret = ""
        (cli.folder / "FILE").write_text(SECRET + "\n")
        (found,) = re.findall(r"`(\{.*\})`", TEXT)
        (cli.folder / "wifi.json").write_text(found.replace("...", "a long password"))
        self.by_hand: dict[str, Callable[[list[str]], None]] = {
            "understudy claim": self.claim,
            "understudy user add alice": self.enrol,
            "understudy verify alice": self.verify,
            "understudy user add bob --import-secret FILE": self.import_secret,
            "understudy user add carol --qr-file carol.png": self.keep_for_later,
            "understudy pair --new-identity verifier.json --role verifier": self.pair,
            "understudy unpair HOST-ID": self.unpair,
            "understudy user add alice --credential tablet": self.enrol,
            "understudy user resync bob": self.resync,
            "understudy user reset carol": self.agree,
            "understudy audit --follow": self.follow,
            "understudy install --board rpi_pico": self.install,
            "understudy install --board rpi_pico_w": self.no_board,
            "understudy install --board rpi_pico_w --network wifi.json": self.no_board,
            "understudy clock regain alice": self.regain,
            "understudy --port /dev/ttyUSB0 claim": self.no_board,
            "understudy settings set --presence": self.no_button,
            "understudy config default > new.toml": self.into_a_file,
            "understudy local-bypass --for 15m": self.not_at_the_console,
            "understudy doctor": self.look_through,
            "understudy doctor --rehearse server-down": self.look_through,
            "understudy setup": self.nobody_to_ask,
            "understudy factory-reset": self.reset,
        }

    def type(self, command: str) -> None:
        """Run one command, by hand where it asks something."""
        words = shlex.split(command)[1:]
        self.by_hand.get(command, lambda plain: void(self.cli.ok(*plain)))(words)

    def claim(self, words: list[str]) -> None:
        with Terminal(self.cli, *words) as terminal:
            terminal.read_until("[y/N]")
            terminal.type("y")
            assert terminal.wait() == 0, terminal.text

    def enrol(self, words: list[str]) -> None:
        with Terminal(self.cli, *words) as terminal:
            terminal.read_until("First code: ")
            self.secret = str(load_pyotp().parse_uri(read_qr(terminal.text)).secret)
            terminal.type(secret_code(self.secret, 0))
            assert terminal.wait() == 0, terminal.text

    def verify(self, words: list[str]) -> None:
        with Terminal(self.cli, *words) as terminal:
            terminal.read_until(": ")
            terminal.type(secret_code(self.secret, 1))
            assert terminal.wait() == 0, terminal.text
        assert "accepted" in terminal.text

    def import_secret(self, words: list[str]) -> None:
        self.cli.ok(*words, stdin=code(interval=INTERVAL) + "\n")

    def keep_for_later(self, words: list[str]) -> None:
        process = self.cli.start(*words, "--no-confirm")
        process.communicate(timeout=60)
        assert process.returncode == 0 and (self.cli.folder / "carol.png").stat().st_size > 100

    def resync(self, words: list[str]) -> None:
        now = code(interval=INTERVAL, steps=2), code(interval=INTERVAL, steps=3)
        self.cli.ok(*words, *now)

    def regain(self, words: list[str]) -> None:
        """The clock is known here, which is said; test_clock has one that is not."""
        assert self.cli(*words, "123456", "654321").code == exit_code("clock-refused")

    def agree(self, words: list[str]) -> None:
        self.cli.ok(*words, "--yes")

    def follow(self, words: list[str]) -> None:
        process = self.cli.start(*words)
        assert process.stdout is not None
        assert "claimed" in process.stdout.readline() + process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130

    def install(self, words: list[str]) -> None:
        """Onto a folder that looks like the drive; test_install_uf2 goes on from there."""
        family, image = int(find_board("rpi_pico")["uf2_family"], 16), b"\0" * 100_000
        drive = self.cli.folder / "drive"
        drive.mkdir()
        (drive / "INFO_UF2.TXT").write_text(INFO)
        (self.cli.folder / "image.uf2").write_bytes(pack(image, family, 0x10000000))
        self.cli.ok(*words, "--drive", "drive", "--image", "image.uf2", "--no-wait")
        assert (drive / "firmware.uf2").stat().st_size > len(image)

    def no_board(self, words: list[str]) -> None:
        """There is none at this machine, which is said."""
        done = self.cli(*words, *(() if "--port" in words else ("--port", "none")))
        assert done.code == exit_code("no-device"), done

    def no_button(self, words: list[str]) -> None:
        """The simulated board has none, which is said."""
        assert self.cli(*words).code == exit_code("bad-request")

    def into_a_file(self, words: list[str]) -> None:
        *plain, arrow, name = words
        assert arrow == ">"
        (self.cli.folder / name).write_text(self.cli.ok(*plain).out)

    def look_through(self, words: list[str]) -> None:
        """Nothing is set up on this host, which is said; test_doctor has one where all is well."""
        done = self.cli(*words)
        assert done.code in (0, exit_code("findings"), exit_code("config")), done

    def nobody_to_ask(self, words: list[str]) -> None:
        """tests/login/test_setup.py sets a machine up; here nobody is at the terminal, or it is not root."""
        assert self.cli(*words).code in (exit_code("usage"), exit_code("denied"))

    def not_at_the_console(self, words: list[str]) -> None:
        """Nobody sits there, which is said; test_server_down has somebody who does."""
        assert self.cli(*words).code == exit_code("denied")

    def reset(self, words: list[str]) -> None:
        device = self.cli.json("status")["device"]
        with Terminal(self.cli, *words) as terminal:
            terminal.read_until("erase it: ")
            terminal.type(device)
            assert terminal.wait() == 0, terminal.text
        assert self.cli("status").code == exit_code("unclaimed")
        self.cli.ok("claim", "--yes")  # for what comes after it in the README

    def pair(self, words: list[str]) -> None:
        self.cli.ok(*words, stdin="y\n")

    def unpair(self, words: list[str]) -> None:
        (other,) = [host for host in self.cli.json("hosts")["hosts"] if host["role"] == "verifier"]
        self.cli.ok(*words[:-1], other["host"], "--yes")
        assert len(self.cli.json("hosts")["hosts"]) == 1


def void(_done: object) -> None:
    """Nothing more to look at than that the command succeeded."""


def test_every_command_of_the_readme(cli: Cli) -> None:
    found = commands()
    assert len(found) > 12
    simulate = [command for command in found if command.startswith("understudy simulate")]
    assert simulate == ["understudy simulate --board linux --link /tmp/understudy-port"]
    examples = [command for command in found if re.match(r"understudy verify alice \d{6}$", command)]
    reader = Reader(cli)
    with cli.simulator("--link", str(cli.folder / "port")) as port:
        cli.env["UNDERSTUDY_PORT"] = port
        for command in found:
            if command not in simulate and command not in examples:
                reader.type(command)
    assert set(reader.by_hand) <= set(found)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make ([a-z-]+)", TEXT, re.MULTILINE))))
def test_every_make_target_of_the_readme_is_there(target: str) -> None:
    subprocess.run(["make", "-C", str(ROOT), "-n", target], check=True, capture_output=True, timeout=60)


def test_the_tables_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/readme_tables.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_the_files_for_etc_that_are_named_are_there() -> None:
    named = set(re.findall(r"\b[\w-]+\.(?:service|socket|rules|sysusers)\b", TEXT))
    named |= set(re.findall(r"`((?:pam|ssh|pam-configs)/[\w.-]+)`", TEXT))
    there = {str(one.relative_to(etc_dir())) for one in etc_dir().rglob("*") if one.is_file()}
    assert named == there


def test_every_path_of_the_house_is_there() -> None:
    house = TEXT.split("## How the house is laid out")[1].split("```")[1]
    for line in house.strip().splitlines():
        name = line.split()[0]
        assert "{" in name or "<" in name or (ROOT / name.rstrip(",")).exists(), name
