# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The files and units that a set-up changes, noted before they are changed, so that they can be put back.

The notes are a folder: `journal.json`, and in `kept` a copy of each file as it was. Killed at any instant,
a change is either noted and can be taken back, or was not made. Nobody but root may write to the folder: what
is put back is put back by root.
"""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from understudy.files import PRIVATE_DIR, sync_folder, write_private
from understudy_device.errors import ConfigError

FOLDER = Path("/var/lib/understudy-setup")
_VERSION = 1
_JOURNAL = "journal.json"
_KEPT = "kept"

# What becomes of a file that somebody else has changed since, when the set-up is taken back.
OURS_OUT = "ours-out"  # our lines are taken out of it
ASIDE = "aside"  # it gets another name, under which it does nothing
STAYS = "stays"

Cleaner = Callable[[str], str]  # a file's text to the same without our lines


@dataclass(frozen=True)
class Change:
    """A file or directory: its copy in `kept` (None: it was not there), digests of what we have put there.

    There are several when it was written again: which one a killed process has left is not known.
    """

    path: str
    kept: str | None
    ours: tuple[str, ...] = ()
    if_edited: str = STAYS


@dataclass(frozen=True)
class Unit:
    """A systemd unit as it was."""

    name: str
    enabled: bool
    active: bool


class Changes:
    """What was changed so far; changes are made through it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """With what an earlier process has noted. ConfigError when that can't be read."""
        self.folder = folder
        self.changes: dict[str, Change] = {}
        self.units: dict[str, Unit] = {}
        self.is_confirmed = False
        with suppress(FileNotFoundError):
            self._load()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take back."""
        return not (self.changes or self.units)

    def write(self, path: Path, text: str, mode: int = 0o644, if_edited: str = STAYS) -> None:
        """Replace a file's content, or make it with `mode`, and the folders above it. ConfigError."""
        path = Path(os.path.realpath(path))  # a link stays one
        data = text.encode(errors="surrogateescape")
        try:
            self._make_folders(path.parent)
            self._note(path, hashlib.sha256(data).hexdigest(), if_edited)
            _replace(path, data, mode)
        except OSError as error:
            raise ConfigError(f"{path} can't be written: {error.strerror}.") from error

    def confirm(self) -> None:
        """Somebody has logged in with what was changed."""
        self.is_confirmed = True
        self._save()

    def note_unit(self, unit: Unit) -> None:
        """Keep how a unit was; the first time counts."""
        if unit.name not in self.units:
            self.units[unit.name] = unit
            self._save()

    def take_back(self, clean: Cleaner) -> tuple[list[str], list[str]]:
        """Put every file back as it was. Sentences for those that are not, as somebody else has changed them
        since; and for those that could not be put back. The notes stay until `forget`."""
        said, failed = [], []
        for change in reversed(list(self.changes.values())):
            try:
                said.append(self._undo(change, clean))
            except OSError as error:
                failed.append(f"{change.path} can't be put back: {error.strerror}.")
        return [one for one in said if one], failed

    def forget(self) -> None:
        """Remove the notes."""
        with suppress(FileNotFoundError):
            (self.folder / _JOURNAL).unlink()  # first: without it, the copies mean nothing
        shutil.rmtree(self.folder, ignore_errors=True)
        self.changes, self.units = {}, {}

    def _note(self, path: Path, digest: str = "", if_edited: str = STAYS) -> None:
        """Keep a copy of what is about to be changed, and a digest of what a file will hold."""
        known = self.changes.get(str(path))
        kept, ours = (known.kept, known.ours) if known else (self._keep(path), ())
        self.changes[str(path)] = Change(str(path), kept, (*ours, digest) if digest else ours, if_edited)
        self._save()

    def _undo(self, change: Change, clean: Cleaner) -> str:
        path = Path(change.path)
        _temporary(path).unlink(missing_ok=True)
        if path.is_dir() and not change.ours:
            with suppress(OSError):  # somebody has put something into it
                path.rmdir()
            return ""
        now, before = _digest(path), self._before(change)
        if now == before:
            return ""
        if now is None:
            return f"{path} was removed since, and stays so."
        if now not in change.ours:
            return self._undo_edited(change, path, clean)
        if change.kept is None:
            path.unlink()
        else:
            self._put_back(change, path)
        sync_folder(path.parent)
        return ""

    def _undo_edited(self, change: Change, path: Path, clean: Cleaner) -> str:
        if change.if_edited == OURS_OUT:
            text = path.read_bytes().decode(errors="surrogateescape")
            if clean(text) == text:
                return f"{path} was changed since, and stays."
            _replace(path, clean(text).encode(errors="surrogateescape"), 0o644)
            return f"{path} was changed since; Understudy's lines were taken out of it, the rest stays."
        if change.if_edited == ASIDE:
            aside = path.with_name(path.name + ".saved")
            os.replace(path, aside)
            if change.kept is not None:
                self._put_back(change, path)
            return f"{path} was changed since; it is {aside} now."
        return f"{path} was changed since, and stays."

    def _before(self, change: Change) -> str | None:
        return None if change.kept is None else _digest(self.folder / _KEPT / change.kept)

    def _put_back(self, change: Change, path: Path) -> None:
        source, temporary = self.folder / _KEPT / str(change.kept), _temporary(path)
        _copy(source, temporary)
        os.replace(temporary, path)

    def _keep(self, path: Path) -> str | None:
        if not path.exists():
            return None
        if path.is_dir():
            raise ConfigError(f"{path} is a directory.")
        self._make_own()
        name = f"{len(self.changes):03}"
        _copy(path, self.folder / _KEPT / name)
        sync_folder(self.folder / _KEPT)
        return name

    def _make_folders(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            self._note(one)
            one.mkdir(mode=0o755)
            one.chmod(0o755)  # whatever the umask is

    def _make_own(self) -> None:
        (self.folder / _KEPT).mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        self.folder.chmod(PRIVATE_DIR)

    def _save(self) -> None:
        self._make_own()
        document = {
            "version": _VERSION,
            "confirmed": self.is_confirmed,
            "changes": [asdict(one) for one in self.changes.values()],
            "units": [asdict(one) for one in self.units.values()],
        }
        write_private(self.folder / _JOURNAL, json.dumps(document, indent=1).encode())

    def _load(self) -> None:
        path = self.folder / _JOURNAL
        status = self.folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise ConfigError(f"{self.folder} can be changed by others, so it is not believed.")
        try:
            document: dict[str, Any] = json.loads(path.read_bytes())
            if document["version"] != _VERSION:
                raise ConfigError(f"{path} was written by another version; take it back with that one.")
            self.is_confirmed = document["confirmed"]
            self.changes = {
                one["path"]: Change(**{**one, "ours": tuple(one["ours"])}) for one in document["changes"]
            }
            self.units = {one["name"]: Unit(**one) for one in document["units"]}
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} can't be understood; the files as they were are beside it.") from error


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.understudy-setup")


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Give a file another content; who owns it, and all else, stays."""
    temporary = _temporary(path)
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        if path.exists():
            status = path.stat()
            os.fchown(handle, status.st_uid, status.st_gid)
            shutil.copystat(path, temporary)
            os.utime(temporary)
        else:
            os.fchmod(handle, mode)
        os.fsync(handle)
    os.replace(temporary, path)
    sync_folder(path.parent)


def _copy(source: Path, target: Path) -> None:
    """Copy a file with all that is known of it: owner, mode, times, attributes."""
    target.unlink(missing_ok=True)
    shutil.copy2(source, target)
    status = source.stat()
    os.chown(target, status.st_uid, status.st_gid)
    shutil.copystat(source, target)  # again: chown takes away set-user-id
    handle = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
