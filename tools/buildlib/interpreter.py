# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The Unix interpreter and mpy-cross, and the environment every MicroPython build runs in."""

import os
from pathlib import Path

from . import apt, paths, sources, steps

# Libraries that Debian's tarball lacks (btree, libffi) are left out; hashes and ciphers come from Mbed TLS.
_UNIX_OPTIONS = (
    "VARIANT=standard",
    "MICROPY_PY_BTREE=0",
    "MICROPY_PY_FFI=0",
    "MICROPY_SSL_MBEDTLS=1",
    "FROZEN_MANIFEST=",
)
_KEPT = ("PATH", "HOME", "TMPDIR")


def environment(**extra: str) -> dict[str, str]:
    """Only what the build needs, so that two builds in different places give the same bytes."""
    facts = sources.facts()
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env |= {
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", facts["epoch"]),
        # Said outright, because it would otherwise be asked of git, which finds this project's tags here.
        "MICROPY_GIT_TAG": f"v{facts['version']}",
        "MICROPY_GIT_HASH": "debian",
    }
    return env | extra


def prefix_map() -> str:
    """The compiler option that takes this machine's folder names out of what is built."""
    return f"-ffile-prefix-map={paths.ROOT}=/understudy"


def jobs() -> str:
    """As many jobs as there are processors."""
    return f"-j{len(os.sched_getaffinity(0))}"


def ready() -> None:
    """Make build/micropython/{unix/micropython,mpy-cross/mpy-cross} unless they are there."""
    with steps.locked("micropython"):
        sources_ready()
        stamp = paths.MICROPYTHON / "interpreter.stamp"
        content = steps.digest([paths.MICROPYTHON / "sources.json", Path(__file__)])
        if steps.up_to_date(stamp, content, paths.UNIX, paths.MPY_CROSS):
            return
        extra = f"CFLAGS_EXTRA={prefix_map()}"
        env = environment()
        steps.run("mpy-cross", ["make", jobs(), "-C", paths.SOURCE / "mpy-cross", extra], env=env)
        steps.put(paths.SOURCE / "mpy-cross" / "build" / "mpy-cross", paths.MPY_CROSS)
        unix = paths.SOURCE / "ports" / "unix"
        steps.run("unix", ["make", jobs(), "-C", unix, *_UNIX_OPTIONS, extra], env=env)
        steps.put(unix / "build-standard" / "micropython", paths.UNIX)
        stamp.write_text(content)


def sources_ready() -> None:
    """The Debian packages and the source tree that every build below starts from."""
    apt.install(apt.listed(["build"]))
    sources.ready()
