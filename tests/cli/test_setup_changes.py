# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""What a set-up changes can be taken back, wherever it was broken off; and how PAM's files are edited."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.support import SECONDS
from tools.buildlib.paths import UNPACKED

from understudy.paths import etc_dir
from understudy.setup import changes as changes_module
from understudy.setup.changes import ASIDE, OURS_OUT, STAYS, Changes
from understudy.setup.pam_lines import KEY, PASSWORD, with_lines, without_lines
from understudy_device.errors import ConfigError

SHIPPED = (UNPACKED / "etc/pam.d/sshd").read_text()
OLD_TIME = 1_000_000_000


def make(root: Path) -> Path:
    """A machine's files, as far as it matters."""
    (root / "pam.d").mkdir(parents=True)
    (root / "pam.d/sshd").write_text(SHIPPED)
    (root / "pam.d/sshd").chmod(0o640)
    (root / "pam.d/real").write_text("a file\n")
    for name in ("sshd", "real"):
        os.utime(root / "pam.d" / name, (OLD_TIME, OLD_TIME))
    (root / "pam.d/link").symlink_to("real")
    return root


def change(root: Path) -> None:
    """All kinds of changes."""
    changes = Changes(root / "notes")
    changes.write(root / "new/deep/file", "new\n")
    changes.write(root / "pam.d/sshd", with_lines(SHIPPED, PASSWORD, "sshd"), if_edited=OURS_OUT)
    changes.write(root / "pam.d/sshd", with_lines(SHIPPED, KEY, "sshd"), if_edited=OURS_OUT)
    changes.write(root / "pam.d/link", "another\n")


def take_back(root: Path) -> list[str]:
    """All of it."""
    changes = Changes(root / "notes")
    said, failed = changes.take_back(without_lines)
    assert failed == []
    changes.forget()
    return said


