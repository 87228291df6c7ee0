# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The wiring table of README.md, from boards/*/board.json; `make tables` writes it."""

from collections.abc import Mapping
from typing import Any

from buildlib import stage, steps

_COLUMNS = (
    ("Pico, Pico W, Pico 2", ("rpi_pico", "rpi_pico_w", "rpi_pico2")),
    ("ESP32", ("esp32_generic",)),
    ("Raspberry Pi", ("raspberry_pi",)),
)

# Number on the header by GPIO. Raspberry Pi Pico data sheet, 2.1; Raspberry Pi documentation, "GPIO".
_PICO = {
    **{gpio: gpio + 1 + (gpio + 2) // 4 for gpio in range(16)},
    **{16: 21, 17: 22, 18: 24, 19: 25, 20: 26, 21: 27, 22: 29, 26: 31, 27: 32, 28: 34},
}
_PI = {2: 3, 3: 5, 4: 7, 14: 8, 15: 10, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21, 25: 22}
_HEADERS: Mapping[str, tuple[str, Mapping[int, int], str, str]] = {
    # name of a GPIO, its number on the header, 3.3 V, ground
    "rpi_pico": ("GP", _PICO, "3V3 (pin 36)", "GND (pin 38)"),
    "esp32_generic": ("GPIO", {}, "3V3", "GND"),
    "raspberry_pi": ("GPIO", _PI, "3V3 (pin 1)", "GND (pin 6)"),
}


def table() -> str:
    """The table, as Markdown. BuildError when boards that share a column have different pins."""
    columns = [_column(boards) for _, boards in _COLUMNS]
    parts = (
        ("display SSD1306, clock DS3231", "VCC", "power", "display"),
        ("", "GND", "ground", "display"),
        ("", "SDA", "sda", "display"),
        ("", "SCL", "scl", "display"),
        ("button", "one side", "button", "button"),
        ("", "the other", "ground", "button"),
        ("LED", "", "led", "led"),
        ("the host's serial adapter", "RX", "tx", "tx"),
        ("", "TX", "rx", "tx"),
        ("", "GND", "ground", "tx"),
    )
    rows = [["part", "its pin", *(title for title, _ in _COLUMNS)], ["---"] * (2 + len(_COLUMNS))]
    rows += [[part, pin, *(_cell(one, what, of) for one in columns)] for part, pin, what, of in parts]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _column(boards: tuple[str, ...]) -> dict[str, Any]:
    first = stage.board(boards[0])
    for other in map(stage.board, boards[1:]):
        for name in ("sda", "scl", "button"):
            if other["pins"].get(name) != first["pins"].get(name):
                raise steps.BuildError(f"{other['id']} has another pin for {name} than {boards[0]}")
    return first


def _cell(board: dict[str, Any], what: str, of: str) -> str:
    pins, (prefix, header, power, ground) = board["pins"], _HEADERS[board["id"]]
    if not (board.get(of, False) or of in pins):
        return "-"
    if what in ("power", "ground"):
        return power if what == "power" else ground
    if what == "led":
        return "on the board"
    pin = pins[what]
    number = f" (pin {header[pin]})" if pin in header else ""
    return f"{prefix}{pin}{number}"
