# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The device's display from the command line: `screen`, and a secret that is shown there only."""

import io
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from tests.cli.support import Cli, wait_for
from tests.cli.terminal import Terminal
from tests.reference import load_pyotp

from understudy.picture import png, rows
from understudy_device import canvas

GOLDEN = Path(__file__).resolve().parents[1] / "unit" / "golden"


@pytest.fixture
def pixels(cli: Cli) -> Iterator[Path]:
    """The file that holds the pixels of a claimed device's display."""
    file = cli.folder / "pixels"
    with cli.simulator("--screen", str(file)):
        cli.ok("claim", "--yes")
        yield file


def on_display(file: Path) -> str:
    """The QR code on the display, or nothing."""
    picture = Image.open(io.BytesIO(png(rows(file.read_bytes())))).convert("L")
    found = zxingcpp.read_barcodes(picture)
    return found[0].text if found else ""


def secret_of(uri: str) -> str:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(uri).query))["secret"]


def test_screen_in_the_terminal(cli: Cli, device: str) -> None:
    lines = cli.ok("screen").out.splitlines()
    assert len(lines) == 18
    assert max(map(len, lines)) == 66
    assert cli.json("screen") == {
        "status": "ok",
        "screen": "ready",
        "values": ["synced", 0],
        "display": True,
    }


def test_screen_as_png(cli: Cli, device: str) -> None:
    for number in range(12):
        cli.add(f"user{number}")
    file = cli.folder / "screen.png"
    assert cli.ok("screen", "--png", str(file)).out == f"Wrote {file}.\n"
    assert file.read_bytes() == (GOLDEN / "ready.png").read_bytes()
    done = cli("screen", "--png", str(cli.folder / "none" / "screen.png"))
    assert (done.code, "can't be written" in done.err) == (2, True)


def test_the_display_has_the_same(cli: Cli, pixels: Path) -> None:
    file = cli.folder / "screen.png"
    cli.ok("screen", "--png", str(file))
    assert len(pixels.read_bytes()) == canvas.SIZE
    wait_for(lambda: png(rows(pixels.read_bytes())) == file.read_bytes())


def test_enrolment_on_the_device(cli: Cli, pixels: Path) -> None:
    done = cli.ok("user", "add", "alice", "--on-device", "--no-confirm")
    wait_for(lambda: on_display(pixels) != "")
    secret = secret_of(on_display(pixels))
    shown = cli.ok("screen")
    assert "on the device only" in shown.err
    assert cli.json("screen") == {"status": "ok", "screen": "enrolment", "values": [], "display": True}
    assert not [text for text in (done.out, done.err, shown.out) if secret in text or "otpauth" in text]
    code = load_pyotp().TOTP(secret).now()
    assert cli.json("verify", "alice", stdin=code + "\n")["status"] == "accepted"
    cli.ok("user", "remove", "alice", "--yes")
    wait_for(lambda: on_display(pixels) == "")


def test_a_first_code_ends_it(cli: Cli, pixels: Path) -> None:
    with Terminal(cli, "user", "add", "alice", "--on-device") as terminal:
        terminal.read_until("First code: ")
        wait_for(lambda: on_display(pixels) != "")
        secret = secret_of(on_display(pixels))
        terminal.type(load_pyotp().TOTP(secret).now())
        assert terminal.wait() == 0
    assert secret not in terminal.text
    assert "▀" not in terminal.text
    wait_for(lambda: on_display(pixels) == "")


def test_without_pixels_it_is_refused(cli: Cli, device: str) -> None:
    done = cli("user", "add", "alice", "--on-device")
    assert (done.code, done.err) == (33, "understudy: The device has no display.\n")
    assert cli("user", "show", "alice").code == 24


@pytest.mark.parametrize("words", [["--qr-file", "x.png"], ["--show-uri"], ["--import-secret", "-"]])
def test_what_does_not_go_with_it(cli: Cli, words: list[str]) -> None:
    done = cli("user", "add", "alice", "--on-device", *words)
    assert (done.code, "--on-device can't go with" in done.err) == (2, True)
