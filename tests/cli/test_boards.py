# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The boards: their data is sound; `understudy boards` says what each can do and how far it was tested."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.support import Cli

from understudy.board_files import board_data
from understudy.board_schema import FLAGS, TESTED, BoardError, check_board
from understudy.boards import all_boards

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(path.parent for path in (ROOT / "boards").glob("*/board.json"))


@pytest.mark.parametrize("folder", BOARDS, ids=lambda folder: folder.name)
def test_the_data_of_each_is_sound(folder: Path) -> None:
    assert board_data(folder)["id"] == folder.name


def test_those_that_there_have_to_be() -> None:
    wanted = {"rpi_pico", "rpi_pico_w", "rpi_pico2", "esp32_generic", "raspberry_pi", "linux"}
    assert {board["id"] for board in all_boards()} == wanted == {folder.name for folder in BOARDS}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


GOOD = json.loads((ROOT / "boards/rpi_pico/board.json").read_text())


@pytest.mark.parametrize(
    "data,complaint",
    [
        ([], "not a JSON object"),
        *((without(key), f"missing: {key}") for key in GOOD if key not in ("uf2_family", "arch")),
        (without("arch"), "arch"),
        ({**GOOD, "arch": "z80"}, "arch"),
        ({**GOOD, "wlan": True}, "unknown: wlan"),
        ({**GOOD, "id": "other"}, "id"),
        ({**GOOD, "port": "windows"}, "port"),
        ({**GOOD, "install": "magic"}, "install"),
        ({**GOOD, "link": "string"}, "link"),
        ({**GOOD, "tested": "surely"}, "tested"),
        *(({**GOOD, flag: 1}, flag) for flag in FLAGS),
        ({**GOOD, "name": ""}, "name"),
        ({**GOOD, "uf2_family": 3}, "uf2_family"),
        (without("uf2_family"), "uf2_family"),
        ({**GOOD, "pins": {**GOOD["pins"], "sda": -1}}, "pins"),
        ({**GOOD, "pins": {**GOOD["pins"], "sda": True}}, "pins"),
        ({**GOOD, "pins": {**GOOD["pins"], "fan": 1}}, "pins"),
        ({**GOOD, "pins": {}}, "pins"),
        ({**GOOD, "button": False}, "pins"),
        ({**GOOD, "port": "linux"}, "install"),
        ({**GOOD, "presence": ["verify"]}, "presence"),
    ],
)
def test_what_is_not_sound_is_named_with_its_file(data: Any, complaint: str) -> None:
    with pytest.raises(BoardError, match="^some/board.json: .*" + complaint):
        check_board(data, "rpi_pico", "some/board.json")


def test_a_lockable_board_needs_an_image() -> None:
    data = json.loads((ROOT / "boards/rpi_pico_w/board.json").read_text())
    with pytest.raises(BoardError, match="lockable"):
        check_board({**data, "lockable": True}, "rpi_pico_w", "x")


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "board.json").write_text("{")
    with pytest.raises(BoardError, match="board.json"):
        board_data(tmp_path)


def test_the_list(cli: Cli) -> None:
    listed = {board["id"]: board for board in cli.json("boards")["boards"]}
    assert set(listed) == {folder.name for folder in BOARDS}
    for name, board in listed.items():
        assert board == board_data(ROOT / "boards" / name) and board["tested"] in TESTED
    text = cli.ok("boards").out.splitlines()
    assert text[0].split() == ["BOARD", "NAME", "LINK", "CAN", "LOCKABLE", "INSTALL", "TESTED"]
    (pico,) = [line for line in text if line.startswith("rpi_pico ")]
    assert "display, rtc, button, led" in pico and "emulated" in pico
    (esp,) = [line for line in text if line.startswith("esp32_generic ")]
    assert "not tried" in esp and "no" in esp.split()


def test_where_the_units_and_rules_are(cli: Cli) -> None:
    folder = Path(cli.ok("boards", "--etc").out.strip())
    assert {"understudy-device.service", "60-understudy.rules"} <= {file.name for file in folder.iterdir()}
