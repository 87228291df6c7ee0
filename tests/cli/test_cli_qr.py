# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The QR code: as a person's phone sees it on a terminal, and in files."""

from pathlib import Path

import numpy
import pytest
import zxingcpp
from PIL import Image
from tests.cli.support import Cli, code, wait_for
from tests.cli.terminal import COLUMNS, ROWS, Terminal, without_colours
from tests.demo import LIGHT

from understudy import qr

SECRET = "A" * 32


def uri(user: str) -> str:
    return f"otpauth://totp/Understudy:{user}?secret={SECRET}&issuer=Understudy"


def rendered(lines: list[str], ink: int, ground: int) -> Image.Image:
    """What a terminal shows of half blocks, in characters of 8x16 pixels."""
    shades = numpy.array([ground, ink], dtype=numpy.uint8)
    rows = [[LIGHT[char][half] for char in line] for line in lines for half in (0, 1)]
    pixels = shades[numpy.array(rows)].repeat(8, axis=0).repeat(8, axis=1)
    return Image.fromarray(pixels)


def decoded(image: Image.Image, margin: int, invert: bool = True) -> str:
    framed = Image.new("L", (image.width + 2 * 16, image.height + 2 * 16), margin)
    framed.paste(image, (16, 16))
    found = zxingcpp.read_barcodes(framed, formats=zxingcpp.BarcodeFormat.QRCode, try_invert=invert)
    assert len(found) == 1
    return found[0].text


@pytest.mark.parametrize("length", range(1, 17))
def test_ordinary_names_fit_a_terminal_of_80_by_24(length: int) -> None:
    lines = without_colours(qr.terminal_text(uri("m" * length), colour=True)).split("\n")
    assert len(lines) + 2 <= ROWS  # the words above, the prompt below
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("user", ["a", "administrator-16", "m" * 64])
def test_coloured_blocks_are_black_on_white_in_any_theme(user: str, theme: str) -> None:
    text = qr.terminal_text(uri(user), colour=True)
    assert all(
        line.startswith("\x1b[38;5;16;48;5;231m") and line.endswith("\x1b[0m") for line in text.split("\n")
    )
    image = rendered(without_colours(text).split("\n"), ink=0, ground=255)
    assert decoded(image, margin=0 if theme == "dark" else 255, invert=False) == uri(user)


@pytest.mark.parametrize("ink,ground", [(255, 0), (0, 255)], ids=["dark", "light"])
def test_plain_blocks_are_readable_in_both_themes(ink: int, ground: int) -> None:
    image = rendered(qr.terminal_text(uri("alice"), colour=False).split("\n"), ink, ground)
    assert decoded(image, margin=ground) == uri("alice")


@pytest.mark.parametrize("colour", [True, False])
def test_enrolment_at_a_terminal(cli: Cli, device: str, colour: bool) -> None:
    if colour:
        del cli.env["NO_COLOR"]
        cli.env["TERM"] = "xterm-256color"
    user = "administrator-16"
    with Terminal(cli, "user", "add", user) as terminal:
        terminal.read_until("First code: ")
        screen = terminal.text.split("\n")
        assert ("\x1b" in terminal.text) == colour
        assert len(screen) <= ROWS
        lines = [line for line in map(without_colours, screen) if line and set(line) <= set(LIGHT)]
        ink, ground = (0, 255) if colour else (255, 0)
        told = decoded(rendered(lines, ink, ground), margin=0)
        secret = told.split("secret=")[1].split("&")[0]
        terminal.type("000000" if code(secret=secret, interval=30) != "000000" else "111111")
        terminal.read_until("2 more tries")
        terminal.read_until("First code: ")  # what is typed before the prompt is thrown away
        typed = code(secret=secret, interval=30)
        terminal.type(typed)
        assert terminal.wait() == 0
        assert f"Added {user}." in terminal.text and typed not in terminal.text
    assert cli.json("user", "show", user)["state"] == "active"


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_file_is_private_and_holds_the_code(cli: Cli, device: str, kind: str) -> None:
    path = cli.folder / f"code.{kind}"
    process = cli.start("user", "add", "alice", "--qr-file", str(path))
    wait_for(path.exists)
    assert path.stat().st_mode & 0o777 == 0o600
    if kind == "svg":
        assert b"<svg" in path.read_bytes()
        out, err = process.communicate("123\n" * 3)
        assert process.returncode in (10, 17) and "was not kept" in err
        assert cli("user", "show", "alice").code == 24
        return
    told = decoded(Image.open(path).convert("L"), margin=255)
    secret = told.split("secret=")[1].split("&")[0]
    out, err = process.communicate(code(secret=secret, interval=30) + "\n")
    assert (process.returncode, out) == (0, "Added alice.\n"), err
    assert "delete it" in err and secret not in err


def test_a_file_that_can_not_be_is_refused_before_a_secret_is_made(cli: Cli, tmp_path: Path) -> None:
    for name in ("code.gif", "missing/code.png"):
        done = cli("user", "add", "alice", "--qr-file", str(tmp_path / name), "--port", "/nonexistent")
        assert done.code == 2 and name in done.err
