# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Understudy authors
"""The implementations that ours is compared with: PyPI's pyotp, and Debian's oathtool.

PyPI's pyotp has the name of our firmware package, which comes first on the module path in tests; it is loaded
from its installed files under the name `reference_pyotp` instead.
"""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

_NAME = "reference_pyotp"
_VERSION = (2, 12)  # the behaviour that ours follows came with this version
_OURS = Path(__file__).resolve().parent.parent / "firmware"


class ReferenceMissing(Exception):
    """What a test wants to compare with is not there; the message says what to install."""


def load_pyotp() -> ModuleType:
    """Return PyPI's pyotp, also from sys.modules["reference_pyotp"]. Raises ReferenceMissing."""
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    path = _installed_init()
    spec = importlib.util.spec_from_file_location(_NAME, path, submodule_search_locations=[str(path.parent)])
    if spec is None or spec.loader is None:
        raise ReferenceMissing(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[_NAME]
        raise
    return module


def _installed_init() -> Path:
    """Return the path of the installed pyotp/__init__.py."""
    try:
        distribution = importlib.metadata.distribution("pyotp")
    except importlib.metadata.PackageNotFoundError:
        raise ReferenceMissing("PyPI's pyotp is not installed: pip install pyotp==2.12.0") from None
    found = tuple(int(part) for part in distribution.version.split(".")[:2])
    if found < _VERSION:
        raise ReferenceMissing(f"pyotp {distribution.version} is too old: pip install pyotp==2.12.0")
    path = Path(str(distribution.locate_file("pyotp/__init__.py"))).resolve()
    if not path.is_file():
        raise ReferenceMissing(f"the installed pyotp has no {path}")
    if _OURS in path.parents:
        raise ReferenceMissing(f"{path} is our own pyotp, not PyPI's")
    return path


def oathtool(secret: str, *, digest: str = "sha1", digits: int = 6, interval: int = 30, time: int) -> str:
    """Return the TOTP code that oathtool makes of a base32 secret at a Unix time. Raises ReferenceMissing."""
    when = f"@{time}"
    return _run_oathtool(f"--totp={digest}", "-s", f"{interval}s", "-N", when, digits=digits, secret=secret)


def oathtool_hotp(secret: str, counter: int, *, digits: int = 6) -> str:
    """Return the HOTP code (SHA-1) that oathtool makes of a base32 secret. Raises ReferenceMissing."""
    return _run_oathtool("--hotp", "-c", str(counter), digits=digits, secret=secret)


def _run_oathtool(*options: str, digits: int, secret: str) -> str:
    program = shutil.which("oathtool")
    if program is None:
        raise ReferenceMissing("oathtool is not installed: apt-get install oathtool")
    # The secret goes in by standard input ("-"): a command line can be read by every user.
    command = [program, *options, "-d", str(digits), "-b", "-"]
    done = subprocess.run(command, input=secret, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()
