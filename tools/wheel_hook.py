# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Setuptools' hook that puts the firmware and the boards into the wheel.

An installed `understudy` puts firmware on boards and simulates them, so it carries firmware/ and boards/ as
data, under understudy/_firmware and understudy/_boards; and the units and rules of host_tools/etc, under
understudy/_etc. They are copied while a wheel is made and never lie in the source tree; a checkout (and an
editable install) uses the originals.

What the firmware takes from PyPI comes along under understudy/_packages, each with its metadata and licence
(MIT), from where `make setup` has put it at the versions of firmware.lock. As dependencies of the wheel these
packages would bring Adafruit-Blinka, which no host needs, and versions that the firmware was not tested with.
"""

import os
from pathlib import Path

from setuptools.command.build_py import build_py
from setuptools.errors import SetupError

_PACKAGES = "build/firmware-packages"
_CARRIED = {
    "firmware": "understudy/_firmware",
    "boards": "understudy/_boards",
    "host_tools/etc": "understudy/_etc",
    _PACKAGES: "understudy/_packages",
}
_ALSO_IN_SDIST = ["tools/wheel_hook.py"]


class BuildPy(build_py):
    """build_py, and the carried folders."""

    def run(self) -> None:
        """Build as ever, then copy what is carried; an editable install needs nothing copied."""
        super().run()
        if not self.editable_mode:
            if not os.path.isdir(_PACKAGES):
                raise SetupError(f"there is no {_PACKAGES}: run `make wheel`, which makes it")
            for source, target in self._carried().items():
                self.mkpath(os.path.dirname(target))
                self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Every file made, so that uninstalling removes the carried ones too."""
        carried = [] if self.editable_mode else self._carried().values()
        return [*super().get_outputs(include_bytecode), *carried]

    def get_source_files(self) -> list[str]:
        """Every file an sdist needs, so that a wheel can be made from it."""
        return sorted({*super().get_source_files(), *self._carried(), *_ALSO_IN_SDIST})

    def _carried(self) -> dict[str, str]:
        return {
            str(file): os.path.join(self.build_lib, target, file.relative_to(folder))
            for folder, target in _CARRIED.items()
            for file in sorted(Path(folder).rglob("*"))
            if file.is_file() and not any(part.startswith((".", "__pycache__")) for part in file.parts)
        }
