# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`understudy install --network`: which file is taken, and for which boards. (That files arrive on a board is
tests/device/test_install_files.py's.)"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from understudy import stock_board
from understudy.cli import main

PASSWORD = "a secret of mine"
GOOD: dict[str, Any] = {"ssid": "home", "password": PASSWORD, "servers": ["a.example", "b.example:1123"]}


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, bytes]]:
    """What would go to the board beside the firmware."""
    given: list[dict[str, bytes]] = []

    def put_files(
        _port: str,
        _board: Any,
        _told: Callable[..., None],
        _say: Callable[..., None],
        more: Mapping[str, bytes],
    ) -> int:
        given.append(dict(more))
        return 1

    monkeypatch.setattr(stock_board, "put_files", put_files)
    return given


def install(folder: Path, content: str, board: str = "rpi_pico_w") -> int:
    file = folder / "wifi.json"
    file.write_text(content)
    return main(["install", "--board", board, "--port", "none", "--no-wait", "--network", str(file)])


@pytest.mark.parametrize("change", [{}, {"password": ""}, {"servers": ["192.0.2.1"]}, {"ssid": "ä" * 16}])
def test_it_goes_along(tmp_path: Path, put: list[dict[str, bytes]], change: dict[str, Any]) -> None:
    assert install(tmp_path, json.dumps({**GOOD, **change})) == 0
    ((name, content),) = put[0].items()
    assert name == "network.json" and json.loads(content) == {**GOOD, **change}


def test_without_it_nothing_does(put: list[dict[str, bytes]]) -> None:
    assert main(["install", "--board", "rpi_pico_w", "--port", "none", "--no-wait"]) == 0
    assert put == [{}]


@pytest.mark.parametrize(
    "change",
    [
        {"ssid": ""},
        {"ssid": "ä" * 17},
        {"ssid": 5},
        {"password": "short"},
        {"password": "x" * 64},
        {"password": None},
        {"servers": []},
        {"servers": "a.example"},
        {"servers": ["a:b"]},
        {"servers": ["a b"]},
        {"servers": ["a"] * 9},
        {"country": "DE"},
    ],
)
def test_what_is_unfit(
    tmp_path: Path,
    put: list[dict[str, bytes]],
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
) -> None:
    assert install(tmp_path, json.dumps({**GOOD, **change})) == 2
    said = capsys.readouterr().err
    assert "--network" in said and PASSWORD not in said and put == []


@pytest.mark.parametrize("content", ["", "[]", '{"password": "' + PASSWORD, "\x00"])
def test_what_is_no_object(
    tmp_path: Path, put: list[dict[str, bytes]], capsys: pytest.CaptureFixture[str], content: str
) -> None:
    assert install(tmp_path, content) == 2
    assert PASSWORD not in capsys.readouterr().err and put == []


@pytest.mark.parametrize("board", ["rpi_pico", "rpi_pico2"])
def test_boards_without_wifi(tmp_path: Path, put: list[dict[str, bytes]], board: str) -> None:
    assert install(tmp_path, json.dumps(GOOD), board) == 2 and put == []
