# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""`make bench` runs, and its counts are what the README's table is made of."""

from pathlib import Path

import pytest
from conftest import find_image
from tests.bench import bench


def test_the_bench(
    device_image: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find_image("rpi_pico-bare")
    monkeypatch.setattr(bench, "ROUNDS", 2)
    monkeypatch.setattr(bench.vault, "USERS", 40)
    monkeypatch.setattr(bench.vault, "SOME", 20)
    monkeypatch.setattr(bench.vault, "LOGINS", 100)
    bench.main()
    shown = capsys.readouterr().out
    for line in (
        "all of it",
        "bytes on the wire",
        "flash pages",
        "burn the step",
        "ours to it",
        "session: handshake",
        "index in RAM",
        "logins to a sector erase",
        "power-up to the first verdict",
        "free heap",
    ):
        assert f"\n  {line} " in shown
    # A verify is one small record: one page program, or two where it crosses a page; and never an erase here.
    (flash,) = [line for line in shown.splitlines() if "flash pages" in line]
    assert flash.split()[2] in ("1", "2") and flash.split()[4] == "0"
