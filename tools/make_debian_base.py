# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""Make build/debian-base.tar: a small Debian of this system's own suite, for the tests of the package.

What is in it is the group "base" of debian-packages.txt. It takes root (mmdebstrap makes what belongs to
root); without root none is made, as the tests that would use it need root, too. Done again only when what it
is made from changed.
"""

import os
import tempfile
from pathlib import Path

from buildlib import apt, paths, steps

_STAMP = paths.DEBIAN_BASE.with_suffix(".stamp")


def _main() -> None:
    if os.geteuid() != 0:
        steps.say(f"{paths.DEBIAN_BASE.name} is not made: that takes root")
        return
    suite = apt.own_suite()[0]
    wanted = apt.listed(["base"])
    content = steps.digest([Path(__file__)], suite, *wanted)
    with steps.locked("debian-base"):
        if steps.up_to_date(_STAMP, content, paths.DEBIAN_BASE):
            return
        _STAMP.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="understudy-base-") as folder:
            sources = Path(folder) / "suite.sources"
            sources.write_text(apt.source(suite))
            made = Path(folder) / paths.DEBIAN_BASE.name
            options = ["--mode=root", "--variant=minbase", f"--include={','.join(wanted)}"]
            steps.run("debian-base", ["mmdebstrap", *options, suite, made, sources])
            steps.put(made, paths.DEBIAN_BASE)
        _STAMP.write_text(content)


if __name__ == "__main__":
    steps.main(_main)