def seen(root: Path) -> dict[str, tuple[object, ...]]:
    """What there is, and its content, mode and time."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: object = os.readlink(path) if path.is_symlink() else None
        if path.is_file() and not path.is_symlink():
            content = (path.read_text(), status.st_mtime_ns)
        found[str(path.relative_to(root))] = (status.st_mode, content)
    return found


def test_changes_are_made_and_taken_back(tmp_path: Path) -> None:
    root = make(tmp_path / "root")
    before = seen(root)
    change(root)
    assert (root / "new/deep/file").stat().st_mode & 0o777 == 0o644
    assert (root / "pam.d/sshd").stat().st_mode & 0o777 == 0o640
    assert "pam_understudy.so enrol" in (root / "pam.d/sshd").read_text()
    assert (root / "pam.d/link").is_symlink() and (root / "pam.d/real").read_text() == "another\n"
    assert (root / "notes").stat().st_mode & 0o777 == 0o700
    assert take_back(root) == []
    assert seen(root) == before


# What strace kills it at, on entering the call, which then does not happen.
CALLS = ("write", "fsync", "rename", "mkdir", "openat", "fchown", "utimensat", "unlink", "rmdir")
CODE = "from tests.cli.test_setup_changes import {0}; import sys, pathlib; {0}(pathlib.Path(sys.argv[1]))"


def killed(root: Path, call: str, number: int, function: Callable[[Path], object]) -> bool:
    """Kill `function` at the `number`th `call` on a file below `root`; False when it needs fewer."""
    injection = f"{call}:signal=KILL:when={number}"
    words = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={injection}"]
    if call not in ("write", "fsync", "fchown"):
        words += ["-P", str(root), *(word for path in watched(root) for word in ("-P", str(path)))]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*words, sys.executable, "-c", CODE.format(function.__name__), str(root)],
        env=env,
        capture_output=True,
        timeout=SECONDS,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


def watched(root: Path) -> list[Path]:
    """The files that count."""
    names = ("notes", "notes/journal.json", "notes/kept", "notes/kept/000", "notes/kept/001", "new")
    names += ("new/deep", "new/deep/file", "new/deep/.file.understudy-setup", "pam.d/sshd")
    return [root / name for name in (*names, "pam.d/.sshd.understudy-setup", "pam.d/.real.understudy-setup")]


@pytest.mark.parametrize("call", [call for call in CALLS if call != "rmdir"])
def test_killed_at_any_call_it_can_be_taken_back(tmp_path: Path, call: str) -> None:
    number = 1
    before = seen(make(tmp_path / "first"))
    while True:
        root = make(tmp_path / f"{call}{number}")
        if not killed(root, call, number, change):
            break
        assert take_back(root) == [], number
        assert seen(root) == before, number
        shutil.rmtree(root)
        number += 1
    assert number > 1


@pytest.mark.parametrize("call", CALLS)
def test_taking_back_is_killed_at_any_call_and_done_again(tmp_path: Path, call: str) -> None:
    number = 1
    before = seen(make(tmp_path / "first"))
    changed = make(tmp_path / "changed")
    change(changed)
    while True:
        root = tmp_path / f"{call}{number}"
        shutil.copytree(changed, root, symlinks=True)
        text = (root / "notes/journal.json").read_text()
        (root / "notes/journal.json").write_text(text.replace(str(changed), str(root)))
        if not killed(root, call, number, take_back):
            break
        assert take_back(root) == [], number
        assert seen(root) == before, number
        shutil.rmtree(root)
        number += 1
    assert number > 1 or call in ("mkdir", "fchown", "write")


@pytest.mark.parametrize(
    ("if_edited", "left"),
    [
        (OURS_OUT, {"pam.d/sshd": "# mine\n" + SHIPPED}),
        (ASIDE, {"pam.d/sshd.saved": None}),
        (STAYS, {"pam.d/sshd": None}),
    ],
)
def test_what_others_have_changed_since(tmp_path: Path, if_edited: str, left: dict[str, str | None]) -> None:
    root = make(tmp_path / "root")
    Changes(root / "notes").write(
        root / "pam.d/sshd", with_lines(SHIPPED, PASSWORD, "x"), if_edited=if_edited
    )
    edited = "# mine\n" + (root / "pam.d/sshd").read_text()
    (root / "pam.d/sshd").write_text(edited)
    (said,) = take_back(root)
    assert "was changed since" in said
    for name, content in left.items():
        assert (root / name).read_text() == (edited if content is None else content)
    assert if_edited != ASIDE or (root / "pam.d/sshd").read_text() == SHIPPED  # what was there before


def test_notes_that_others_could_write_are_not_believed(tmp_path: Path) -> None:
    root = make(tmp_path / "root")
    change(root)
    (root / "notes").chmod(0o777)
    with pytest.raises(ConfigError, match="can be changed by others"):
        Changes(root / "notes")
    (root / "notes").chmod(0o700)
    (root / "notes/journal.json").write_text("{}")
    with pytest.raises(ConfigError, match="as they were are beside it"):
        Changes(root / "notes")


def effective(text: str) -> list[list[str]]:
    """The lines that count, without their comments and spaces."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return [words for words in lines if words]


@pytest.mark.parametrize(("way", "stack"), [(PASSWORD, "sshd-password"), (KEY, "sshd-key")])
def test_edited_debian_s_sshd_is_the_stack_that_is_shipped(way: str, stack: str) -> None:
    edited = with_lines(SHIPPED, way, "sshd")
    assert effective(edited) == effective((etc_dir() / "pam" / stack).read_text())
    assert without_lines(edited) == SHIPPED


@pytest.mark.parametrize("way", [PASSWORD, KEY])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auth required pam_permit.so\n", "@include common-auth"),
        (SHIPPED + "@include common-auth\n", "@include common-auth"),
        (SHIPPED.replace("@include common-account", ""), "@include common-account"),
        (SHIPPED + "auth required pam_understudy.so\n", "already"),
        (with_lines(SHIPPED, PASSWORD, "x"), "already"),
    ],
)
def test_files_that_are_laid_out_otherwise_are_left_alone(text: str, said: str, way: str) -> None:
    with pytest.raises(ConfigError, match=said):
        with_lines(text, way, "/etc/pam.d/sshd")


def test_a_temporary_file_of_a_killed_one_is_in_nobody_s_way(tmp_path: Path) -> None:
    root = make(tmp_path / "root")
    path = root / "pam.d/sshd"
    changes_module._temporary(path).write_text("half")
    change(root)
    assert not changes_module._temporary(path).exists()
