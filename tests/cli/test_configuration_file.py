# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Reading a configuration that can be trusted, and putting a new one in force."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from understudy.configuration import MAX_SIZE, Unreadable, load, read
from understudy.configuration_file import last_good_path, put_in_force
from understudy_device.errors import ConfigError

NOBODY = 65534
OLD, NEW, BAD = "mfa = false\n", '[login]\ntext = "New: "\n', "[login]\ntxt = 1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "etc/understudy.toml"
    found.parent.mkdir()
    found.write_text(OLD)
    return found


def message(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(path) in caught.value.message and caught.value.status == "config"
    return caught.value.message


def put(text: str, path: Path) -> bool:
    return put_in_force(text, "new.toml", path)


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without root's right to open everything, if the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_of_ones_own_is_read(path: Path) -> None:
    assert not load(path).mfa
    link = path.with_name("link.toml")
    link.symlink_to(path)
    assert load(link) == load(path)
    path.write_bytes("\ufeff[cover]\r\nusers = ['\u00e9']\r\n".encode())
    assert load(path).cover.users == ("\u00e9",)


def test_none_is_told_how_to_begin(path: Path) -> None:
    path.unlink()
    assert "understudy config default" in message(path)
    with pytest.raises(Unreadable):
        load(path)
    with pytest.raises(Unreadable):
        load(path / "below")  # the folder is none


def test_one_that_may_not_be_read_is_told_what_to_do(path: Path) -> None:
    path.chmod(0)
    with as_nobody():
        found = message(path)
        with pytest.raises(Unreadable):
            load(path)
    assert "root" in found


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o620, 0o602])
def test_one_that_others_can_change_is_not_trusted(path: Path, mode: int) -> None:
    path.chmod(mode)
    assert f"chmod go-w {path}" in message(path)
    assert read(path, trusted=False) == OLD


def test_roots_is_trusted_by_everybody() -> None:
    with as_nobody(), pytest.raises(ConfigError, match="line 1: this is not TOML"):
        load(Path("/etc/passwd"))  # trusted, and read


def test_one_of_another_user_is_not_trusted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(path, NOBODY, -1)
    owner = path.stat().st_uid
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: owner + 1)
        assert f"chown root {path}" in message(path) and str(owner) in message(path)
        patch.setattr(os, "geteuid", lambda: owner)
        assert load(path)


def test_only_a_regular_file_is_one(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
    assert "not a regular file" in message(path)  # and it does not wait for someone who writes
    path.unlink()
    path.mkdir()
    assert "not a regular file" in message(path)
    path.rmdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        assert "can't be read" in message(path)
    path.unlink()
    path.symlink_to(os.devnull)
    assert "not a regular file" in message(path)


def test_at_most_64_kib_of_utf_8(path: Path) -> None:
    path.write_bytes(b"#" * MAX_SIZE)
    assert load(path).mfa
    path.write_bytes(b"#" * (MAX_SIZE + 1))
    assert "64 KiB" in message(path)
    path.write_bytes(b"# one\n# two\n# \xe9\n")
    assert "line 3: this is not UTF-8" in message(path)


def test_a_new_one_is_put_in_force_and_the_old_one_kept(path: Path) -> None:
    assert put(NEW, path) and path.read_text() == NEW
    assert last_good_path(path).read_text() == OLD
    assert names(path) == ["understudy.toml", "understudy.toml.last-good"]
    assert not put(NEW, path)  # the same again: what was the last good one before stays it
    assert last_good_path(path).read_text() == OLD


def test_a_bad_one_changes_nothing(path: Path) -> None:
    before = path.stat().st_ino, path.stat().st_mtime_ns
    with pytest.raises(ConfigError, match="new.toml: line 2: "):
        put(BAD, path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before and names(path) == ["understudy.toml"]


def test_a_bad_one_in_force_is_not_kept_as_good(path: Path) -> None:
    last_good_path(path).write_text(OLD)
    path.write_text(BAD)
    assert put(NEW, path) and last_good_path(path).read_text() == OLD and path.read_text() == NEW


def test_the_first_one_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "understudy/understudy.toml"
    before = os.umask(0o077)
    try:
        assert put(NEW, path)
    finally:
        os.umask(before)
    # The broker's own user has to get there.
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755 and stat.S_IMODE(path.stat().st_mode) == 0o644
    assert names(path) == ["understudy.toml"]


def test_group_and_permissions_stay(path: Path) -> None:
    group = NOBODY if os.geteuid() == 0 else os.getegid()
    os.chown(path, -1, group)
    path.chmod(0o640)
    assert put(NEW, path)
    for one in (path, last_good_path(path)):
        assert one.stat().st_gid == group and stat.S_IMODE(one.stat().st_mode) == 0o640
    path.chmod(0o666)
    assert put(OLD, path) and stat.S_IMODE(path.stat().st_mode) == 0o644
    assert last_good_path(path).read_text() == OLD  # anyone could have changed the other


def test_a_link_stays_a_link(path: Path) -> None:
    real = path.with_name("real.toml")
    path.rename(real)
    path.symlink_to("real.toml")
    assert put(NEW, path) and path.is_symlink() and real.read_text() == NEW


def test_where_nothing_can_be_written_nothing_changes(path: Path) -> None:
    path.parent.parent.chmod(0o755)
    path.parent.chmod(0o555)
    with as_nobody():
        with pytest.raises(ConfigError, match="can't be written: Permission denied"):
            put(NEW, path)
    path.parent.chmod(0o755)
    assert path.read_text() == OLD and names(path) == ["understudy.toml"]


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_has_is_not(path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)  # a number that nobody has now
    dead = [f".understudy.toml.{child}.new", f".understudy.toml.last-good.{child}.new"]
    kept = [f".understudy.toml.{os.getppid()}.new", ".understudy.toml.x.new", ".understudy.toml.1.new"]
    for name in dead + kept:
        path.with_name(name).touch()
    assert put(NEW, path)
    assert names(path) == sorted([*kept, "understudy.toml", "understudy.toml.last-good"])
